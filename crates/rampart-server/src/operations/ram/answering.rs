//! How an operation that changes something runs: its command in one transaction of one partition.

use std::sync::Arc;

use rampart_core::{AccountId, Refusal};
use rampart_store::Work;

use crate::app::App;
use crate::background::run_jobs;
use crate::failure::Failure;
use crate::metrics::Job;

/// Runs `command` in the partition of `owner`, whose state it changes, and gives its answer's body.
pub(super) async fn write(
    app: &App,
    owner: AccountId,
    command: impl Work<Reply = String>,
) -> Result<String, Failure> {
    Ok(app.store.write(app.store.partition_of(owner), command).await?)
}

/// The same for a command that what a share held may stand in the way of. What has expired, or rested on a membership
/// that is over, still counts until it is tidied; when it seems to be in the way, it is tidied first.
pub(super) async fn write_past_what_is_over(
    app: &App,
    owner: AccountId,
    command: impl Work<Reply = String>,
) -> Result<String, Failure> {
    let command = Arc::new(command);
    match write(app, owner, Arc::clone(&command)).await {
        Err(Failure::Refused(
            Refusal::TooManyPendingInvitations { .. }
            | Refusal::QuotaExceeded { .. }
            | Refusal::ResourceTypeNotForIdentities
            | Refusal::ResourceTypeNotOutsideOrganization
            | Refusal::OutsidersPresent
            | Refusal::ServicesMixedWithOthers,
        )) if tidy(app).await? > 0 => write(app, owner, command).await,
        outcome => outcome,
    }
}

async fn tidy(app: &App) -> Result<usize, Failure> {
    Ok(run_jobs(app, &[Job::ExpireInvitations, Job::TidyMemberships]).await?)
}
