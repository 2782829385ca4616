//! The catalog of what can be shared: resource types, and how an ARN tells its type (reference: the catalog, §4).
//!
//! One comes with rampart; an operator's own file adds to it ([`file`]).

mod check;
mod condition;
pub mod file;
mod place;

use std::collections::HashMap;
use std::sync::{LazyLock, OnceLock};

use rampart_aws::Arn;
use rampart_aws::timestamp::TimestampMs;
use regex_lite::Regex;
use serde::Deserialize;

use crate::timing::HOUR_MS;
pub use check::CatalogFault;
pub use file::CatalogError;

const EMBEDDED: &str = include_str!("../data/catalog.json");
/// Types whose invitations last this long are the older generation: they can also be left (reference §5.1, §5.5).
const LONG_INVITATION_HOURS: i64 = 7 * 24;

/// A type of resource that can be shared.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "the columns of AWS's table")]
pub struct ResourceType {
    /// `service:Type` as AWS prints it.
    #[serde(rename = "resourceType")]
    pub name: String,
    /// The prefix of the type's name.
    pub service_name: String,
    /// Global resources live in shares of the partition's home Region only.
    #[serde(rename = "resourceRegionScope")]
    pub region_scope: RegionScope,
    /// Whether it may be shared with accounts outside the organization.
    pub can_share_externally: bool,
    /// Whether it may be shared with IAM roles and users; unknown counts as yes.
    #[serde(default = "yes")]
    pub can_share_with_iam_principals: bool,
    /// Whether it may be shared with service principals; unknown counts as no.
    #[serde(default)]
    pub can_share_with_service_principals: bool,
    /// Whether accounts may make permissions of their own for it; unknown counts as no.
    #[serde(default)]
    pub supports_customer_managed_permissions: bool,
    /// The actions that such a permission may allow, where they are published.
    customer_managed_permission_actions: Option<Vec<String>>,
    default_permission: Option<String>,
    likely_default_permission: Option<String>,
    invitation_expiry_hours: i64,
    arn_pattern: String,
    arn_pattern_except: Option<String>,
    #[serde(skip)]
    compiled: OnceLock<Compiled>,
    /// A resource of the type, by which the pattern is checked.
    example_arn: String,
    // For people who read the file.
    #[serde(rename = "displayName")]
    _display_name: Option<String>,
    #[serde(rename = "restrictions")]
    _restrictions: Option<Vec<String>>,
    #[serde(rename = "inferredDefaultActions")]
    _inferred_default_actions: Option<Vec<String>>,
}

/// Where resources of a type live.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum RegionScope {
    /// In one Region.
    Regional,
    /// Everywhere.
    Global,
}

impl RegionScope {
    /// The wire's spelling.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Regional => "REGIONAL",
            Self::Global => "GLOBAL",
        }
    }
}

/// A permission that AWS manages. It cannot be changed; a new default version comes with a new catalog.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ManagedPermission {
    /// The last part of its ARN.
    pub name: String,
    /// `service:Type`.
    pub resource_type: String,
    /// Whether it is attached when a resource comes into a share that has no permission for the type. Unknown: no.
    #[serde(default)]
    pub is_resource_type_default: bool,
    #[serde(default)]
    default_version: Option<String>,
    creation_time: Option<String>,
    last_updated_time: Option<String>,
    versions: Vec<ManagedVersion>,
    // What follows from the rest, and is shown by a dump of AWS's own.
    arn: Option<String>,
    #[serde(rename = "permissionType")]
    _permission_type: Option<AwsManaged>,
    #[serde(rename = "status")]
    _status: Option<Attachable>,
}

/// The one kind of permission that a catalog holds.
#[derive(Debug, Deserialize)]
enum AwsManaged {
    #[serde(rename = "AWS_MANAGED")]
    It,
}

/// The one status of a permission in a catalog.
#[derive(Debug, Deserialize)]
enum Attachable {
    #[serde(rename = "ATTACHABLE")]
    It,
}

/// One version of a permission that AWS manages. Beside statements `actions` are those of all of them.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ManagedVersion {
    /// Not known for some, which are then the default.
    version: Option<String>,
    actions: Option<Vec<String>>,
    statements: Option<Vec<ManagedStatement>>,
    actions_inferred: Option<Vec<String>>,
    // Of no use to the server: the list is not complete.
    #[serde(rename = "actionsKnownPartial")]
    _actions_known_partial: Option<Vec<String>>,
    is_default: Option<bool>,
}

/// Statements where one permission makes more than one.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ManagedStatement {
    #[serde(rename = "effect")]
    _effect: Allow,
    actions: Vec<String>,
    #[serde(default, deserialize_with = "condition::read")]
    condition: Option<serde_json::Value>,
}

/// The one effect of a permission.
#[derive(Debug, Deserialize)]
enum Allow {
    Allow,
}

impl ManagedPermission {
    /// The version that can be attached. Where it was never seen, 1 is the best guess (catalog §2).
    pub fn default_version(&self) -> u32 {
        self.default_version.as_deref().and_then(|version| version.parse().ok()).unwrap_or(1)
    }

    /// The numbers of its versions, ascending.
    pub fn versions(&self) -> impl Iterator<Item = u32> {
        1..=self.default_version()
    }

    /// Whether a source states what its default version allows; if not, the actions are inferred.
    pub fn is_documented(&self) -> bool {
        self.version(self.default_version())
            .is_some_and(|version| version.actions.is_some() || version.statements.is_some())
    }

    /// When it was published, where that is known; the catalog's date where it is not.
    pub fn created(&self) -> TimestampMs {
        self.creation_time.as_deref().and_then(parse_time).unwrap_or(UNKNOWN_TIME)
    }

    /// When it was last published anew.
    pub fn updated(&self) -> TimestampMs {
        self.last_updated_time.as_deref().and_then(parse_time).unwrap_or_else(|| self.created())
    }

    /// The services whose actions it allows, as far as they are known.
    fn action_services(&self) -> impl Iterator<Item = &str> {
        let actions = self.versions.iter().flat_map(|version| {
            let of_statements = version.statements.iter().flatten().flat_map(|statement| &statement.actions);
            let of_version = version.actions.iter().chain(&version.actions_inferred).flatten();
            of_statements.chain(of_version)
        });
        actions.filter_map(|action| action.split_once(':').map(|(service, _)| service))
    }

    /// The text of a version as GetPermission gives it; `None` when the catalog does not know it.
    // AWS: whether several statements come as one object is not known (catalog §2); a list shows what they are.
    pub fn policy_template(&self, version: u32) -> Option<String> {
        let mut statements = self.statements(version)?;
        match statements.len() {
            1 => statements.pop().map(|statement| statement.to_string()),
            _ => Some(serde_json::Value::from(statements).to_string()),
        }
    }

    /// The text of each statement of a version. Actions that no source states are inferred from the service's
    /// authorization reference.
    pub fn templates(&self, version: u32) -> Option<Vec<String>> {
        Some(self.statements(version)?.iter().map(serde_json::Value::to_string).collect())
    }

    fn version(&self, version: u32) -> Option<&ManagedVersion> {
        let number = version.to_string();
        self.versions.iter().find(|entry| match &entry.version {
            Some(text) => *text == number,
            None => version == self.default_version(),
        })
    }

    fn statements(&self, version: u32) -> Option<Vec<serde_json::Value>> {
        let version = self.version(version)?;
        let statement = |actions: &[String], condition: Option<&serde_json::Value>| {
            let mut statement = serde_json::json!({"Effect": "Allow", "Action": actions});
            if let Some(condition) = condition {
                statement["Condition"] = condition.clone();
            }
            statement
        };
        if let Some(statements) = version.statements.as_deref().filter(|statements| !statements.is_empty()) {
            return Some(statements.iter().map(|s| statement(&s.actions, s.condition.as_ref())).collect());
        }
        let actions = version.actions.as_deref().or(version.actions_inferred.as_deref())?;
        Some(vec![statement(actions, None)])
    }
}

/// The catalog's own date: what is shown where a permission's time is not known. 2026-11-21.
const UNKNOWN_TIME: TimestampMs = TimestampMs(1_795_219_200_000);

/// `2022-06-30T20:04:13.290Z`
fn parse_time(text: &str) -> Option<TimestampMs> {
    TimestampMs::parse_rfc3339(text)
}

#[derive(Debug)]
struct Compiled {
    pattern: Regex,
    except: Option<Regex>,
}

/// All types, found by ARN or by name.
#[derive(Debug)]
pub struct Catalog {
    types: Vec<ResourceType>,
    permissions: Vec<ManagedPermission>,
    permission_by_name: HashMap<String, usize>,
    defaults: HashMap<String, usize>,
    /// By service and first word of the resource: a pattern costs too much to be tried on what it cannot match.
    by_arn: HashMap<String, Vec<usize>>,
    by_name: HashMap<String, usize>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct CatalogFile {
    resource_types: Vec<ResourceType>,
    permissions: Vec<ManagedPermission>,
}

impl CatalogFile {
    fn embedded() -> Self {
        serde_json::from_str(EMBEDDED).expect("a test reads the embedded catalog")
    }
}

impl Catalog {
    /// The catalog that comes with rampart.
    pub fn embedded() -> &'static Self {
        static CATALOG: LazyLock<Catalog> = LazyLock::new(|| {
            let file = CatalogFile::embedded();
            Catalog::new(file.resource_types, file.permissions)
        });
        &CATALOG
    }

    /// The catalog that comes with rampart, with the types and permissions of an operator's file in the place of those of
    /// the same names or beside them.
    pub fn with_file(text: &str) -> Result<Self, CatalogError> {
        file::read(CatalogFile::embedded(), text)
    }

    fn new(types: Vec<ResourceType>, permissions: Vec<ManagedPermission>) -> Self {
        let mut by_arn: HashMap<String, Vec<usize>> = HashMap::new();
        let mut by_name = HashMap::new();
        for (index, entry) in types.iter().enumerate() {
            let mut parts = entry.arn_pattern.splitn(6, ':');
            let service = parts.nth(2).unwrap_or_default();
            let resource = parts.nth(2).unwrap_or_default();
            by_arn.entry(arn_key(service, resource)).or_default().push(index);
            by_name.insert(entry.name.to_ascii_lowercase(), index);
        }
        let permission_by_name: HashMap<_, _> =
            permissions.iter().enumerate().map(|(index, entry)| (entry.name.clone(), index)).collect();
        let mut defaults = HashMap::new();
        for entry in &types {
            let default = entry.default_permission.as_ref().or(entry.likely_default_permission.as_ref());
            if let Some(index) = default.and_then(|name| permission_by_name.get(name)) {
                defaults.insert(entry.name.clone(), *index);
            }
        }
        Self { types, permissions, permission_by_name, defaults, by_arn, by_name }
    }

    /// The type of the resource that `arn` names, when it is one that can be shared.
    pub fn type_of(&self, arn: &Arn) -> Option<&ResourceType> {
        let candidates = self.by_arn.get(&arn_key(arn.service(), arn.resource()))?;
        candidates.iter().map(|index| &self.types[*index]).find(|entry| entry.matches(arn.as_str()))
    }

    /// The type of that name. Letter case does not matter (reference §6.4).
    pub fn type_named(&self, name: &str) -> Option<&ResourceType> {
        self.by_name.get(&name.to_ascii_lowercase()).map(|index| &self.types[*index])
    }

    /// Whether a permission for the type may allow `action` (reference §7.3). Where the actions of a type are not
    /// published, those of its service, and of the services that its known permissions allow.
    pub fn supports_action(&self, resource_type: &ResourceType, action: &str) -> bool {
        if let Some(published) = &resource_type.customer_managed_permission_actions {
            return published.iter().any(|known| known.eq_ignore_ascii_case(action));
        }
        let Some((service, name)) = action.split_once(':') else { return false };
        // What a wildcard stands for cannot be held against a list that is not known.
        if name.contains(['*', '?']) {
            return false;
        }
        let of_type = self.permissions.iter().filter(|known| known.resource_type == resource_type.name);
        service.eq_ignore_ascii_case(&resource_type.service_name)
            || of_type
                .flat_map(ManagedPermission::action_services)
                .any(|known| known.eq_ignore_ascii_case(service))
    }

    /// The permission of that name.
    pub fn permission_named(&self, name: &str) -> Option<&ManagedPermission> {
        self.permission_by_name.get(name).map(|index| &self.permissions[*index])
    }

    /// The permission that is attached when none was chosen for a type.
    pub fn default_permission(&self, resource_type: &str) -> Option<&ManagedPermission> {
        self.defaults.get(resource_type).map(|index| &self.permissions[*index])
    }

    /// All permissions in the catalog's order.
    pub fn permissions(&self) -> &[ManagedPermission] {
        &self.permissions
    }

    /// All types in the catalog's order.
    pub fn types(&self) -> &[ResourceType] {
        &self.types
    }
}

impl ResourceType {
    /// How long an invitation to a share that holds this type can be answered.
    pub fn invitation_window_ms(&self) -> i64 {
        self.invitation_expiry_hours * HOUR_MS
    }

    /// Whether the type is of the older generation, with the long invitation and the right to leave.
    pub fn has_long_invitation(&self) -> bool {
        self.invitation_expiry_hours >= LONG_INVITATION_HOURS
    }

    fn matches(&self, arn: &str) -> bool {
        // Compiled on first use: a server answers long before it has met all ninety.
        let compiled = self.compiled.get_or_init(|| {
            let compile = |text: &str| whole_pattern(text).expect("checked when the catalog was read");
            let except = self.arn_pattern_except.as_deref().map(compile);
            Compiled { pattern: compile(&self.arn_pattern), except }
        });
        compiled.pattern.is_match(arn) && !compiled.except.as_ref().is_some_and(|except| except.is_match(arn))
    }
}

/// A pattern stands for whole ARNs, whether or not it says so itself.
fn whole_pattern(text: &str) -> Result<Regex, regex_lite::Error> {
    Regex::new(&format!("^(?:{text})$"))
}

/// Every pattern spells the first word of its resources out, up to a slash, a colon or a group.
fn arn_key(service: &str, resource: &str) -> String {
    let resource = resource.strip_prefix('/').unwrap_or(resource);
    let end = resource.find(|c: char| !c.is_ascii_alphanumeric() && c != '-').unwrap_or(resource.len());
    format!("{service}:{}", &resource[..end])
}

fn yes() -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    struct Example {
        #[serde(rename = "resourceType")]
        name: String,
        #[serde(rename = "exampleArn")]
        arn: String,
    }

    #[derive(Deserialize)]
    struct Examples {
        #[serde(rename = "resourceTypes")]
        types: Vec<Example>,
    }

    #[test]
    fn every_type_recognises_its_example_and_no_other_type_does() {
        let catalog = Catalog::embedded();
        let examples: Examples = serde_json::from_str(EMBEDDED).unwrap();
        assert_eq!(examples.types.len(), 90);
        for example in examples.types {
            let arn = Arn::parse(&example.arn).unwrap();
            let names: Vec<_> =
                catalog.types().iter().filter(|t| t.matches(arn.as_str())).map(|t| &t.name).collect();
            assert_eq!(names, [&example.name], "{}", example.arn);
            assert_eq!(catalog.type_of(&arn).map(|t| &t.name), Some(&example.name), "{}", example.arn);
        }
    }

    #[test]
    fn fourteen_types_have_the_long_invitation() {
        let catalog = Catalog::embedded();
        assert_eq!(catalog.types().iter().filter(|t| t.has_long_invitation()).count(), 14);
        assert!(catalog.type_named("EC2:transitgateway").unwrap().has_long_invitation());
        assert!(!catalog.type_named("imagebuilder:Component").unwrap().has_long_invitation());
    }

    #[test]
    fn every_permission_has_a_known_type_and_a_text_of_its_default_version() {
        let catalog = Catalog::embedded();
        assert_eq!(catalog.permissions().len(), 132);
        for permission in catalog.permissions() {
            assert!(catalog.type_named(&permission.resource_type).is_some(), "{}", permission.name);
            let templates = permission.templates(permission.default_version()).unwrap();
            for text in templates {
                let template = rampart_policy::Template::parse(&text);
                assert!(template.is_ok_and(|template| !template.actions().is_empty()), "{}", permission.name);
            }
            assert!(permission.created() <= permission.updated(), "{}", permission.name);
        }
        let defaults =
            catalog.types().iter().filter(|entry| catalog.default_permission(&entry.name).is_some());
        assert_eq!(defaults.count(), 73, "68 known and 5 likely ones");
    }

    #[test]
    fn look_alikes_are_not_shareable() {
        for arn in [
            "arn:aws:aws-marketplace:us-east-1:123456789012:AWSMarketplace/ChangeSet/abc",
            "arn:aws:events:us-east-1:123456789012:event-bus/default",
            "arn:aws:ec2:us-east-1:123456789012:instance/i-0123456789abcdef0",
            "arn:aws:nothing:us-east-1:123456789012:thing/1",
        ] {
            assert!(Catalog::embedded().type_of(&Arn::parse(arn).unwrap()).is_none(), "{arn}");
        }
    }
}
