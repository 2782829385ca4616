//! The permissions in shares (reference §7.2, §10.26–10.29).

use serde_json::{Value, json};

use crate::catalog::Type;
use crate::permission::{CUSTOM_TYPE, MANAGED, managed, managed_arn};
use crate::share::{Origin, Share};
use crate::world::{Answer, Caller, Codes, World, allows, done, refused, text, texts, unless};

/// A permission of a share: one for each type of resource, pinned to a version.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Attached {
    pub(crate) arn: String,
    pub(crate) version: i64,
    pub(crate) of_type: &'static str,
    pub(crate) since: i64,
}

impl Attached {
    pub(crate) fn new(arn: &str, of_type: &'static str, since: i64) -> Self {
        Self { arn: arn.to_owned(), version: 1, of_type, since }
    }
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
    /// A permission as it would be attached now, and the rules against it.
    pub(crate) fn attachable(&self, who: Caller<'_>, arn: &str) -> Result<(Attached, Codes), Answer> {
        if let Some((_, of_type, version)) = managed(arn) {
            let attached = Attached { arn: arn.to_owned(), version: *version, of_type, since: self.now };
            return Ok((attached, Codes::new()));
        }
        let at = self.own_permission(who, arn).ok_or_else(|| refused("UnknownResource"))?;
        let one = &self.permissions[at];
        let version = one.default;
        let broken =
            if one.deprecated || one.made { Codes::from(["OperationNotPermitted"]) } else { Codes::new() };
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

    /// The caller's share that is named, unless it is deleted.
    pub(crate) fn live_share(&self, who: Caller<'_>, input: &Value) -> Option<usize> {
        self.own_share(who, input).filter(|at| self.shares[*at].deleted.is_none())
    }

    pub(crate) fn attach(&mut self, who: Caller<'_>, input: &Value) -> Answer {
        let found = self.attachable(who, text(input, "permissionArn"));
        let (Some(at), Ok((attached, mut broken))) = (self.live_share(who, input), found) else {
            return refused("UnknownResource");
        };
        let present = self.shares[at].permissions.iter().position(|one| one.of_type == attached.of_type);
        let version = input["permissionVersion"].as_i64();
        if self.shares[at].origin == Origin::Policy {
            broken.insert("OperationNotPermitted");
        }
        if version.is_some_and(|version| version != attached.version) {
            broken.insert("InvalidParameter");
        } else if broken.is_empty()
            && present.is_some_and(|present| {
                let present = &self.shares[at].permissions[present];
                present.arn == attached.arn && present.version == attached.version
            })
        {
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

    pub(crate) fn detach(&mut self, who: Caller<'_>, input: &Value) -> Answer {
        let Some(at) = self.own_share(who, input) else { return refused("UnknownResource") };
        let share = &mut self.shares[at];
        // Modelled here, and not where a permission is attached (reference §3.1).
        if share.deleted.is_some() {
            return refused("InvalidStateTransition");
        }
        let named = share.permissions.iter().position(|one| one.arn == text(input, "permissionArn"));
        if share.origin == Origin::Policy {
            let unknown = named.is_none().then_some("UnknownResource");
            return Err(unknown.into_iter().chain(["OperationNotPermitted"]).collect());
        }
        let Some(named) = named else { return refused("UnknownResource") };
        if share.types().any(|of| of.name == share.permissions[named].of_type) {
            return refused("OperationNotPermitted");
        }
        share.permissions.remove(named);
        Ok(done())
    }

    /// The permissions of the shares that an account owns, or that others share with it.
    pub(crate) fn attachments(
        &self,
        who: Caller<'_>,
        own: bool,
    ) -> impl Iterator<Item = (&Share, &Attached)> {
        let here =
            self.shares.iter().filter(move |share| share.region == who.region && share.deleted.is_none());
        let mine = here.filter(move |share| {
            if own { share.owner == who.account } else { self.seen_since(share, who.account).is_some() }
        });
        mine.flat_map(|share| share.permissions.iter().map(move |one| (share, one)))
    }

    pub(crate) fn is_default(&self, one: &Attached) -> bool {
        match managed(&one.arn) {
            Some((.., version)) => one.version == *version,
            None => {
                self.permissions.iter().any(|known| known.arn() == one.arn && known.default == one.version)
            }
        }
    }

    pub(crate) fn list_permission_associations(&self, who: Caller<'_>, input: &Value) -> Value {
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
                    "featureSet": share.origin.feature_set(self.moment()), "lastUpdatedTime": one.since, "resourceShareArn": share.arn(),
                }));
            }
        }
        json!({"permissions": items})
    }

    /// To its owner and to its consumers, as long as the share is shown.
    pub(crate) fn list_resource_share_permissions(&self, who: Caller<'_>, input: &Value) -> Answer {
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
}
