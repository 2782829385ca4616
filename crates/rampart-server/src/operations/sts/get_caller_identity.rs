//! GetCallerIdentity: the first call that every tool makes. Its ARN's account field is what Terraform takes as the
//! account id.

use std::sync::Arc;

use rampart_aws::query::response_xml;

use super::NAMESPACE;
use crate::app::App;
use crate::operations::{Answer, Request};

pub(crate) fn handle(_app: Arc<App>, request: Request) -> Answer {
    let call = request.call;
    let body = response_xml("GetCallerIdentity", NAMESPACE, &call.request_id.to_string(), |xml| {
        xml.text_element("Arn", &call.caller.arn(call.region.partition()));
        xml.text_element("UserId", &call.caller.user_id());
        xml.text_element("Account", call.account.as_str());
    });
    Box::pin(async move { Ok(body) })
}
