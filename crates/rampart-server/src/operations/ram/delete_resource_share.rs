//! DeleteResourceShare: the share ends, and with it all that was in it (reference §3.1, §10.4). Its parameters stand in
//! the query.

use std::sync::Arc;

use futures_util::future::try_join;
use rampart_aws::query::parse_form;
use rampart_core::resource_share::decide_delete;
use rampart_core::{Refusal, ShareArn};
use rampart_store::{Abort, Transaction, Work};
use serde::Serialize;

use super::answering::write;
use super::input::{required, share_arn};
use crate::app::{App, Call};
use crate::idempotency::Once;
use crate::operations::{Answer, Request};

const NAME: &str = "DeleteResourceShare";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Output {
    return_value: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_token: Option<String>,
}

pub(crate) fn handle(app: Arc<App>, request: Request) -> Answer {
    Box::pin(async move {
        let query = parse_form(request.query.as_bytes())?;
        let text = required(query.get("resourceShareArn"), "resourceShareArn")?;
        let client_token = query.get("clientToken").map(str::to_owned);
        let share = share_arn(text)?;
        let once = Once::new(&request.call, NAME, client_token.as_deref(), &text)?;
        let owner = request.call.account;
        let command = Delete { app: Arc::clone(&app), call: request.call, share, client_token, once };
        write(&app, owner, command).await
    })
}

struct Delete {
    app: Arc<App>,
    call: Call,
    share: ShareArn,
    client_token: Option<String>,
    once: Once,
}

impl Work for Delete {
    type Reply = String;

    async fn run(&self, tx: &Transaction) -> Result<String, Abort> {
        if let Some(answer) = self.once.recall(tx).await? {
            return Ok(answer);
        }
        let not_found = Refusal::ShareNotFound { share: self.share };
        if !self.call.owns(self.share) {
            return Err(not_found.into());
        }
        let usage = tx.owner_usage(self.call.account, self.call.region);
        let (share, usage) = try_join(tx.resource_share(self.share), usage).await?;
        let share = share.filter(|share| share.status(self.call.now, self.app.timing()).is_some());
        let changes = decide_delete(&share.ok_or(not_found)?, usage, self.call.now)?;
        tx.apply(&changes, self.call.now).await?;
        self.once.answer(tx, &Output { return_value: true, client_token: self.client_token.clone() }).await
    }
}
