//! How an operation that changes something runs: its command in one transaction of one partition.

use rampart_core::AccountId;
use rampart_store::Work;

use crate::app::App;
use crate::failure::Failure;

/// Runs `command` in the partition of `owner`, whose state it changes, and gives its answer's body.
pub(super) async fn write(
    app: &App,
    owner: AccountId,
    command: impl Work<Reply = String>,
) -> Result<String, Failure> {
    Ok(app.store.write(app.store.partition_of(owner), command).await?)
}
