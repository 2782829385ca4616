//! Shares and what is in them (reference §3.1, §3.3, §4, §10.1–10.6).

use serde_json::{Value, json};

use crate::attached::Attached;
use crate::catalog::{LIMITS, Type};
use crate::filling::resource;
use crate::world::{Answer, Caller, Codes, HOUR, Moment, World, done, refused, text, texts, unless};

#[derive(Clone, Debug)]
pub(crate) struct Share {
    /// `<share-3>`
    pub(crate) label: String,
    pub(crate) owner: String,
    pub(crate) region: String,
    pub(crate) name: String,
    pub(crate) external: bool,
    pub(crate) retain: bool,
    pub(crate) tags: Vec<Value>,
    pub(crate) created: i64,
    pub(crate) updated: i64,
    pub(crate) deleted: Option<i64>,
    pub(crate) origin: Origin,
    pub(crate) rows: Vec<Row>,
    pub(crate) permissions: Vec<Attached>,
}

/// How it came to be (reference §3.2).
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Origin {
    Made,
    /// By RAM, of a resource's policy: nobody can change it.
    Policy,
    Promoted(i64),
}

impl Origin {
    pub(crate) fn feature_set(self, moment: Moment) -> &'static str {
        match self {
            Self::Policy => "CREATED_FROM_POLICY",
            Self::Promoted(at) if !moment.is_settled(at) => "PROMOTING_TO_STANDARD",
            _ => "STANDARD",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Kind {
    Resource(&'static Type),
    Account,
    Identity,
    Service,
    Organizational,
    Source,
}

/// One association. There is one of an entity in a share: associating again replaces it.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) kind: Kind,
    pub(crate) entity: String,
    /// The account, the organization or the unit that sees the share by it.
    pub(crate) receiver: String,
    pub(crate) external: bool,
    /// The organization that it was made within.
    pub(crate) inside: Option<String>,
    pub(crate) created: i64,
    pub(crate) standing: Standing,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Standing {
    /// For the answer to an invitation.
    Waits(String),
    /// Since when, and by which invitation.
    Granted(i64, Option<String>),
    Ended(i64),
}

impl Row {
    pub(crate) fn is_live(&self) -> bool {
        matches!(self.standing, Standing::Waits(_) | Standing::Granted(..))
    }

    pub(crate) fn invitation(&self) -> Option<&str> {
        match &self.standing {
            Standing::Waits(label) => Some(label),
            Standing::Granted(_, label) => label.as_deref(),
            Standing::Ended(_) => None,
        }
    }

    pub(crate) fn association_type(&self) -> &'static str {
        match self.kind {
            Kind::Resource(_) => "RESOURCE",
            Kind::Source => "SOURCE",
            _ => "PRINCIPAL",
        }
    }

    /// The status and since when it is so (reference §3.3). A deleted share has ended all that was in it. What was
    /// decided is on its way until it has settled.
    pub(crate) fn status(&self, share: &Share, moment: Moment) -> (&'static str, i64) {
        let end = match self.standing {
            Standing::Ended(at) => Some(at),
            Standing::Waits(_) | Standing::Granted(..) => None,
        };
        match (end.into_iter().chain(share.deleted).min(), &self.standing) {
            (Some(end), _) if moment.is_settled(end) => ("DISASSOCIATED", end + moment.settle),
            (Some(end), _) => ("DISASSOCIATING", end),
            (None, Standing::Granted(at, _)) if moment.is_settled(*at) => ("ASSOCIATED", at + moment.settle),
            (None, _) => ("ASSOCIATING", self.created),
        }
    }

    /// Ended ones are shown for two hours (reference §3.3, inferred).
    pub(crate) fn is_shown(&self, now: i64) -> bool {
        !matches!(self.standing, Standing::Ended(at) if now >= at + 2 * HOUR)
    }

    pub(crate) fn outcome(&self, share: &Share, status: &str) -> Value {
        json!({
            "resourceShareArn": share.arn(), "associatedEntity": self.entity, "status": status,
            "associationType": self.association_type(), "external": self.external,
        })
    }
}

impl Share {
    pub(crate) fn arn(&self) -> String {
        format!("arn:aws:ram:{}:{}:resource-share/{}", self.region, self.owner, self.label)
    }

    /// Deleted shares are shown for two hours (reference §3.1).
    pub(crate) fn is_shown(&self, now: i64) -> bool {
        self.deleted.is_none_or(|at| now < at + 2 * HOUR)
    }

    pub(crate) fn live(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(|row| self.deleted.is_none() && row.is_live())
    }

    pub(crate) fn types(&self) -> impl Iterator<Item = &'static Type> {
        self.live().filter_map(|row| if let Kind::Resource(of) = row.kind { Some(of) } else { None })
    }

    /// Live ones of a kind as lists and quotas see them.
    pub(crate) fn count(&self, association_type: &str) -> usize {
        self.live().filter(|row| row.association_type() == association_type).count()
    }

    pub(crate) fn has(&self, kind: Kind) -> bool {
        self.live().any(|row| row.kind == kind)
    }

    /// What RAM made of a policy is not its owner's to change (reference §7.7).
    fn check_own(&self, broken: &mut Codes) {
        if self.origin == Origin::Policy {
            broken.insert("OperationNotPermitted");
        }
    }

    fn status(&self, moment: Moment) -> &'static str {
        match self.deleted {
            None => "ACTIVE",
            Some(at) if moment.is_settled(at) => "DELETED",
            Some(_) => "DELETING",
        }
    }

    pub(crate) fn shape(&self, moment: Moment) -> Value {
        let mut shape = json!({
            "resourceShareArn": self.arn(), "name": self.name, "owningAccountId": self.owner,
            "allowExternalPrincipals": self.external, "creationTime": self.created,
            "status": self.status(moment), "lastUpdatedTime": self.updated,
        });
        if self.retain {
            let member = "retainSharingOnAccountLeaveOrganization";
            shape["resourceShareConfiguration"] = json!({ member: true });
        }
        shape
    }
}

impl World {
    pub(crate) fn create_resource_share(&mut self, who: Caller<'_>, input: &Value) -> Answer {
        let configuration = &input["resourceShareConfiguration"];
        let share = Share {
            label: format!("<share-{}>", who.number),
            owner: who.account.to_owned(),
            region: who.region.to_owned(),
            name: text(input, "name").to_owned(),
            external: input["allowExternalPrincipals"].as_bool().unwrap_or(true),
            retain: configuration["retainSharingOnAccountLeaveOrganization"] == true,
            tags: input["tags"].as_array().cloned().unwrap_or_default(),
            created: self.now,
            updated: self.now,
            deleted: None,
            origin: Origin::Made,
            rows: Vec::new(),
            permissions: Vec::new(),
        };
        let answer = json!({"resourceShare": share.shape(self.moment())});
        let mut filling = self.fill(who, share, input);
        self.choose_permissions(who, &mut filling.share, input, &mut filling.broken);
        // Recommended: what treats members as external needs external principals (reference §4.1).
        if filling.share.retain && !filling.share.external {
            filling.broken.insert("InvalidParameter");
        }
        let mine = |share: &&Share| share.owner == who.account && share.region == who.region;
        if self.shares.iter().filter(mine).filter(|share| share.deleted.is_none()).count() >= LIMITS.shares {
            filling.broken.insert("ResourceShareLimitExceeded");
        }
        if filling.broken.is_empty() {
            self.shares.push(filling.share);
            self.invitations.extend(filling.invitations);
        }
        unless(filling.broken, answer)
    }

    pub(crate) fn associate_resource_share(&mut self, who: Caller<'_>, input: &Value) -> Answer {
        let mut broken = Codes::new();
        for arn in texts(input, "resourceArns") {
            resource(who, &arn, &mut broken);
        }
        let at = match self.own_share(who, input) {
            Some(at) if self.shares[at].deleted.is_none() => at,
            found => {
                broken.insert(if found.is_some() { "InvalidStateTransition" } else { "UnknownResource" });
                return Err(broken);
            }
        };
        let mut filling = self.fill(who, self.shares[at].clone(), input);
        self.shares[at].check_own(&mut filling.broken);
        if filling.broken.is_empty() {
            filling.share.attach_missing(self.now);
            self.shares[at] = filling.share;
            self.invitations.extend(filling.invitations);
        }
        unless(filling.broken, json!({"resourceShareAssociations": filling.answer}))
    }

    /// The caller's share that is named, while it is shown.
    pub(crate) fn own_share(&self, who: Caller<'_>, input: &Value) -> Option<usize> {
        let arn = text(input, "resourceShareArn");
        self.shares.iter().position(|share| {
            share.arn() == arn
                && share.owner == who.account
                && share.region == who.region
                && share.is_shown(self.now)
        })
    }

    pub(crate) fn disassociate_resource_share(&mut self, who: Caller<'_>, input: &Value) -> Answer {
        let arn = text(input, "resourceShareArn");
        let here =
            |share: &Share| share.arn() == arn && share.region == who.region && share.deleted.is_none();
        let Some(at) = self.shares.iter().position(here) else { return refused("UnknownResource") };
        if self.shares[at].owner != who.account {
            return self.leave(who, at, input);
        }
        let (mut share, mut answer, mut broken) = (self.shares[at].clone(), Vec::new(), Codes::new());
        let moment = self.moment();
        for (association_type, member) in
            [("RESOURCE", "resourceArns"), ("PRINCIPAL", "principals"), ("SOURCE", "sources")]
        {
            for entity in texts(input, member) {
                let named =
                    |row: &&mut Row| row.entity == entity && row.association_type() == association_type;
                match share.rows.iter_mut().find(named).filter(|row| row.is_shown(self.now)) {
                    None => drop(broken.insert("UnknownResource")),
                    Some(row) if row.is_live() => {
                        answer.push(row.outcome(&self.shares[at], "DISASSOCIATING"));
                        row.standing = Standing::Ended(self.now);
                    }
                    Some(row) => {
                        let (status, _) = row.status(&self.shares[at], moment);
                        answer.push(row.outcome(&self.shares[at], status));
                    }
                }
            }
        }
        self.shares[at].check_own(&mut broken);
        // At least one source stays (reference §4.4; the code is inferred).
        if share.has(Kind::Service) && share.count("SOURCE") == 0 {
            broken.insert("InvalidParameter");
        }
        if broken.is_empty() {
            self.shares[at] = share;
            self.drop_invitations_nobody_stands_on(at);
        }
        unless(broken, json!({"resourceShareAssociations": answer}))
    }

    /// A consumer leaves (reference §5.5).
    fn leave(&mut self, who: Caller<'_>, at: usize, input: &Value) -> Answer {
        let share = &self.shares[at];
        let itself_alone = texts(input, "principals") == [who.account]
            && texts(input, "resourceArns").is_empty()
            && texts(input, "sources").is_empty();
        let granted =
            |row: &&Row| row.receiver == who.account && matches!(row.standing, Standing::Granted(..));
        if !itself_alone || !share.rows.iter().any(|row| granted(&row)) {
            return refused("UnknownResource");
        }
        let own = share.rows.iter().filter(granted).find(|row| row.entity == who.account);
        let Some(own) = own.filter(|row| row.invitation().is_some() && share.types().all(|of| of.legacy))
        else {
            return refused("OperationNotPermitted");
        };
        // Who leaves is told that it is not external, as in the sample.
        let own = Row { external: false, ..own.clone() };
        let answer = own.outcome(share, "DISASSOCIATING");
        let now = self.now;
        for row in &mut self.shares[at].rows {
            if granted(&&*row) {
                row.standing = Standing::Ended(now);
            }
        }
        self.drop_invitations_nobody_stands_on(at);
        Ok(json!({"resourceShareAssociations": [answer]}))
    }

    pub(crate) fn update_resource_share(&mut self, who: Caller<'_>, input: &Value) -> Answer {
        let mine = self.own_share(who, input).filter(|at| self.shares[*at].deleted.is_none());
        let Some(at) = mine else { return refused("UnknownResource") };
        let (name, external) = (input["name"].as_str(), input["allowExternalPrincipals"].as_bool());
        let (mut share, mut broken) = (self.shares[at].clone(), Codes::new());
        share.check_own(&mut broken);
        if share.external && external == Some(false) {
            // Only inside an organization, and only while nobody is outside (reference §4.2).
            let outsiders = share.live().any(|row| row.external);
            if self.shares_within(who.account).is_none() || outsiders {
                broken.insert("OperationNotPermitted");
            }
            if share.retain {
                broken.insert("InvalidParameter");
            }
        }
        if let Some(name) = name {
            name.clone_into(&mut share.name);
        }
        share.external = external.unwrap_or(share.external);
        share.updated = self.now;
        let answer = json!({"resourceShare": share.shape(self.moment())});
        if broken.is_empty() {
            self.shares[at] = share;
        }
        unless(broken, answer)
    }

    /// A second delete finds nothing (reference §3.1, recommended).
    pub(crate) fn delete_resource_share(&mut self, who: Caller<'_>, input: &Value) -> Answer {
        let mine = self.own_share(who, input).filter(|at| self.shares[*at].deleted.is_none());
        let Some(at) = mine else { return refused("UnknownResource") };
        if self.shares[at].origin == Origin::Policy {
            return refused("OperationNotPermitted");
        }
        let label = self.shares[at].label.clone();
        self.shares[at].deleted = Some(self.now);
        self.shares[at].updated = self.now;
        // What was rejected or has expired is shown on; the rest goes with the share (reference §10.4).
        let goes = |status| matches!(status, "PENDING" | "ACCEPTED");
        self.invitations.retain(|invitation| invitation.share != label || !goes(invitation.status));
        Ok(done())
    }
}
