//! Policies that owners put on their resources, and what RAM makes of them (reference §7.7).

use serde_json::{Value, json};

use crate::attached::Attached;
use crate::catalog::LIMITS;
use crate::filling::resource;
use crate::permission::CUSTOM_TYPE;
use crate::share::{Kind, Origin, Row, Share, Standing};
use crate::world::{Answer, Caller, Codes, World, done, refused, text};

/// The policy that a resource has. The sequences put policies of one statement, so one share is made of each.
#[derive(Clone, Debug)]
pub(crate) struct ResourcePolicy {
    owner: String,
    region: String,
    pub(crate) resource: String,
    text: String,
    /// What it allows, and whom.
    says: (Value, Vec<String>),
    share: String,
}

impl World {
    pub(crate) fn put_resource_policy(&mut self, who: Caller<'_>, input: &Value) -> Answer {
        let mut broken = Codes::new();
        let (arn, policy) = (text(input, "resourceArn"), text(input, "policy"));
        let kind = resource(who, arn, &mut broken);
        if !broken.is_empty() {
            return Err(broken);
        }
        let read: Value = serde_json::from_str(policy).expect("the sequences write JSON");
        let statement = &read["Statement"][0];
        let mut principals = crate::world::texts(&statement["Principal"], "AWS");
        principals.sort();
        let says = (statement["Action"].clone(), principals);
        let known = self.policy_of(who, arn);
        if let Some(known) = known.filter(|at| self.still_says(&self.resource_policies[*at], &says)) {
            policy.clone_into(&mut self.resource_policies[known].text);
            return Ok(self.resource_policies[known].shape());
        }
        let mut after = self.clone();
        if let Some(known) = known {
            after.end_policy_share(known);
            after.resource_policies.remove(known);
        }
        let share = after.share_of_policy(who, arn, kind, &says.1);
        let answer = ResourcePolicy {
            owner: who.account.to_owned(),
            region: who.region.to_owned(),
            resource: arn.to_owned(),
            text: policy.to_owned(),
            share: share.label.clone(),
            says,
        };
        if after.is_over_limits(&share) {
            return refused("ResourceShareLimitExceeded");
        }
        after.make_permission_of_policy(who, &answer.says.0);
        after.shares.push(share);
        after.resource_policies.push(answer.clone());
        *self = after;
        Ok(answer.shape())
    }

    pub(crate) fn get_resource_policy(&self, who: Caller<'_>, input: &Value) -> Answer {
        match self.policy_of(who, text(input, "resourceArn")) {
            Some(at) => Ok(self.resource_policies[at].shape()),
            None => refused("ResourceArnNotFound"),
        }
    }

    pub(crate) fn delete_resource_policy(&mut self, who: Caller<'_>, input: &Value) -> Answer {
        let Some(at) = self.policy_of(who, text(input, "resourceArn")) else {
            return refused("ResourceArnNotFound");
        };
        self.end_policy_share(at);
        self.resource_policies.remove(at);
        Ok(done())
    }

    fn policy_of(&self, who: Caller<'_>, arn: &str) -> Option<usize> {
        self.resource_policies
            .iter()
            .position(|one| one.owner == who.account && one.region == who.region && one.resource == arn)
    }

    /// Whether its share, promoted or not, grants that, and the resource is in it.
    fn still_says(&self, policy: &ResourcePolicy, (action, principals): &(Value, Vec<String>)) -> bool {
        let share = self.shares.iter().find(|share| share.label == policy.share).expect("shares are kept");
        let granted = |row: &&Row| matches!(row.standing, Standing::Granted(..));
        let with = share.live().filter(granted).filter(|row| row.association_type() == "PRINCIPAL");
        let mut with: Vec<String> = with.map(|row| row.entity.clone()).collect();
        with.sort();
        let allows =
            share.permissions.iter().find(|one| one.of_type == CUSTOM_TYPE).map(|one| self.action(one));
        share.live().any(|row| row.entity == policy.resource)
            && with == *principals
            && allows.flatten().as_ref() == Some(action)
    }

    /// The one action of a permission of an account's own.
    fn action(&self, one: &Attached) -> Option<Value> {
        let known = self.permissions.iter().find(|known| known.arn() == one.arn)?;
        let template: Value = serde_json::from_str(known.text(one.version)?).ok()?;
        Some(template["Action"].clone())
    }

    /// What was promoted is no longer the policy's.
    fn end_policy_share(&mut self, at: usize) {
        let label = &self.resource_policies[at].share;
        let share = self.shares.iter_mut().find(|share| share.label == *label).expect("shares are kept");
        if share.origin == Origin::Policy && share.deleted.is_none() {
            (share.deleted, share.updated) = (Some(self.now), self.now);
            let made = share.permissions[0].arn.clone();
            self.end_permission(&made);
        }
    }

    /// Nobody is invited, and nobody sees it.
    fn share_of_policy(&self, who: Caller<'_>, arn: &str, kind: Kind, principals: &[String]) -> Share {
        let row = |kind, entity: &str, external| Row {
            kind,
            entity: entity.to_owned(),
            receiver: String::new(),
            external,
            inside: None,
            created: self.now,
            standing: Standing::Granted(self.now, None),
        };
        let mut rows = vec![row(kind, arn, false)];
        for entity in principals {
            let account = entity.split(':').nth(4).unwrap_or(entity);
            let kind = if account == entity { Kind::Account } else { Kind::Identity };
            let inside = self.shares_within(who.account).is_some_and(|of| of.has(account));
            rows.push(row(kind, entity, account != who.account && !inside));
        }
        let permission = Attached::new(&made_arn(who), CUSTOM_TYPE, self.now);
        Share {
            label: format!("<share-{}>", who.number),
            owner: who.account.to_owned(),
            region: who.region.to_owned(),
            name: arn.to_owned(),
            external: true,
            retain: false,
            tags: Vec::new(),
            created: self.now,
            updated: self.now,
            deleted: None,
            origin: Origin::Policy,
            rows,
            permissions: vec![permission],
        }
    }

    fn is_over_limits(&self, new: &Share) -> bool {
        let here = |share: &&Share| {
            share.owner == new.owner && share.region == new.region && share.deleted.is_none()
        };
        let all = |kind: &str| self.shares.iter().filter(here).map(|share| share.count(kind)).sum::<usize>();
        let over = |kind: &str, each: usize, most: usize| {
            new.count(kind) > each || all(kind) + new.count(kind) > most
        };
        self.shares.iter().filter(here).count() >= LIMITS.shares
            || over("RESOURCE", LIMITS.resources_per_share, LIMITS.resources)
            || over("PRINCIPAL", LIMITS.principals_per_share, LIMITS.principals)
    }

    /// A standard share of one that was made of a policy, with a permission that allows the same; its principals see it.
    pub(crate) fn promote_share(&mut self, who: Caller<'_>, input: &Value) -> Answer {
        let Some(at) = self.own_share(who, input) else { return refused("UnknownResource") };
        let moment = self.moment();
        let share = &self.shares[at];
        match share.origin {
            _ if share.deleted.is_some() => return refused("InvalidStateTransition"),
            Origin::Policy => {}
            Origin::Promoted(since) if !moment.is_settled(since) => return refused("InvalidStateTransition"),
            Origin::Promoted(_) | Origin::Made => return refused("InvalidParameter"),
        }
        let made = share.permissions[0].arn.clone();
        let Some(matching) = self.matching(share).into_iter().next() else {
            return refused("UnmatchedPolicyPermission");
        };
        let share = &mut self.shares[at];
        (share.origin, share.updated) = (Origin::Promoted(moment.now), moment.now);
        share.permissions = vec![matching];
        for row in share.rows.iter_mut().filter(|row| row.association_type() == "PRINCIPAL") {
            row.receiver = row.entity.split(':').nth(4).unwrap_or(&row.entity).to_owned();
        }
        self.end_permission(&made);
        Ok(done())
    }

    /// The permissions of its owner that allow what a share's own does.
    pub(crate) fn matching(&self, share: &Share) -> Vec<Attached> {
        let wanted = share.permissions.first().and_then(|one| self.action(one));
        let own = self
            .permissions
            .iter()
            .filter(|one| one.owner == share.owner && one.region == share.region && one.can_be_chosen());
        let candidates = own
            .map(|one| Attached { version: one.default, ..Attached::new(&one.arn(), CUSTOM_TYPE, self.now) });
        candidates.filter(|one| self.action(one) == wanted).collect()
    }
}

/// The permission that is made of a policy has a name that RAM draws.
pub(crate) fn made_arn(who: Caller<'_>) -> String {
    format!("arn:aws:ram:{}:{}:permission/<made-{}>", who.region, who.account, who.number)
}

impl ResourcePolicy {
    fn shape(&self) -> Value {
        let share = format!("arn:aws:ram:{}:{}:resource-share/{}", self.region, self.owner, self.share);
        json!({"resourceArn": self.resource, "policy": self.text, "resourceShareArns": [share]})
    }
}
