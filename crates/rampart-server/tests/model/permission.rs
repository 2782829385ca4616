//! Permissions: AWS's, an account's own with their versions, and those in shares (reference §3.5, §7, §10.16–10.31).

use serde_json::{Value, json};

use crate::share::{Share, Type};
use crate::world::{
    Answer, Caller, Codes, DAY, HOUR, Moment, World, allows, done, refused, text, texts, unless,
};

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

/// A permission of a share: one for each type of resource, pinned to a version.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Attached {
    pub(crate) arn: String,
    pub(crate) version: i64,
    pub(crate) of_type: &'static str,
    since: i64,
}

#[derive(Clone, Debug)]
pub(crate) struct Permission {
    pub(crate) owner: String,
    pub(crate) region: String,
    name: String,
    default: i64,
    versions: Vec<Version>,
    deprecated: bool,
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

/// A replacement: background work does it.
#[derive(Clone, Debug)]
pub(crate) struct Work {
    label: String,
    owner: String,
    region: String,
    from: String,
    from_version: Option<i64>,
    to: Attached,
    /// Whether what replaces was deleted meanwhile, even if another has its name by now.
    is_lost: bool,
    status: &'static str,
    created: i64,
    updated: i64,
}

impl Permission {
    pub(crate) fn arn(&self) -> String {
        format!("arn:aws:ram:{}:{}:permission/{}", self.region, self.owner, self.name)
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

    fn latest(&self) -> i64 {
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
            "permissionType": "CUSTOMER_MANAGED", "featureSet": "STANDARD",
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

impl Share {
    /// Types that come without a permission get their default (reference §7.2).
    pub(crate) fn attach_missing(&mut self, now: i64) {
        let types: Vec<&Type> = self.types().collect();
        for of in types {
            if self.permissions.iter().all(|one| one.of_type != of.name) {
                let (name, of_type, version) =
                    MANAGED.iter().find(|(_, of_type, _)| *of_type == of.name).expect("each");
                let arn = managed_arn(name);
                self.permissions.push(Attached { arn, version: *version, of_type, since: now });
            }
        }
    }

    pub(crate) fn allows_by(&self, arn: &str, version: Option<i64>) -> bool {
        self.permissions
            .iter()
            .any(|one| one.arn == arn && version.is_none_or(|version| version == one.version))
    }
}

impl World {
    fn own_permission(&self, who: Caller<'_>, arn: &str) -> Option<usize> {
        self.permissions.iter().position(|one| {
            one.arn() == arn && one.owner == who.account && one.region == who.region && one.deleted.is_none()
        })
    }

    /// A permission as it would be attached now, and the rules against it.
    fn attachable(&self, who: Caller<'_>, arn: &str) -> Result<(Attached, Codes), Answer> {
        if let Some((_, of_type, version)) = managed(arn) {
            let attached = Attached { arn: arn.to_owned(), version: *version, of_type, since: self.now };
            return Ok((attached, Codes::new()));
        }
        let at = self.own_permission(who, arn).ok_or_else(|| refused("UnknownResource"))?;
        let one = &self.permissions[at];
        let version = one.default;
        let broken = if one.deprecated { Codes::from(["OperationNotPermitted"]) } else { Codes::new() };
        Ok((Attached { arn: arn.to_owned(), version, of_type: CUSTOM_TYPE, since: self.now }, broken))
    }

    /// The permissions that a new share is to have: no two for one type (reference §7.2).
    pub(crate) fn choose_permissions(
        &self,
        who: Caller<'_>,
        share: &mut Share,
        input: &Value,
        broken: &mut Codes,
    ) {
        for arn in texts(input, "permissionArns") {
            match self.attachable(who, &arn) {
                Err(_) => drop(broken.insert("UnknownResource")),
                Ok((attached, against)) => {
                    broken.extend(against);
                    if share.permissions.iter().any(|one| one.of_type == attached.of_type) {
                        broken.insert("InvalidParameter");
                    }
                    share.permissions.push(attached);
                }
            }
        }
        share.attach_missing(self.now);
    }

    pub(crate) fn call_permissions(&mut self, who: Caller<'_>, operation: &str, input: &Value) -> Answer {
        match operation {
            "CreatePermission" => self.create_permission(who, input),
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
        if self.permissions.iter().filter(mine).filter(|one| !one.deprecated).count() >= OF_TYPE_MAX {
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

    /// Whether a share that is not deleted has it.
    fn is_attached(&self, arn: &str, version: Option<i64>) -> bool {
        self.shares.iter().any(|share| share.deleted.is_none() && share.allows_by(arn, version))
    }

    /// What its owner does to a permission (reference §7.5, §10.21–10.25).
    fn change_permission(&mut self, who: Caller<'_>, operation: &str, input: &Value) -> Answer {
        let arn = text(input, "permissionArn");
        let Some(at) = self.own_permission(who, arn) else { return refused("UnknownResource") };
        let number = input["permissionVersion"].as_i64().unwrap_or_default();
        let attached = self.is_attached(arn, (operation == "DeletePermissionVersion").then_some(number));
        let counted = self.permissions.iter().filter(|one| {
            one.owner == who.account && one.region == who.region && one.deleted.is_none() && !one.deprecated
        });
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

    fn lose(&mut self, arn: &str, version: Option<i64>) {
        for work in self.works.iter_mut().filter(|work| work.to.arn == arn) {
            work.is_lost |= version.is_none_or(|version| version == work.to.version);
        }
    }

    /// The caller's share that is named, unless it is deleted.
    fn live_share(&self, who: Caller<'_>, input: &Value) -> Option<usize> {
        self.own_share(who, input).filter(|at| self.shares[*at].deleted.is_none())
    }

    fn attach(&mut self, who: Caller<'_>, input: &Value) -> Answer {
        let found = self.attachable(who, text(input, "permissionArn"));
        let (Some(at), Ok((attached, mut broken))) = (self.live_share(who, input), found) else {
            return refused("UnknownResource");
        };
        let present = self.shares[at].permissions.iter().position(|one| one.of_type == attached.of_type);
        let version = input["permissionVersion"].as_i64();
        if version.is_some_and(|version| version != attached.version) {
            broken.insert("InvalidParameter");
        } else if present.is_some_and(|present| {
            let present = &self.shares[at].permissions[present];
            present.arn == attached.arn && present.version == attached.version
        }) {
            return Ok(done());
        }
        if present.is_some() && input["replace"] != true {
            broken.insert("InvalidParameter");
        }
        if broken.is_empty() {
            let permissions = &mut self.shares[at].permissions;
            permissions.retain(|one| one.of_type != attached.of_type);
            permissions.push(attached);
        }
        unless(broken, done())
    }

    fn detach(&mut self, who: Caller<'_>, input: &Value) -> Answer {
        let Some(at) = self.own_share(who, input) else { return refused("UnknownResource") };
        let share = &mut self.shares[at];
        // Modelled here, and not where a permission is attached (reference §3.1).
        if share.deleted.is_some() {
            return refused("InvalidStateTransition");
        }
        let named = share.permissions.iter().position(|one| one.arn == text(input, "permissionArn"));
        let Some(named) = named else { return refused("UnknownResource") };
        if share.types().any(|of| of.name == share.permissions[named].of_type) {
            return refused("OperationNotPermitted");
        }
        share.permissions.remove(named);
        Ok(done())
    }

    fn replace(&mut self, who: Caller<'_>, input: &Value) -> Answer {
        let (from, from_version) =
            (text(input, "fromPermissionArn"), input["fromPermissionVersion"].as_i64());
        let (Ok((old, _)), Ok((to, mut broken))) =
            (self.attachable(who, from), self.attachable(who, text(input, "toPermissionArn")))
        else {
            return refused("UnknownResource");
        };
        let known = self.own_permission(who, from).map_or(old.version, |at| self.permissions[at].latest());
        if old.of_type != to.of_type || from_version.is_some_and(|version| !(1..=known).contains(&version)) {
            broken.insert("InvalidParameter");
        }
        let work = Work {
            label: format!("<work-{}>", who.number),
            owner: who.account.to_owned(),
            region: who.region.to_owned(),
            from: from.to_owned(),
            from_version,
            to,
            is_lost: false,
            status: "IN_PROGRESS",
            created: self.now,
            updated: self.now,
        };
        let answer = json!({"replacePermissionAssociationsWork": work.shape()});
        if broken.is_empty() {
            self.works.push(work);
        }
        unless(broken, answer)
    }

    /// What background work does to shares whose permission is replaced. What was attached later is left alone.
    pub(crate) fn finish_works(&mut self) {
        for at in 0..self.works.len() {
            let work = self.works[at].clone();
            if work.status != "IN_PROGRESS" || !self.moment().is_settled(work.created) {
                continue;
            }
            let mine = |share: &&mut Share| share.owner == work.owner && share.region == work.region;
            let shares =
                self.shares.iter_mut().filter(mine).filter(|share| !work.is_lost && share.deleted.is_none());
            for one in shares.flat_map(|share| &mut share.permissions) {
                let due = one.arn == work.from
                    && work.from_version.is_none_or(|version| version == one.version)
                    && one.since <= work.created;
                if due && (&one.arn, one.version) != (&work.to.arn, work.to.version) {
                    *one = Attached { since: self.now, ..work.to.clone() };
                }
            }
            self.works[at].status = if work.is_lost { "FAILED" } else { "COMPLETED" };
            self.works[at].updated = self.now;
        }
    }

    pub(crate) fn has_work(&self) -> bool {
        self.works.iter().any(|work| work.status == "IN_PROGRESS")
    }

    fn list_works(&self, who: Caller<'_>) -> Value {
        let mine = |work: &&Work| {
            work.owner == who.account
                && work.region == who.region
                && (work.status == "IN_PROGRESS" || self.now < work.updated + 7 * DAY)
        };
        let items: Vec<_> = self.works.iter().filter(mine).map(Work::shape).collect();
        json!({"replacePermissionAssociationsWorks": items})
    }

    /// The permissions of the shares that an account owns, or that others share with it.
    fn attachments(&self, who: Caller<'_>, own: bool) -> impl Iterator<Item = (&Share, &Attached)> {
        let here =
            self.shares.iter().filter(move |share| share.region == who.region && share.deleted.is_none());
        let mine = here.filter(move |share| {
            if own { share.owner == who.account } else { self.seen_since(share, who.account).is_some() }
        });
        mine.flat_map(|share| share.permissions.iter().map(move |one| (share, one)))
    }

    fn is_default(&self, one: &Attached) -> bool {
        match managed(&one.arn) {
            Some((.., version)) => one.version == *version,
            None => {
                self.permissions.iter().any(|known| known.arn() == one.arn && known.default == one.version)
            }
        }
    }

    fn list_permission_associations(&self, who: Caller<'_>, input: &Value) -> Value {
        let own = text(input, "resourceOwner") != "OTHER-ACCOUNTS";
        let mut items = Vec::new();
        for (share, one) in self.attachments(who, own) {
            let version = input["permissionVersion"].as_i64();
            if allows(input, "permissionArn", &one.arn)
                && allows(input, "resourceShareArn", &share.arn())
                && version.is_none_or(|version| version == one.version)
                && (input["defaultVersion"] != true || self.is_default(one))
            {
                items.push(json!({
                    "arn": one.arn, "permissionVersion": one.version.to_string(),
                    "defaultVersion": self.is_default(one), "resourceType": one.of_type, "status": "ASSOCIATED",
                    "featureSet": "STANDARD", "lastUpdatedTime": one.since, "resourceShareArn": share.arn(),
                }));
            }
        }
        json!({"permissions": items})
    }

    /// To its owner and to its consumers, as long as the share is shown.
    fn list_resource_share_permissions(&self, who: Caller<'_>, input: &Value) -> Answer {
        let here = |share: &&Share| {
            share.arn() == text(input, "resourceShareArn")
                && share.region == who.region
                && share.is_shown(self.now)
                && (share.owner == who.account || self.seen_since(share, who.account).is_some())
        };
        let Some(share) = self.shares.iter().find(here) else { return refused("UnknownResource") };
        let item = |one: &Attached| {
            json!({
                "arn": one.arn, "version": one.version.to_string(), "resourceType": one.of_type,
                "status": "ASSOCIATED", "lastUpdatedTime": one.since, "defaultVersion": self.is_default(one),
            })
        };
        Ok(json!({"permissions": share.permissions.iter().map(item).collect::<Vec<_>>()}))
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
        item["permission"] = json!(version.text);
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

impl Work {
    fn shape(&self) -> Value {
        let mut item = json!({
            "id": self.label, "fromPermissionArn": self.from, "toPermissionArn": self.to.arn,
            "toPermissionVersion": self.to.version.to_string(), "status": self.status,
            "creationTime": self.created, "lastUpdatedTime": self.updated,
        });
        if let Some(version) = self.from_version {
            item["fromPermissionVersion"] = json!(version.to_string());
        }
        item
    }
}
