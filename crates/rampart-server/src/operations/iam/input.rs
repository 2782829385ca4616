//! Parameters as they came, checked.

use rampart_aws::query::Form;
use rampart_core::iam::{IamName, IamPath, IamRefusal, IdentityKind};
use rampart_core::resource_share::Tag;

use crate::app::Call;
use crate::identity::Who;

/// A parameter that the model requires.
pub(crate) fn required<'f>(form: &'f Form, parameter: &'static str) -> Result<&'f str, IamRefusal> {
    form.get(parameter).ok_or(IamRefusal::ParameterMissing { parameter })
}

/// A whole number within its bounds.
pub(crate) fn number(
    form: &Form,
    parameter: &'static str,
    least: i64,
    most: i64,
) -> Result<Option<i64>, IamRefusal> {
    let Some(text) = form.get(parameter) else { return Ok(None) };
    let number = text.parse::<i64>().ok().filter(|number| (least..=most).contains(number));
    number.map(Some).ok_or(IamRefusal::ParameterOutOfRange { parameter, least, most })
}

/// What the parameter with the name of a user or role is called.
fn name_parameter(kind: IdentityKind) -> &'static str {
    match kind {
        IdentityKind::User => "UserName",
        IdentityKind::Role => "RoleName",
    }
}

/// The name of the user or role that is meant.
pub(super) fn identity_name(form: &Form, kind: IdentityKind) -> Result<IamName, IamRefusal> {
    let parameter = name_parameter(kind);
    IamName::of_identity(required(form, parameter)?, parameter)
}

/// The name of the user that is meant, or else of the user that calls; none for the account's root.
// AWS: without a name these calls are about the caller.
pub(super) fn user_or_caller(form: &Form, call: &Call) -> Result<Option<IamName>, IamRefusal> {
    match (form.get("UserName"), &call.caller.who) {
        (Some(_), _) => identity_name(form, IdentityKind::User).map(Some),
        (None, Who::User(user)) => Ok(Some(user.name.clone())),
        (None, Who::Root) => Ok(None),
        (None, Who::Role { .. }) => Err(IamRefusal::UserNameNeeded),
    }
}

/// The name of the policy that is meant.
pub(super) fn policy_name(form: &Form) -> Result<IamName, IamRefusal> {
    IamName::of_policy(required(form, "PolicyName")?, "PolicyName")
}

/// The path that something new gets.
pub(super) fn path(form: &Form) -> Result<IamPath, IamRefusal> {
    form.get("Path").map_or_else(|| Ok(IamPath::root()), IamPath::parse)
}

/// Tags as they came; checked where they are put together with others.
pub(super) fn tags(form: &Form) -> Result<Vec<Tag>, IamRefusal> {
    let tag = |member: rampart_aws::query::Member<'_>| {
        let key = member.get("Key").ok_or(IamRefusal::ParameterMissing { parameter: "Tags.Key" })?;
        let value = member.get("Value").ok_or(IamRefusal::ParameterMissing { parameter: "Tags.Value" })?;
        Ok(Tag { key: key.to_owned(), value: value.to_owned() })
    };
    form.members("Tags").into_iter().map(tag).collect()
}

/// Refuses what would restrict a user or role and is not built: who asks for it must not think that it is there.
pub(super) fn no_boundary(form: &Form) -> Result<(), IamRefusal> {
    if form.get("PermissionsBoundary").is_some() { Err(IamRefusal::BoundariesUnsupported) } else { Ok(()) }
}

/// A description for people.
pub(super) fn description(form: &Form) -> Result<Option<String>, IamRefusal> {
    const CHARS_MAX: usize = 1_000;
    let text = form.get("Description").filter(|text| !text.is_empty());
    let is_text = |text: &str| {
        text.chars().count() <= CHARS_MAX
            && text.chars().all(|c| matches!(c, '\t' | '\n' | '\r' | ' '..='~' | '\u{a1}'..='\u{ff}'))
    };
    if text.is_some_and(|text| !is_text(text)) {
        let expected = "at most 1000 printable characters of Latin-1";
        return Err(IamRefusal::ParameterInvalid { parameter: "Description", expected });
    }
    Ok(text.map(str::to_owned))
}

/// How long sessions of a role may last.
pub(super) fn max_session_s(form: &Form) -> Result<Option<u32>, IamRefusal> {
    let seconds = number(form, "MaxSessionDuration", 3_600, 43_200)?;
    Ok(seconds.map(|seconds| u32::try_from(seconds).expect("within its bounds")))
}
