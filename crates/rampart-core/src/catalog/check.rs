//! What a catalog entry must be by itself, and how its pattern goes with those of others.

use std::collections::{BTreeSet, HashSet};

use rampart_aws::Arn;
use rampart_policy::Template;

use super::file::{CATALOG_LEN_MAX, CatalogError};
use super::place::Place;
use super::{Catalog, ManagedPermission, ManagedVersion, ResourceType, parse_time, whole_pattern};
use crate::permission::is_name;

/// The longest time to answer an invitation, in hours: a year.
const INVITATION_HOURS_MAX: i64 = 365 * 24;

/// What is wrong with a catalog file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CatalogFault {
    /// The text is longer than a catalog can be.
    #[error("the file is longer than {CATALOG_LEN_MAX} bytes")]
    TooLong,
    /// It is no JSON, or has a member that is unknown, missing or of another type.
    #[error("{0}")]
    Form(String),
    /// The name of a type is not `service:Type`.
    #[error(
        "`{0}` is not the name of a resource type: that is a service, a colon and a name, such as acme:Cluster"
    )]
    TypeName(String),
    /// Two entries of one name, or of names that differ in letter case alone.
    #[error("`{0}` is in the catalog already, or differs in letter case alone")]
    Repeated(String),
    /// `serviceName` is not the first part of the type's name.
    #[error("serviceName is the first part of the type's name, `{0}`")]
    ServiceName(String),
    /// The time to answer an invitation is out of bounds.
    #[error("invitationExpiryHours is between 1 and {INVITATION_HOURS_MAX}")]
    InvitationHours,
    /// A pattern does not compile.
    #[error("the pattern does not compile: {0}")]
    Pattern(String),
    /// The example is no ARN, or the catalog does not take it for a resource of this type.
    #[error("the example is not recognised as a resource of the type: {0}")]
    Example(String),
    /// A pattern that covers resources of another type.
    #[error("the pattern takes the resources of {0}")]
    TakesOthers(String),
    /// A list that must name something names nothing.
    #[error("the list is empty")]
    EmptyList,
    /// A list names something twice.
    #[error("`{0}` is there twice")]
    Twice(String),
    /// The text is not the name of an action.
    #[error("`{0}` is not an action: that is a service, a colon and a name, such as acme:Connect")]
    Action(String),
    /// Actions of permissions that nobody may make.
    #[error("the type does not say supportsCustomerManagedPermissions, which these actions are for")]
    ActionsOfNone,
    /// The name of a permission is not one.
    #[error("`{0}` is not the name of a permission: letters, digits, `_`, `.` and `-`")]
    PermissionName(String),
    /// The ARN is another permission's.
    #[error("the permission's arn is {0}")]
    PermissionArn(String),
    /// A permission of a type that is not in the catalog.
    #[error("there is no resource type `{0}`")]
    UnknownType(String),
    /// A permission that comes with rampart keeps its type.
    #[error("the permission is for {0}")]
    OtherType(String),
    /// A type's default that is not there, or for another type.
    #[error("there is no permission `{0}` for the type")]
    UnknownDefault(String),
    /// Two permissions that are both the default of a type.
    #[error("another permission is the default of {0}")]
    SecondDefault(String),
    /// A version's number is not a number from one to the default version's, or there twice.
    #[error(
        "`{0}` is not the number of a version: versions go from 1 to the default version, each is there once"
    )]
    VersionNumber(String),
    /// A version says of itself what `defaultVersion` does not.
    #[error("the default version is {0}")]
    NotDefault(u32),
    /// The actions are not those of the statements.
    #[error("beside statements, actions are those of all statements")]
    OtherActions,
    /// The default version allows nothing.
    #[error("the default version has neither actions nor statements")]
    NoDefaultVersion,
    /// What a version allows is no permission template.
    #[error("version {version} is not a permission: {reason}")]
    Template {
        /// Which version.
        version: u32,
        /// Why.
        reason: String,
    },
    /// A time that is none.
    #[error("`{0}` is not a time such as 2026-01-31T12:00:00.000Z")]
    Time(String),
}

/// Checks a type by itself.
pub(super) fn check_type(entry: &ResourceType, place: Place<'_>) -> Result<(), CatalogError> {
    let check = |holds: bool, member, fault: CatalogFault| {
        if holds { Ok(()) } else { Err(place.fault(member, fault)) }
    };
    let is_word = |text: &str| {
        !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
    };
    let name = &entry.name;
    let (service, noun) = name.split_once(':').unwrap_or_default();
    check(is_word(service) && is_word(noun), "resourceType", CatalogFault::TypeName(name.clone()))?;
    check(entry.service_name == service, "serviceName", CatalogFault::ServiceName(service.to_owned()))?;
    let hours = (1..=INVITATION_HOURS_MAX).contains(&entry.invitation_expiry_hours);
    check(hours, "invitationExpiryHours", CatalogFault::InvitationHours)?;
    let pattern = |member, text: &str| {
        whole_pattern(text).map_err(|error| place.fault(member, CatalogFault::Pattern(error.to_string())))
    };
    pattern("arnPattern", &entry.arn_pattern)?;
    if let Some(except) = &entry.arn_pattern_except {
        pattern("arnPatternExcept", except)?;
    }
    if let Some(actions) = &entry.customer_managed_permission_actions {
        let path = "customerManagedPermissionActions";
        check(entry.supports_customer_managed_permissions, path, CatalogFault::ActionsOfNone)?;
        check_list(actions, path, place)?;
        let is_action = |text: &str| {
            let (service, name) = text.split_once(':').unwrap_or_default();
            is_word(service) && !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric())
        };
        if let Some((number, action)) = actions.iter().enumerate().find(|(_, action)| !is_action(action)) {
            return Err(place.fault(&format!("{path}.{number}"), CatalogFault::Action(action.clone())));
        }
    }
    Ok(())
}

/// Refuses a list of actions that is empty, or has one twice: letter case does not tell actions apart.
fn check_list(list: &[String], path: &str, place: Place<'_>) -> Result<(), CatalogError> {
    if list.is_empty() {
        return Err(place.fault(path, CatalogFault::EmptyList));
    }
    let mut seen = HashSet::new();
    match list.iter().enumerate().find(|(_, text)| !seen.insert(text.to_ascii_lowercase())) {
        None => Ok(()),
        Some((number, text)) => {
            Err(place.fault(&format!("{path}.{number}"), CatalogFault::Twice(text.clone())))
        }
    }
}

/// Checks a permission by itself.
pub(super) fn check_permission(entry: &ManagedPermission, place: Place<'_>) -> Result<(), CatalogError> {
    let name = &entry.name;
    if !is_name(name) {
        return Err(place.fault("name", CatalogFault::PermissionName(name.clone())));
    }
    let arn = format!("arn:aws:ram::aws:permission/{name}");
    if entry.arn.as_ref().is_some_and(|text| *text != arn) {
        return Err(place.fault("arn", CatalogFault::PermissionArn(arn)));
    }
    for (member, text) in
        [("creationTime", &entry.creation_time), ("lastUpdatedTime", &entry.last_updated_time)]
    {
        if let Some(text) = text.as_ref().filter(|text| parse_time(text).is_none()) {
            return Err(place.fault(member, CatalogFault::Time(text.clone())));
        }
    }
    check_versions(entry, place)
}

fn check_versions(entry: &ManagedPermission, place: Place<'_>) -> Result<(), CatalogError> {
    let number =
        |text: &str| text.parse::<u32>().ok().filter(|number| *number > 0 && number.to_string() == text);
    let wrong = |path: &str, text: &str| Err(place.fault(path, CatalogFault::VersionNumber(text.to_owned())));
    if let Some(text) = entry.default_version.as_deref().filter(|text| number(text).is_none()) {
        return wrong("defaultVersion", text);
    }
    let default = entry.default_version();
    let mut seen = HashSet::new();
    for (at, version) in entry.versions.iter().enumerate() {
        let path = format!("versions.{at}");
        let text = version.version.clone().unwrap_or_else(|| default.to_string());
        let number = number(&text).filter(|number| *number <= default && seen.insert(*number));
        let Some(number) = number else { return wrong(&format!("{path}.version"), &text) };
        if version.is_default.is_some_and(|is_default| is_default != (number == default)) {
            return Err(place.fault(&format!("{path}.isDefault"), CatalogFault::NotDefault(default)));
        }
        check_actions(version, &path, place)?;
        check_templates(entry, number, &path, place)?;
    }
    if entry.templates(default).is_none() {
        return Err(place.fault("versions", CatalogFault::NoDefaultVersion));
    }
    Ok(())
}

/// Checks the lists of a version.
fn check_actions(version: &ManagedVersion, path: &str, place: Place<'_>) -> Result<(), CatalogError> {
    for (member, list) in [("actions", &version.actions), ("actionsInferred", &version.actions_inferred)] {
        if let Some(list) = list {
            check_list(list, &format!("{path}.{member}"), place)?;
        }
    }
    let Some(statements) = &version.statements else { return Ok(()) };
    if statements.is_empty() {
        return Err(place.fault(&format!("{path}.statements"), CatalogFault::EmptyList));
    }
    for (number, statement) in statements.iter().enumerate() {
        check_list(&statement.actions, &format!("{path}.statements.{number}.actions"), place)?;
    }
    let of_statements: BTreeSet<_> = statements.iter().flat_map(|statement| &statement.actions).collect();
    match &version.actions {
        Some(actions) if actions.iter().collect::<BTreeSet<_>>() != of_statements => {
            Err(place.fault(&format!("{path}.actions"), CatalogFault::OtherActions))
        }
        _ => Ok(()),
    }
}

fn check_templates(
    entry: &ManagedPermission,
    version: u32,
    path: &str,
    place: Place<'_>,
) -> Result<(), CatalogError> {
    for text in entry.templates(version).unwrap_or_default() {
        let reason = match Template::parse(&text) {
            // Only customer managed permissions declare parameters.
            Ok(template) => {
                template.placeholders().next().map(|name| format!("there is no parameter `{name}`"))
            }
            Err(error) => Some(error.to_string()),
        };
        if let Some(reason) = reason {
            return Err(place.fault(path, CatalogFault::Template { version, reason }));
        }
    }
    Ok(())
}

/// Checks that every type still recognises its own resources: a pattern of the file must not take those of another type.
pub(super) fn check_examples(catalog: &Catalog, added: &[(String, Place<'_>)]) -> Result<(), CatalogError> {
    let place_of = |name: &str| added.iter().find(|(added, _)| added == name).map(|(_, place)| *place);
    for entry in catalog.types() {
        let example = &entry.example_arn;
        let found = Arn::parse(example).ok().and_then(|arn| catalog.type_of(&arn));
        let found = found.map(|found| found.name.as_str());
        if found == Some(&entry.name) {
            continue;
        }
        if let Some(place) = place_of(&entry.name) {
            return Err(place.fault("exampleArn", CatalogFault::Example(example.clone())));
        }
        if let Some(place) = found.and_then(place_of) {
            return Err(place.fault("arnPattern", CatalogFault::TakesOthers(entry.name.clone())));
        }
    }
    Ok(())
}
