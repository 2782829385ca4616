//! Permissions: AWS's, an account's own with their versions, and those in shares (reference §3.5, §7, §10.16–10.31).

use serde_json::{Value, json};

use crate::share::Origin;
use crate::world::{Answer, Caller, Codes, HOUR, Moment, World, allows, done, refused, text, texts, unless};

/// Of AWS's permissions for the types: the default of each first.
pub(crate) const MANAGED: [(&str, &str, i64); 6] = [
    ("AWSRAMDefaultPermissionTransitGateway", "ec2:TransitGateway", 1),
    ("AWSRAMDefaultPermissionImageBuilderComponent", "imagebuilder:Component", 1),
    ("AWSRAMDefaultPermissionCertificateAuthority", "acm-pca:CertificateAuthority", 1),
    ("AWSRAMDefaultPermissionSubnet", "ec2:Subnet", 1),
    ("AWSRAMDefaultPermissionsNetworkManagerCoreNetwork", "networkmanager:CoreNetwork", 3),
    ("AWSRAMRevokeCertificateCertificateAuthority", "acm-pca:CertificateAuthority", 1),
];

/// The one type of these that customers may write permissions for.
pub(crate) const CUSTOM_TYPE: &str = "imagebuilder:Component";

pub(crate) const VERSIONS_MAX: usize = 3;
pub(crate) const OF_TYPE_MAX: usize = 2;

#[derive(Clone, Debug)]
pub(crate) struct Permission {
    pub(crate) owner: String,
    pub(crate) region: String,
    name: String,
    pub(crate) default: i64,
    versions: Vec<Version>,
    /// Made of a policy: it cannot be changed or attached.
    pub(crate) made: bool,
    /// Whether its text is as its owner wrote it.
    verbatim: bool,
    pub(crate) deprecated: bool,
    tags: Vec<Value>,
    deleted: Option<i64>,
}

#[derive(Clone, Debug)]
struct Version {
    number: i64,
    text: String,
    created: i64,
    deleted: Option<i64>,
}

impl Permission {
    pub(crate) fn arn(&self) -> String {
        format!("arn:aws:ram:{}:{}:permission/{}", self.region, self.owner, self.name)
    }

    /// Of one that was made of a policy: `<made-3>`.
    pub(crate) fn label(&self) -> String {
        self.name.clone()
    }

    /// Whether it can come into a share.
    pub(crate) fn can_be_chosen(&self) -> bool {
        self.deleted.is_none() && !self.deprecated && !self.made
    }

    fn feature_set(&self) -> &'static str {
        if self.made { "CREATED_FROM_POLICY" } else { "STANDARD" }
    }

    fn is_shown(&self, now: i64) -> bool {
        self.deleted.is_none_or(|at| now < at + 2 * HOUR)
    }

    /// The default is ATTACHABLE, every other UNATTACHABLE; deprecated and deleted are all of them (reference §3.5).
    fn status(&self, version: &Version, moment: Moment) -> &'static str {
        let deleted = self.deleted.into_iter().chain(version.deleted).min();
        match () {
            () if deleted.is_some_and(|at| moment.is_settled(at)) => "DELETED",
            () if deleted.is_some() => "DELETING",
            () if self.deprecated => "DEPRECATED",
            () if version.number == self.default => "ATTACHABLE",
            () => "UNATTACHABLE",
        }
    }

    pub(crate) fn latest(&self) -> i64 {
        self.versions.last().map_or(0, |version| version.number)
    }

    fn version(&self, number: i64) -> Option<&Version> {
        self.versions.iter().find(|version| version.number == number)
    }

    /// The template of a version.
    pub(crate) fn text(&self, number: i64) -> Option<&str> {
        self.version(number).map(|version| version.text.as_str())
    }

    fn live(&self) -> impl Iterator<Item = &Version> {
        self.versions.iter().filter(|version| version.deleted.is_none())
    }

    fn shape(&self, version: &Version, own: bool, moment: Moment) -> Value {
        let mut item = json!({
            "arn": self.arn(), "version": version.number.to_string(), "name": self.name,
            "defaultVersion": version.number == self.default, "resourceType": CUSTOM_TYPE,
            "status": self.status(version, moment), "creationTime": version.created, "isResourceTypeDefault": false,
            "permissionType": "CUSTOMER_MANAGED", "featureSet": self.feature_set(),
            "resourceOwner": if own { "SELF" } else { "OTHER-ACCOUNTS" },
        });
        if own {
            item["tags"] = json!(self.tags);
        }
        item
    }
}

pub(crate) fn managed(arn: &str) -> Option<&'static (&'static str, &'static str, i64)> {
    let name = arn.strip_prefix("arn:aws:ram::aws:permission/")?;
    MANAGED.iter().find(|(known, ..)| *known == name)
}

pub(crate) fn managed_arn(name: &str) -> String {
    format!("arn:aws:ram::aws:permission/{name}")
}

impl World {
    pub(crate) fn own_permission(&self, who: Caller<'_>, arn: &str) -> Option<usize> {
        self.permissions.iter().position(|one| {
            one.arn() == arn && one.owner == who.account && one.region == who.region && one.deleted.is_none()
        })
    }

    pub(crate) fn call_permissions(&mut self, who: Caller<'_>, operation: &str, input: &Value) -> Answer {
        match operation {
            "CreatePermission" => self.create_permission(who, input),
            "PromotePermissionCreatedFromPolicy" => self.promote_permission(who, input),
            "AssociateResourceSharePermission" => self.attach(who, input),
            "DisassociateResourceSharePermission" => self.detach(who, input),
            "ReplacePermissionAssociations" => self.replace(who, input),
            "ListPermissions" => Ok(self.list_permissions(who, input)),
            "ListPermissionAssociations" => Ok(self.list_permission_associations(who, input)),
            "ListResourceSharePermissions" => self.list_resource_share_permissions(who, input),
            "ListReplacePermissionAssociationsWork" => Ok(self.list_works(who)),
            "GetPermission" | "ListPermissionVersions" => self.get_permission(who, operation, input),
            _ => self.change_permission(who, operation, input),
        }
    }

    fn create_permission(&mut self, who: Caller<'_>, input: &Value) -> Answer {
        let mine =
            |one: &&Permission| one.owner == who.account && one.region == who.region && one.deleted.is_none();
        let mut broken = Codes::new();
        if self.permissions.iter().filter(mine).any(|one| one.name == text(input, "name")) {
            broken.insert("PermissionAlreadyExists");
        }
        if self.permissions.iter().filter(mine).filter(|one| one.can_be_chosen()).count() >= OF_TYPE_MAX {
            broken.insert("PermissionLimitExceeded");
        }
        let version = Version {
            number: 1,
            text: text(input, "policyTemplate").to_owned(),
            created: self.now,
            deleted: None,
        };
        let permission = Permission {
            owner: who.account.to_owned(),
            region: who.region.to_owned(),
            name: text(input, "name").to_owned(),
            default: 1,
            versions: vec![version],
            made: false,
            verbatim: true,
            deprecated: false,
            tags: Vec::new(),
            deleted: None,
        };
        let answer = json!({"permission": permission.shape(&permission.versions[0], true, self.moment())});
        if broken.is_empty() {
            // What is shown of a deleted one of that name goes.
            self.permissions.retain(|one| one.arn() != permission.arn());
            self.permissions.push(permission);
        }
        unless(broken, answer)
    }

    pub(crate) fn make_permission_of_policy(&mut self, who: Caller<'_>, action: &Value) {
        let template = json!({"Effect": "Allow", "Action": action}).to_string();
        let input = json!({"policyTemplate": template, "name": format!("<made-{}>", who.number)});
        // It counts against no quota.
        let others = std::mem::take(&mut self.permissions);
        drop(self.create_permission(who, &input));
        let made = self.permissions.pop().expect("nothing stood against it");
        self.permissions = others;
        self.permissions.push(Permission { made: true, verbatim: false, ..made });
    }

    pub(crate) fn end_permission(&mut self, arn: &str) {
        let now = self.now;
        for one in self.permissions.iter_mut().filter(|one| one.arn() == arn && one.deleted.is_none()) {
            one.deleted = Some(now);
        }
    }

    /// Another permission, with the same text.
    fn promote_permission(&mut self, who: Caller<'_>, input: &Value) -> Answer {
        let arn = text(input, "permissionArn");
        if managed(arn).is_some() {
            return refused("InvalidParameter");
        }
        let Some(at) = self.own_permission(who, arn) else { return refused("UnknownResource") };
        if !self.permissions[at].made {
            return refused("InvalidParameter");
        }
        let template = self.permissions[at].text(1).unwrap_or_default();
        let new = json!({"name": input["name"], "policyTemplate": template});
        // Two errors of CreatePermission are not modelled here.
        let instead = |code| match code {
            "PermissionAlreadyExists" => "InvalidParameter",
            "PermissionLimitExceeded" => "OperationNotPermitted",
            code => code,
        };
        let answer = self
            .create_permission(who, &new)
            .map_err(|codes| codes.into_iter().map(instead).collect::<Codes>())?;
        self.permissions.last_mut().expect("it was made").verbatim = false;
        Ok(answer)
    }

    /// Whether a share that is not deleted has it.
    fn is_attached(&self, arn: &str, version: Option<i64>) -> bool {
        self.shares.iter().any(|share| share.deleted.is_none() && share.allows_by(arn, version))
    }

    /// What its owner does to a permission (reference §7.5, §10.21–10.25).
    fn change_permission(&mut self, who: Caller<'_>, operation: &str, input: &Value) -> Answer {
        let arn = text(input, "permissionArn");
        let Some(at) = self.own_permission(who, arn) else { return refused("UnknownResource") };
        if self.permissions[at].made {
            return Err(Codes::from(["OperationNotPermitted", "InvalidParameter"]));
        }
        let number = input["permissionVersion"].as_i64().unwrap_or_default();
        let attached = self.is_attached(arn, (operation == "DeletePermissionVersion").then_some(number));
        let counted = self
            .permissions
            .iter()
            .filter(|one| one.owner == who.account && one.region == who.region && one.can_be_chosen());
        let is_full = counted.count() >= OF_TYPE_MAX;
        let moment = self.moment();
        let now = moment.now;
        let permission = &mut self.permissions[at];
        let is_live = permission.live().any(|version| version.number == number);
        match operation {
            "CreatePermissionVersion" => {
                if permission.live().count() >= VERSIONS_MAX {
                    return refused("PermissionVersionsLimitExceeded");
                }
                // Numbers are never used again.
                let number = permission.latest() + 1;
                let text = text(input, "policyTemplate").to_owned();
                permission.versions.push(Version { number, text: text.clone(), created: now, deleted: None });
                permission.default = number;
                let mut item = permission.shape(permission.version(number).expect("just made"), true, moment);
                item["permission"] = json!(text);
                Ok(json!({"permission": item}))
            }
            "SetDefaultPermissionVersion" | "DeletePermissionVersion" if !is_live => {
                refused("InvalidParameter")
            }
            "SetDefaultPermissionVersion" => {
                permission.default = number;
                Ok(done())
            }
            "DeletePermissionVersion" if number == permission.default || attached => {
                refused("OperationNotPermitted")
            }
            "DeletePermissionVersion" => {
                let mut versions = permission.versions.iter_mut();
                versions.find(|version| version.number == number).expect("it is live").deleted = Some(now);
                self.lose(arn, Some(number));
                Ok(json!({"returnValue": true, "permissionStatus": "DELETING"}))
            }
            "DeletePermission" if attached => refused("OperationNotPermitted"),
            "DeletePermission" => {
                permission.deleted = Some(now);
                self.lose(arn, None);
                Ok(json!({"returnValue": true, "permissionStatus": "DELETING"}))
            }
            "UpdatePermission" => {
                let deprecates = text(input, "status") == "DEPRECATED";
                // A deprecated one counts against no quota.
                if permission.deprecated && !deprecates && is_full {
                    return refused("PermissionLimitExceeded");
                }
                permission.deprecated = deprecates;
                Ok(json!({"permissionStatus": text(input, "status")}))
            }
            _ => unreachable!("{operation} is not modelled"),
        }
    }

    /// The caller's own, by their default versions; or of others' those that received shares carry, by the newest that
    /// they do.
    fn list_permissions(&self, who: Caller<'_>, input: &Value) -> Value {
        let (mut items, moment) = (Vec::new(), self.moment());
        if text(input, "resourceOwner") == "SELF" {
            for one in self.permissions.iter().filter(|one| one.is_shown(self.now)) {
                if one.owner == who.account && one.region == who.region {
                    items.push(one.shape(
                        one.version(one.default).expect("there is a default"),
                        true,
                        moment,
                    ));
                }
            }
        } else {
            for one in &self.permissions {
                let carried = self.attachments(who, false).filter(|(_, attached)| attached.arn == one.arn());
                if let Some(version) = carried.map(|(_, attached)| attached.version).max() {
                    items.push(one.shape(
                        one.version(version).expect("what is attached is there"),
                        false,
                        moment,
                    ));
                }
            }
        }
        items.retain(|item| allows(input, "permissionStatus", text(item, "status")));
        json!({"permissions": items})
    }

    fn get_permission(&self, who: Caller<'_>, operation: &str, input: &Value) -> Answer {
        let (arn, moment) = (text(input, "permissionArn"), self.moment());
        let mine = |one: &&Permission| {
            one.arn() == arn && one.owner == who.account && one.region == who.region && one.is_shown(self.now)
        };
        let Some(one) = self.permissions.iter().find(mine) else { return refused("UnknownResource") };
        let shown = |version: &&Version| version.deleted.is_none_or(|at| self.now < at + 2 * HOUR);
        if operation == "ListPermissionVersions" {
            let versions = one.versions.iter().filter(shown);
            return Ok(
                json!({"permissions": versions.map(|version| one.shape(version, true, moment)).collect::<Vec<_>>()}),
            );
        }
        let number = input["permissionVersion"].as_i64().unwrap_or(one.default);
        let Some(version) = one.version(number).filter(|version| shown(version)) else {
            return refused("InvalidParameter");
        };
        let mut item = one.shape(version, true, moment);
        if one.verbatim || number > 1 {
            item["permission"] = json!(version.text);
        }
        Ok(json!({"permission": item}))
    }

    /// Tags of a share or of a permission; those of the same keys get new values (reference §10.34).
    pub(crate) fn tag(&mut self, who: Caller<'_>, input: &Value, adds: bool) -> Answer {
        let tags = if input["resourceArn"].is_string() {
            match self.own_permission(who, text(input, "resourceArn")) {
                Some(at) => &mut self.permissions[at].tags,
                None => return Err(Codes::from(["ResourceArnNotFound", "UnknownResource"])),
            }
        } else {
            match self.live_share(who, input) {
                Some(at) if self.shares[at].origin == Origin::Policy => {
                    return Err(Codes::from(["OperationNotPermitted", "InvalidParameter"]));
                }
                Some(at) => &mut self.shares[at].tags,
                None => return refused("UnknownResource"),
            }
        };
        let new = if adds { input["tags"].as_array().cloned().unwrap_or_default() } else { Vec::new() };
        let keys = texts(input, "tagKeys");
        tags.retain(|tag| {
            !keys.contains(&text(tag, "key").to_owned()) && new.iter().all(|new| new["key"] != tag["key"])
        });
        tags.extend(new);
        Ok(json!({}))
    }
}
