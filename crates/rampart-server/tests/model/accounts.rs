//! The accounts and units of an organization: made, and told of.

use serde_json::{Value, json};

use crate::catalog::LIMITS;
use crate::organization::{Member, Organization};
use crate::world::{Answer, Caller, DAY, World, refused, text, texts};

/// A request to create an account: done at once, and told of for ninety days.
#[derive(Clone, Debug)]
pub(crate) struct Creation {
    /// `<creation-3>`; the account is `<account-3>`.
    pub(crate) label: String,
    pub(crate) management: String,
    name: String,
    /// None if its address was taken.
    pub(crate) account: Option<String>,
    requested: i64,
}

impl Creation {
    fn shape(&self) -> Value {
        let mut item = json!({"Id": self.label, "AccountName": self.name});
        if let Some(account) = &self.account {
            item["State"] = json!("SUCCEEDED");
            item["AccountId"] = json!(account);
        } else {
            item["State"] = json!("FAILED");
            item["FailureReason"] = json!("EMAIL_ALREADY_EXISTS");
        }
        item
    }
}

impl Member {
    fn shape(&self) -> Value {
        json!({"Id": self.account, "Status": if self.closed { "SUSPENDED" } else { "ACTIVE" }})
    }
}

impl World {
    pub(crate) fn create_account(&mut self, who: Caller<'_>, at: usize, input: &Value) -> Answer {
        let organization = &mut self.organizations[at];
        if organization.members.len() >= LIMITS.accounts {
            return refused("ConstraintViolation");
        }
        let is_taken = organization.members.iter().any(|member| member.email == text(input, "Email"));
        let account = (!is_taken).then(|| format!("<account-{}>", who.number));
        if let Some(account) = account.clone() {
            organization.join(account);
            let member = organization.members.last_mut().expect("it has joined");
            text(input, "Email").clone_into(&mut member.email);
        }
        let creation = Creation {
            label: format!("<creation-{}>", who.number),
            management: who.account.to_owned(),
            name: text(input, "AccountName").to_owned(),
            account,
            requested: self.now,
        };
        // What comes of it is told later.
        let status = json!({"Id": creation.label, "AccountName": creation.name, "State": "IN_PROGRESS"});
        self.creations.push(creation);
        Ok(json!({"CreateAccountStatus": status}))
    }

    fn creations(&self, who: Caller<'_>) -> impl Iterator<Item = &Creation> {
        let told =
            move |one: &&Creation| one.management == who.account && self.now < one.requested + 90 * DAY;
        self.creations.iter().filter(told)
    }

    /// With the organization goes what it asked for.
    pub(crate) fn forget_creations(&mut self, management: &str) {
        self.creations.retain(|creation| creation.management != management);
    }

    pub(crate) fn describe_creation(&self, who: Caller<'_>, input: &Value) -> Answer {
        let mut told = self.creations(who);
        match told.find(|one| one.label == text(input, "CreateAccountRequestId")) {
            Some(creation) => Ok(json!({"CreateAccountStatus": creation.shape()})),
            None => refused("CreateAccountStatusNotFound"),
        }
    }

    pub(crate) fn list_creations(&self, who: Caller<'_>, input: &Value) -> Value {
        let mut items: Vec<Value> = self.creations(who).map(Creation::shape).collect();
        let states = texts(input, "States");
        items.retain(|item| states.is_empty() || states.contains(&text(item, "State").to_owned()));
        json!({"CreateAccountStatuses": items})
    }
}

impl Organization {
    pub(crate) fn describe_account(&self, account: &str) -> Answer {
        match self.members.iter().find(|member| member.account == account) {
            Some(member) => Ok(json!({"Account": member.shape()})),
            None => refused("AccountNotFound"),
        }
    }

    /// All accounts, or those that stand in one place.
    pub(crate) fn list_accounts(&self, parent: Option<&str>) -> Answer {
        if parent.is_some_and(|parent| !self.has_parent(parent)) {
            return refused("ParentNotFound");
        }
        let there = self.members.iter().filter(|member| parent.is_none_or(|parent| member.parent == parent));
        Ok(json!({"Accounts": there.map(Member::shape).collect::<Vec<_>>()}))
    }

    pub(crate) fn list_units(&self, parent: &str) -> Answer {
        if !self.has_parent(parent) {
            return refused("ParentNotFound");
        }
        let units = self.units.iter().filter(|unit| unit.parent == parent);
        Ok(json!({"OrganizationalUnits": units.map(crate::organization::Unit::shape).collect::<Vec<_>>()}))
    }

    pub(crate) fn list_parents(&self, child: &str) -> Answer {
        let member = self.members.iter().find(|member| member.account == child).map(|member| &member.parent);
        let unit = self.units.iter().find(|unit| unit.label == child).map(|unit| &unit.parent);
        let Some(parent) = member.or(unit) else { return refused("ChildNotFound") };
        let kind = if *parent == self.root { "ROOT" } else { "ORGANIZATIONAL_UNIT" };
        Ok(json!({"Parents": [{"Id": parent, "Type": kind}]}))
    }

    pub(crate) fn list_children(&self, input: &Value) -> Answer {
        let parent = text(input, "ParentId");
        if !self.has_parent(parent) {
            return refused("ParentNotFound");
        }
        let items: Vec<_> = if text(input, "ChildType") == "ACCOUNT" {
            let members = self.members.iter().filter(|member| member.parent == parent);
            members.map(|member| json!({"Id": member.account, "Type": "ACCOUNT"})).collect()
        } else {
            let units = self.units.iter().filter(|unit| unit.parent == parent);
            units.map(|unit| json!({"Id": unit.label, "Type": "ORGANIZATIONAL_UNIT"})).collect()
        };
        Ok(json!({"Children": items}))
    }
}
