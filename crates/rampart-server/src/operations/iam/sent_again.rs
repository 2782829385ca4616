//! What makes something new makes it once although it is sent again: SDKs were seen to send calls again that had gone
//! through (clients §4a), and IAM has no client tokens. The first answer is kept sealed, because it may hold a secret.

use std::collections::BTreeSet;
use std::sync::Arc;

use rampart_store::{Abort, Transaction, Work};

use super::write;
use crate::app::App;
use crate::idempotency::Once;
use crate::operations::{Answer, Request};

/// Runs a command in the partition of the caller's account, and renders its answer; gives the first answer to a call that
/// was sent before.
pub(super) fn write_once<W: Work>(
    app: &Arc<App>,
    request: &Request,
    command: W,
    render: impl Fn(&W::Reply) -> String + Send + Sync + 'static,
) -> Answer
where
    W::Reply: Sync,
{
    let (app, call) = (Arc::clone(app), &request.call);
    // Without a name some calls are about the caller.
    let parameters: BTreeSet<_> = request.form.iter().collect();
    let once = Once::new(call, call.operation.name, None, &(call.caller.user_id(), parameters));
    let (account, context) = (call.account, format!("answer {} {}", call.account, call.operation.name));
    Box::pin(async move {
        let command = Repeatable { app: Arc::clone(&app), once: once?, context, command, render };
        write(&app, account, command).await
    })
}

struct Repeatable<W, R> {
    app: Arc<App>,
    once: Once,
    /// What a sealed answer is bound to.
    context: String,
    command: W,
    render: R,
}

impl<W, R> Work for Repeatable<W, R>
where
    W: Work,
    W::Reply: Sync,
    R: Fn(&W::Reply) -> String + Send + Sync + 'static,
{
    type Reply = String;

    async fn run(&self, tx: &Transaction) -> Result<String, Abort> {
        if let Some(first) = self.once.recall(tx).await? {
            // One that was sealed under another master key is as good as none.
            if let Some(first) = self.app.keys.open_answer(&first, &self.context) {
                return Ok(first);
            }
        }
        let answer = (self.render)(&self.command.run(tx).await?);
        self.once.answer(tx, &self.app.keys.seal_answer(&answer, &self.context)).await?;
        Ok(answer)
    }
}
