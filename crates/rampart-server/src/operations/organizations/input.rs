//! Checks that many operations share, on members as they came.

use rampart_core::organization::refusal::Fault;
use rampart_core::organization::{OrganizationRefusal, ParentId, PolicyId, TargetId};
use rampart_core::resource_share::Tag;
use rampart_core::{AccountId, organization};
use serde::{Deserialize, Serialize};

pub(super) fn invalid(parameter: &'static str, fault: Fault) -> OrganizationRefusal {
    OrganizationRefusal::Invalid { parameter, fault }
}

/// A member that the model requires.
pub(super) fn required<'a>(
    member: Option<&'a str>,
    parameter: &'static str,
) -> Result<&'a str, OrganizationRefusal> {
    member.ok_or_else(|| invalid(parameter, Fault::Required))
}

/// A member that has a form of its own.
fn formed<T>(
    member: Option<&str>,
    parameter: &'static str,
    parse: impl FnOnce(&str) -> Option<T>,
) -> Result<T, OrganizationRefusal> {
    parse(required(member, parameter)?).ok_or_else(|| invalid(parameter, Fault::Pattern))
}

pub(super) fn account_id(
    member: Option<&str>,
    parameter: &'static str,
) -> Result<AccountId, OrganizationRefusal> {
    formed(member, parameter, |text| text.parse().ok())
}

pub(super) fn parent_id(
    member: Option<&str>,
    parameter: &'static str,
) -> Result<ParentId, OrganizationRefusal> {
    formed(member, parameter, ParentId::parse)
}

pub(super) fn policy_id(member: Option<&str>) -> Result<PolicyId, OrganizationRefusal> {
    formed(member, "PolicyId", PolicyId::parse)
}

pub(super) fn target_id(
    member: Option<&str>,
    parameter: &'static str,
) -> Result<TargetId, OrganizationRefusal> {
    formed(member, parameter, TargetId::parse)
}

pub(super) fn id<T>(
    member: Option<&str>,
    parameter: &'static str,
    parse: fn(&str) -> Option<T>,
) -> Result<T, OrganizationRefusal> {
    formed(member, parameter, parse)
}

/// A text of at most so many characters.
pub(super) fn at_most(
    text: &str,
    chars_max: usize,
    parameter: &'static str,
) -> Result<(), OrganizationRefusal> {
    if text.chars().count() > chars_max {
        return Err(invalid(parameter, Fault::TooLong { max: chars_max }));
    }
    Ok(())
}

/// `Tag`, coming in or going out.
#[derive(Clone, Default, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct TagShape {
    key: Option<String>,
    value: Option<String>,
}

impl TagShape {
    pub(super) fn new(tag: Tag) -> Self {
        Self { key: Some(tag.key), value: Some(tag.value) }
    }
}

/// The tags of a call, checked.
pub(super) fn tags(given: &[TagShape]) -> Result<Vec<Tag>, OrganizationRefusal> {
    let tag = |tag: &TagShape| {
        let key = required(tag.key.as_deref(), "Tags")?.to_owned();
        Ok(Tag { key, value: required(tag.value.as_deref(), "Tags")?.to_owned() })
    };
    organization::tags::check_tags(given.iter().map(tag).collect::<Result<_, OrganizationRefusal>>()?)
}
