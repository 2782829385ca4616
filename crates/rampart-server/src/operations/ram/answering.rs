//! How an operation that changes something runs: its command in one transaction of one partition.

use std::sync::Arc;

use rampart_core::{AccountId, Refusal};
use rampart_store::Work;

use crate::app::App;
use crate::background::{Worker, expire_invitations};
use crate::failure::Failure;

/// Runs `command` in the partition of `owner`, whose state it changes, and gives its answer's body.
pub(super) async fn write(
    app: &App,
    owner: AccountId,
    command: impl Work<Reply = String>,
) -> Result<String, Failure> {
    Ok(app.store.write(app.store.partition_of(owner), command).await?)
}

/// The same for a command that may invite. Invitations that have expired still count until they are tidied, and so do
/// the principals that waited on them; when a quota seems used up, or one of them seems to be in the way, they are
/// tidied first.
pub(super) async fn write_inviting(
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
            | Refusal::ServicesMixedWithOthers,
        )) if expire_invitations(&Worker::of(app)).await? > 0 => write(app, owner, command).await,
        outcome => outcome,
    }
}
