//! What a catalog entry must be, whichever others there are.

use std::collections::HashSet;

use rampart_policy::Template;

use super::file::{CATALOG_LEN_MAX, CatalogError, Place};
use super::{ManagedPermission, ResourceType, parse_time, whole_pattern};
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
    Ok(())
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
    let wrong = |member, text: &str| Err(place.fault(member, CatalogFault::VersionNumber(text.to_owned())));
    if let Some(text) = entry.default_version.as_deref().filter(|text| number(text).is_none()) {
        return wrong("defaultVersion", text);
    }
    let default = entry.default_version();
    let mut seen = HashSet::new();
    for version in &entry.versions {
        let text = version.version.clone().unwrap_or_else(|| default.to_string());
        match number(&text).filter(|number| *number <= default && seen.insert(*number)) {
            None => return wrong("versions", &text),
            Some(number) => check_templates(entry, number, place)?,
        }
    }
    if entry.templates(default).is_none() {
        return Err(place.fault("versions", CatalogFault::NoDefaultVersion));
    }
    Ok(())
}

fn check_templates(entry: &ManagedPermission, version: u32, place: Place<'_>) -> Result<(), CatalogError> {
    for text in entry.templates(version).unwrap_or_default() {
        let reason = match Template::parse(&text) {
            // Only customer managed permissions declare parameters.
            Ok(template) => {
                template.placeholders().next().map(|name| format!("there is no parameter `{name}`"))
            }
            Err(error) => Some(error.to_string()),
        };
        if let Some(reason) = reason {
            return Err(place.fault("versions", CatalogFault::Template { version, reason }));
        }
    }
    Ok(())
}
