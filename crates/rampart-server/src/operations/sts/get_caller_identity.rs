//! GetCallerIdentity: the first call that every tool makes. Its ARN's account field is what Terraform takes as the
//! account id.

use rampart_aws::query::response_xml;

use crate::app::Call;

pub(super) const NAME: &str = "GetCallerIdentity";

pub(super) fn handle(call: &Call) -> String {
    response_xml(NAME, super::NAMESPACE, &call.request_id.to_string(), |xml| {
        xml.text_element("Arn", &call.caller.arn(call.region.partition()));
        xml.text_element("UserId", &call.caller.user_id());
        xml.text_element("Account", call.account.as_str());
    })
}
