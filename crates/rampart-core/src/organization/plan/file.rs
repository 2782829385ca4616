//! A whole organization as it stands in a file.

use rampart_aws::AccountId;
use serde::{Deserialize, Serialize};

use super::Tags;

/// An organization as a file says it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OrganizationFile {
    /// Who decides for it.
    pub management_account: AccountEntry,
    /// Its id; a new one when there is none and the organization is made now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// `ALL` unless said otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub feature_set: Option<String>,
    /// Services with trusted access.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trusted_services: Option<Vec<String>>,
    /// Whether RAM shares within it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sharing: Option<bool>,
    /// Whether service control policies are in force; as it is, unless some are attached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policies_enabled: Option<bool>,
    /// Service control policies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policies: Option<Vec<PolicyEntry>>,
    /// The root.
    #[serde(default)]
    pub root: Node,
}

/// A service control policy.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PolicyEntry {
    /// Its id; a new one when there is none and it is made now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Its name, by which it is attached.
    pub name: String,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The document, or its text.
    pub content: serde_json::Value,
    /// Its tags.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<Tags>,
}

/// The root or a unit, with what stands in it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Node {
    /// Its id; a new one when there is none and it is made now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// A unit's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The names of the policies that are attached to it, besides AWS's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policies: Option<Vec<String>>,
    /// Whether AWS's policy is attached to it, which allows everything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub full_access: Option<bool>,
    /// Its tags.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tags: Option<Tags>,
    /// The accounts in it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub accounts: Vec<AccountEntry>,
    /// The units in it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub units: Vec<Node>,
}

/// An account.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AccountEntry {
    /// Its id.
    pub id: AccountId,
    /// Its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its root user's address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// The names of the policies that are attached to it, besides AWS's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policies: Option<Vec<String>>,
    /// Whether AWS's policy is attached to it, which allows everything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub full_access: Option<bool>,
    /// Its tags.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<Tags>,
}

impl AccountEntry {
    /// An account of which only the id is said.
    pub fn new(id: AccountId) -> Self {
        Self { id, name: None, email: None, policies: None, full_access: None, tags: None }
    }
}

/// All accounts of a file, the management account first.
pub fn accounts_of(file: &OrganizationFile) -> Vec<AccountId> {
    fn of_node(node: &Node, found: &mut Vec<AccountId>) {
        found.extend(node.accounts.iter().map(|account| account.id));
        node.units.iter().for_each(|unit| of_node(unit, found));
    }
    let mut found = vec![file.management_account.id];
    of_node(&file.root, &mut found);
    found
}
