//! GetAccessKeyInfo: whose an access key id is. The id says so itself, whether or not there is such a key.

use std::sync::Arc;

use rampart_aws::query::response_xml;
use rampart_core::access_key::{account_of_access_key, account_of_session_key};
use rampart_core::iam::IamRefusal;

use super::NAMESPACE;
use crate::app::App;
use crate::operations::iam::input::required;
use crate::operations::{Answer, Request};

pub(crate) fn handle(_app: Arc<App>, request: Request) -> Answer {
    Box::pin(async move {
        let id = required(&request.form, "AccessKeyId")?;
        let account = account_of_access_key(id).or_else(|| account_of_session_key(id));
        let expected = "an access key id that names an account";
        let account = account.ok_or(IamRefusal::ParameterInvalid { parameter: "AccessKeyId", expected })?;
        let request_id = request.call.request_id.to_string();
        Ok(response_xml("GetAccessKeyInfo", NAMESPACE, &request_id, |xml| {
            xml.text_element("Account", account.as_str());
        }))
    })
}
