//! ReplacePermissionAssociations: another permission, or a newer version, for all of one's shares that have one (reference
//! §10.30). The shares are changed in the background.

use std::sync::Arc;

use futures_util::future::try_join;
use rampart_aws::rest_json::parse_body;
use rampart_core::Refusal;
use rampart_core::permission::parameters::Values;
use rampart_core::permission::replacement::{ReplaceWork, decide_replace};
use rampart_core::permission::{Found, find};
use rampart_store::{Abort, Transaction, Work};
use serde::{Deserialize, Serialize};

use super::answering::write;
use super::input::required;
use super::permission_shapes::ReplaceWorkShape;
use super::permissions::{ValuesInput, attachable, own, values};
use crate::app::{App, Call};
use crate::idempotency::Once;
use crate::operations::{Answer, Request};

const NAME: &str = "ReplacePermissionAssociations";

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Input {
    from_permission_arn: Option<String>,
    from_permission_version: Option<i64>,
    to_permission_arn: Option<String>,
    permission_template_parameters: Option<Vec<ValuesInput>>,
    client_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Output {
    replace_permission_associations_work: ReplaceWorkShape,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_token: Option<String>,
}

pub(crate) fn handle(app: Arc<App>, request: Request) -> Answer {
    Box::pin(async move {
        let input: Input = parse_body(&request.body)?;
        let from = required(input.from_permission_arn, "fromPermissionArn")?;
        let to = required(input.to_permission_arn, "toPermissionArn")?;
        let (call, version) = (request.call, input.from_permission_version);
        for arn in [&from, &to] {
            find(app.catalog, arn, call.account, call.region)?;
        }
        let values = values(input.permission_template_parameters)?;
        let canonical = (&from, version, &to, &values);
        let once = Once::new(&call, NAME, input.client_token.as_deref(), &canonical)?;
        let (owner, client_token) = (call.account, input.client_token);
        let command = Replace { app: Arc::clone(&app), call, from, version, to, values, client_token, once };
        let answer = write(&app, owner, command).await?;
        app.work_waits.notify_one();
        Ok(answer)
    })
}

struct Replace {
    app: Arc<App>,
    call: Call,
    from: String,
    version: Option<i64>,
    to: String,
    values: Values,
    client_token: Option<String>,
    once: Once,
}

impl Work for Replace {
    type Reply = String;

    async fn run(&self, tx: &Transaction) -> Result<String, Abort> {
        if let Some(answer) = self.once.recall(tx).await? {
            return Ok(answer);
        }
        let from = find(self.app.catalog, &self.from, self.call.account, self.call.region)?;
        let to = attachable(tx, &self.app, &self.call, &self.to);
        let ((resource_type, latest), to) = try_join(self.replaced(tx, &from), to).await?;
        let version = self.version.map(|wanted| {
            let known = u32::try_from(wanted).ok().filter(|number| (1..=latest).contains(number));
            let permission = from.name().as_str().to_owned();
            known.ok_or(Refusal::PermissionVersionNotFound { permission, version: wanted })
        });
        let from = (from.name(), resource_type.as_str(), version.transpose()?);
        let owner = (self.call.account, self.call.region);
        let id = self.app.entropy.uuid();
        let decision = decide_replace(from, &to, &self.values, owner, id, self.call.now)?;
        tx.apply(&decision.changes, self.call.now).await?;
        let work: ReplaceWork = decision.reply;
        let output = Output {
            replace_permission_associations_work: ReplaceWorkShape::new(&work),
            client_token: self.client_token.clone(),
        };
        self.once.answer(tx, &output).await
    }
}

impl Replace {
    /// The type of what is replaced, and the highest number of its versions.
    async fn replaced(&self, tx: &Transaction, from: &Found<'_>) -> Result<(String, u32), Abort> {
        match from {
            Found::Managed(known) => Ok((known.resource_type.clone(), known.default_version())),
            Found::Own(name) => {
                let known = own(tx, &self.call, name).await?;
                known.check_changeable()?;
                Ok((known.resource_type, known.latest))
            }
        }
    }
}
