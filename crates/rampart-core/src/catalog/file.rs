//! An operator's own catalog file: read, checked, and put beside the catalog that comes with rampart.
//!
//! The file is JSON of the embedded catalog's form, with any types and permissions that are wanted. What has the name of
//! one that comes with rampart takes its place. A wrong file is refused with the line, the column and the reason.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::check::{CatalogFault, check_examples, check_permission, check_type};
use super::place::Place;
use super::{Catalog, CatalogFile, ManagedPermission, ResourceType};

/// The longest file, in bytes.
pub const CATALOG_LEN_MAX: usize = 16 << 20;

/// Why a catalog file is refused, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {fault}")]
pub struct CatalogError {
    /// From one.
    pub line: usize,
    /// From one, in bytes.
    pub column: usize,
    /// What is wrong there.
    pub fault: CatalogFault,
}

/// Where the entries of a file stand.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Entries<'t> {
    #[serde(borrow)]
    resource_types: Vec<&'t RawValue>,
    #[serde(borrow)]
    permissions: Vec<&'t RawValue>,
}

/// A catalog in the making: a base, and what the file has put into it so far.
struct Merge<'t> {
    catalog: CatalogFile,
    types: Vec<(String, Place<'t>)>,
    permissions: Vec<String>,
    /// Types whose default the file decides.
    decided: BTreeMap<String, Option<String>>,
}

/// The base with the entries of a file in the place of those of the same names, or beside them.
pub(super) fn read(base: CatalogFile, text: &str) -> Result<Catalog, CatalogError> {
    if text.len() > CATALOG_LEN_MAX {
        return Err(CatalogError { line: 1, column: 1, fault: CatalogFault::TooLong });
    }
    let added: CatalogFile = serde_json::from_str(text).map_err(|error| form_error(&error))?;
    let entries: Entries<'_> = serde_json::from_str(text).map_err(|error| form_error(&error))?;
    let mut merge = Merge { catalog: base, types: vec![], permissions: vec![], decided: BTreeMap::new() };
    for (entry, raw) in added.resource_types.into_iter().zip(entries.resource_types) {
        merge.put_type(entry, Place { file: text, entry: raw.get() })?;
    }
    for (entry, raw) in added.permissions.into_iter().zip(entries.permissions) {
        merge.put_permission(entry, Place { file: text, entry: raw.get() })?;
    }
    merge.finish()
}

fn form_error(error: &serde_json::Error) -> CatalogError {
    let text = error.to_string();
    // The place stands in the error's own members.
    let reason = text.rsplit_once(" at line ").map_or(text.as_str(), |(reason, _)| reason);
    let fault = CatalogFault::Form(reason.to_owned());
    CatalogError { line: error.line().max(1), column: error.column().max(1), fault }
}

impl<'t> Merge<'t> {
    fn put_type(&mut self, entry: ResourceType, place: Place<'t>) -> Result<(), CatalogError> {
        check_type(&entry, place)?;
        let repeated = || Err(place.fault("resourceType", CatalogFault::Repeated(entry.name.clone())));
        if self.types.iter().any(|(name, _)| *name == entry.name) {
            return repeated();
        }
        let types = &mut self.catalog.resource_types;
        let known = types.iter().position(|known| known.name.eq_ignore_ascii_case(&entry.name));
        if known.is_some_and(|at| types[at].name != entry.name) {
            return repeated();
        }
        self.types.push((entry.name.clone(), place));
        let default = entry.default_permission.clone().or(entry.likely_default_permission.clone());
        self.decided.insert(entry.name.clone(), default);
        match known {
            Some(at) => types[at] = entry,
            None => types.push(entry),
        }
        Ok(())
    }

    fn put_permission(&mut self, mut entry: ManagedPermission, place: Place<'t>) -> Result<(), CatalogError> {
        check_permission(&entry, place)?;
        let fault = |member: &str, fault: CatalogFault| Err(place.fault(member, fault));
        if self.permissions.contains(&entry.name) {
            return fault("name", CatalogFault::Repeated(entry.name));
        }
        let resource_type = entry.resource_type.clone();
        if !self.catalog.resource_types.iter().any(|known| known.name == resource_type) {
            return fault("resourceType", CatalogFault::UnknownType(resource_type));
        }
        let permissions = &mut self.catalog.permissions;
        let known = permissions.iter().position(|known| known.name == entry.name);
        if let Some(known) =
            known.map(|at| &permissions[at]).filter(|known| known.resource_type != resource_type)
        {
            return fault("resourceType", CatalogFault::OtherType(known.resource_type.clone()));
        }
        if entry.is_resource_type_default {
            let default = self.decided.entry(resource_type.clone()).or_default();
            if default.get_or_insert_with(|| entry.name.clone()) != &entry.name {
                return fault("isResourceTypeDefault", CatalogFault::SecondDefault(resource_type));
            }
        }
        self.permissions.push(entry.name.clone());
        match known {
            Some(at) => {
                // It stays the default of its type, unless the file says which is.
                entry.is_resource_type_default |= permissions[at].is_resource_type_default;
                permissions[at] = entry;
            }
            None => permissions.push(entry),
        }
        Ok(())
    }

    /// Lets types and permissions say the same of defaults, and checks what concerns the whole.
    fn finish(mut self) -> Result<Catalog, CatalogError> {
        self.check_defaults()?;
        for entry in &mut self.catalog.resource_types {
            if let Some(default) = self.decided.get(&entry.name) {
                entry.default_permission.clone_from(default);
            }
        }
        for permission in &mut self.catalog.permissions {
            if let Some(default) = self.decided.get(&permission.resource_type) {
                permission.is_resource_type_default = default.as_ref() == Some(&permission.name);
            }
        }
        let catalog = Catalog::new(self.catalog.resource_types, self.catalog.permissions);
        check_examples(&catalog, &self.types)?;
        Ok(catalog)
    }

    fn check_defaults(&self) -> Result<(), CatalogError> {
        for (name, place) in &self.types {
            let Some(Some(default)) = self.decided.get(name) else { continue };
            let is_it = |known: &&ManagedPermission| known.name == *default && known.resource_type == *name;
            if !self.catalog.permissions.iter().any(|known| is_it(&known)) {
                return Err(place.fault("defaultPermission", CatalogFault::UnknownDefault(default.clone())));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use rampart_aws::Arn;

    use super::*;
    use crate::catalog::EMBEDDED;

    const CLUSTER: &str = r#"{
  "resourceTypes": [
    {
      "resourceType": "acme:Cluster",
      "serviceName": "acme",
      "resourceRegionScope": "REGIONAL",
      "arnPattern": "arn:aws[a-z-]*:acme:[a-z0-9-]+:[0-9]{12}:cluster/[a-z0-9-]+",
      "exampleArn": "arn:aws:acme:eu-west-1:123456789012:cluster/blue",
      "canShareExternally": true,
      "invitationExpiryHours": 12
    }
  ],
  "permissions": [
    {
      "name": "AcmeClusterUse",
      "resourceType": "acme:Cluster",
      "isResourceTypeDefault": true,
      "versions": [{"version": "1", "actions": ["acme:Connect"]}]
    }
  ]
}"#;

    fn refused(text: &str) -> String {
        Catalog::with_file(text).unwrap_err().to_string()
    }

    /// What is said of the file above when one of its texts is another.
    fn altered(from: &str, to: &str) -> String {
        assert!(CLUSTER.contains(from), "{from}");
        refused(&CLUSTER.replacen(from, to, 1))
    }

    #[test]
    fn a_type_of_ones_own_is_found_by_arn_and_has_its_default() {
        let catalog = Catalog::with_file(CLUSTER).unwrap();
        let arn = |text: &str| Arn::parse(text).unwrap();
        let cluster = arn("arn:aws:acme:us-east-1:111111111111:cluster/green");
        assert_eq!(catalog.type_of(&cluster).unwrap().name, "acme:Cluster");
        // A pattern is for whole ARNs, though this one does not say so.
        assert!(catalog.type_of(&arn("arn:aws:acme:us-east-1:111111111111:cluster/green/x")).is_none());
        let default = catalog.default_permission("acme:Cluster").unwrap();
        assert_eq!((default.name.as_str(), default.default_version()), ("AcmeClusterUse", 1));
        assert_eq!(catalog.types().len(), Catalog::embedded().types().len() + 1);
        assert_eq!(catalog.permissions().len(), Catalog::embedded().permissions().len() + 1);
    }

    #[test]
    fn the_embedded_catalog_is_such_a_file_and_an_empty_one_changes_nothing() {
        for text in [EMBEDDED, "{}"] {
            let catalog = Catalog::with_file(text).unwrap();
            assert_eq!(catalog.types().len(), Catalog::embedded().types().len());
            for permission in Catalog::embedded().permissions() {
                let found = catalog.permission_named(&permission.name).unwrap();
                let default = catalog.default_permission(&permission.resource_type);
                assert_eq!(found.policy_template(1), permission.policy_template(1));
                let embedded = Catalog::embedded().default_permission(&permission.resource_type);
                assert_eq!(default.map(|default| &default.name), embedded.map(|default| &default.name));
            }
        }
    }

    #[test]
    fn a_permission_replaces_the_one_of_its_name_and_may_become_the_default() {
        let file = r#"{"permissions": [
            {"name": "AWSRAMDefaultPermissionTransitGateway", "resourceType": "ec2:TransitGateway",
             "isResourceTypeDefault": true, "defaultVersion": "2",
             "versions": [{"version": "1"}, {"version": "2", "actions": ["ec2:DescribeTransitGateways"]}]},
            {"name": "Firewalls", "resourceType": "network-firewall:Firewall", "isResourceTypeDefault": true,
             "versions": [{"actions": ["network-firewall:DescribeFirewall"]}]}]}"#;
        let catalog = Catalog::with_file(file).unwrap();
        let gateway = catalog.default_permission("ec2:TransitGateway").unwrap();
        let text = r#"{"Action":["ec2:DescribeTransitGateways"],"Effect":"Allow"}"#;
        assert_eq!((gateway.policy_template(2).as_deref(), gateway.policy_template(1)), (Some(text), None));
        assert!(Catalog::embedded().default_permission("network-firewall:Firewall").is_none());
        assert_eq!(catalog.default_permission("network-firewall:Firewall").unwrap().name, "Firewalls");
        let defaults =
            |p: &&ManagedPermission| p.resource_type == "ec2:TransitGateway" && p.is_resource_type_default;
        assert_eq!(catalog.permissions().iter().filter(defaults).count(), 1);
    }

    #[test]
    fn a_replaced_default_stays_the_default() {
        let file = r#"{"permissions": [{"name": "AWSRAMDefaultPermissionTransitGateway",
            "resourceType": "ec2:TransitGateway", "versions": [{"actions": ["ec2:Use"]}]}]}"#;
        let catalog = Catalog::with_file(file).unwrap();
        let gateway = catalog.default_permission("ec2:TransitGateway").unwrap();
        assert!(gateway.is_resource_type_default && gateway.policy_template(1).unwrap().contains("ec2:Use"));
    }

    #[test]
    fn a_type_replaces_the_one_of_its_name() {
        let mut file = CLUSTER.replace("acme:Cluster", "ec2:Subnet").replace(r#""acme","#, r#""ec2","#);
        file =
            file.replace(":acme:", ":ec2:").replace("cluster/", "subnet/").replace("acme:Connect", "ec2:Use");
        let catalog = Catalog::with_file(&file).unwrap();
        assert_eq!(catalog.types().len(), Catalog::embedded().types().len());
        assert!(catalog.type_named("ec2:Subnet").unwrap().can_share_externally);
        let old = catalog.permission_named("AWSRAMDefaultPermissionSubnet").unwrap();
        assert!(!old.is_resource_type_default, "the file says which is the default");
        assert_eq!(catalog.default_permission("ec2:Subnet").unwrap().name, "AcmeClusterUse");
    }

    #[test]
    fn what_is_no_catalog_is_refused_where_it_goes_wrong() {
        for (from, to, said) in [
            (
                r#""serviceName": "acme","#,
                r#""serviceName": "acme""#,
                "line 6, column 7: expected `,` or `}`",
            ),
            (
                "canShareExternally",
                "canShareExternaly",
                "line 9, column 25: unknown field `canShareExternaly`",
            ),
            ("\"permissions\"", "\"permission\"", "line 13, column 14: unknown field `permission`"),
            (
                "true,\n      \"invitation",
                "\"yes\",\n      \"invitation",
                "line 9, column 33: invalid type: string",
            ),
            ("\"REGIONAL\"", "\"LOCAL\"", "line 6, column 36: unknown variant `LOCAL`"),
            ("      \"name\": \"AcmeClusterUse\",\n", "", "missing field `name`"),
            ("\"version\": \"1\"", "\"version\": 1", "line 18, column 32: invalid type: integer"),
            ("\"actions\"", "\"action\"", "unknown field `action`"),
        ] {
            let found = altered(from, to);
            assert!(found.starts_with("line ") && found.contains(said), "{from}: {found}");
        }
        assert_eq!(refused(""), "line 1, column 1: EOF while parsing a value");
        assert!(refused(&" ".repeat(CATALOG_LEN_MAX + 1)).contains("longer"));
    }

    #[test]
    fn what_does_not_go_together_is_refused_with_its_place() {
        for (from, to, said) in [
            (
                "acme:Cluster",
                "acmeCluster",
                "line 4, column 23: `acmeCluster` is not the name of a resource type",
            ),
            ("acme:Cluster", "ACME:Cluster", "line 5, column 22: serviceName is the first part"),
            ("\"serviceName\": \"acme\"", "\"serviceName\": \"acm\"", "line 5, column 22: serviceName"),
            (
                "\"invitationExpiryHours\": 12",
                "\"invitationExpiryHours\": 0",
                "line 10, column 32: invitation",
            ),
            ("cluster/[a-z0-9-]+", "cluster/[a-z", "line 7, column 21: the pattern does not compile"),
            (
                "123456789012:cluster/blue",
                "123456789012:cluster/BLUE",
                "line 8, column 21: the example is not",
            ),
            ("\"exampleArn\": \"arn:", "\"exampleArn\": \"", "line 8, column 21: the example is not"),
            (":cluster/[", ":(?:cluster)/[", "line 8, column 21: the example is not"),
            ("AcmeClusterUse", "Acme Use", "line 15, column 15: `Acme Use` is not the name of a permission"),
            (
                "AcmeClusterUse",
                "AWSRAMDefaultPermissionSubnet",
                "line 16, column 23: the permission is for ec2:Subnet",
            ),
            (
                "\"resourceType\": \"acme:Cluster\",\n      \"isR",
                "\"resourceType\": \"acme:X\",\n      \"isR",
                "line 16, column 23: there is no resource type `acme:X`",
            ),
            (
                "\"invitationExpiryHours\": 12",
                "\"invitationExpiryHours\": 12, \"defaultPermission\": \"Other\"",
                "line 17, column 32: another permission is the default of acme:Cluster",
            ),
            (
                "[{\"version\"",
                "[{\"version\": \"1\"}, {\"version\"",
                "line 18, column 50: `1` is not the number of a version",
            ),
            (
                "\"version\": \"1\"",
                "\"version\": \"2\"",
                "line 18, column 32: `2` is not the number of a version",
            ),
            (
                "\"actions\": [\"acme:Connect\"]",
                "\"isDefault\": true",
                "line 18, column 19: the default version has neither",
            ),
            ("acme:Connect", "Connect", "line 18, column 20: version 1 is not a permission: "),
            (
                "\"versions\"",
                "\"arn\": \"x\", \"versions\"",
                "line 18, column 14: the permission's arn is arn:aws:ram::aws:permission/AcmeClusterUse",
            ),
            (
                "\"versions\"",
                "\"creationTime\": \"now\", \"versions\"",
                "line 18, column 23: `now` is not a time",
            ),
        ] {
            let found = altered(from, to);
            assert!(found.contains(said), "{to}: {found}");
        }
        let without = CLUSTER.replace("\"isResourceTypeDefault\": true,", "");
        let named = without.replace("Hours\": 12", "Hours\": 12, \"defaultPermission\": \"Other\"");
        assert!(refused(&named).contains("line 10, column 57: there is no permission `Other` for the type"));
        assert!(Catalog::with_file(&named.replace("Other", "AcmeClusterUse")).is_ok());
        assert!(Catalog::with_file(&without).unwrap().default_permission("acme:Cluster").is_none());
    }

    #[test]
    fn no_entry_is_there_twice() {
        let file: serde_json::Value = serde_json::from_str(CLUSTER).unwrap();
        for list in ["resourceTypes", "permissions"] {
            let mut twice = file.clone();
            let entry = file[list][0].clone();
            twice[list].as_array_mut().unwrap().push(entry);
            assert!(refused(&twice.to_string()).contains("is in the catalog already"), "{list}");
        }
        let other_case =
            CLUSTER.replacen("acme:Cluster", "ec2:SUBNET", 1).replacen(r#""acme""#, r#""ec2""#, 1);
        assert!(
            refused(&other_case).starts_with("line 4, column 23: `ec2:SUBNET` is in the catalog already")
        );
    }

    #[test]
    fn conditions_are_those_of_permissions() {
        let with = |condition: &str| {
            let statements = format!(
                r#""statements": [{{"effect": "Allow", "actions": ["acme:Connect"], "condition": {condition}}}]"#
            );
            CLUSTER.replace(r#""actions": ["acme:Connect"]"#, &statements)
        };
        assert!(
            Catalog::with_file(&with(r#"{"StringEquals": {"acme:Tier": "${aws:PrincipalTag/tier}"}}"#))
                .is_ok()
        );
        for condition in [
            r#"{"StringEquals": {"aws:PrincipalAccount": "1"}}"#,
            r#"{"StringNotEquals": {"acme:Tier": "1"}}"#,
            r#"{"StringEquals": {"acme:Tier": "@{tier}"}}"#,
            r#"{"Equals": {"acme:Tier": "1"}}"#,
        ] {
            assert!(refused(&with(condition)).contains("version 1 is not a permission"), "{condition}");
        }
    }
}
