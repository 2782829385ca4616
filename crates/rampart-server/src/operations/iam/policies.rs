//! GetPolicy and GetPolicyVersion, of AWS's managed policies: there are no others.

use std::sync::Arc;

use rampart_aws::query::percent_encode;
use rampart_core::TimestampMs;
use rampart_core::iam::policy::MANAGED_POLICY_VERSION;
use rampart_core::iam::{IamRefusal, ManagedPolicy};

use super::{answer, input};
use crate::app::App;
use crate::operations::{Answer, Request};

/// 2018-11-20, the day on which RAM came out.
const CREATED: TimestampMs = TimestampMs(1_542_672_000_000);

pub(crate) fn get_policy(_app: Arc<App>, request: Request) -> Answer {
    Box::pin(async move {
        let call = &request.call;
        let arn = input::required(&request.form, "PolicyArn")?;
        let policy = ManagedPolicy::parse_arn(arn, call.region.partition())?;
        Ok(answer(call, |xml| {
            xml.element("Policy", |xml| {
                xml.text_element("PolicyName", policy.name);
                xml.text_element("PolicyId", policy.id);
                xml.text_element("Arn", arn);
                xml.text_element("Path", policy.path);
                xml.text_element("DefaultVersionId", MANAGED_POLICY_VERSION);
                xml.text_element("PermissionsBoundaryUsageCount", "0");
                xml.text_element("IsAttachable", if policy.is_attachable() { "true" } else { "false" });
                xml.text_element("Description", policy.description);
                xml.text_element("CreateDate", &CREATED.to_string());
                xml.text_element("UpdateDate", &CREATED.to_string());
            });
        }))
    })
}

pub(crate) fn get_policy_version(_app: Arc<App>, request: Request) -> Answer {
    Box::pin(async move {
        let call = &request.call;
        let arn = input::required(&request.form, "PolicyArn")?;
        let version = input::required(&request.form, "VersionId")?;
        let policy = ManagedPolicy::parse_arn(arn, call.region.partition())?;
        if version != MANAGED_POLICY_VERSION {
            let (arn, version) = (arn.to_owned(), version.chars().take(64).collect());
            return Err(IamRefusal::ManagedPolicyVersionNotFound { arn, version }.into());
        }
        Ok(answer(call, |xml| {
            xml.element("PolicyVersion", |xml| {
                xml.text_element("Document", &percent_encode(policy.document));
                xml.text_element("VersionId", MANAGED_POLICY_VERSION);
                xml.text_element("IsDefaultVersion", "true");
                xml.text_element("CreateDate", &CREATED.to_string());
            });
        }))
    })
}
