//! Replacements of permissions (reference §3.7, §10.30, §10.31).

use serde_json::{Value, json};

use crate::attached::Attached;
use crate::share::Share;
use crate::world::{Answer, Caller, DAY, World, refused, text, unless};

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

impl World {
    pub(crate) fn replace(&mut self, who: Caller<'_>, input: &Value) -> Answer {
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

    pub(crate) fn list_works(&self, who: Caller<'_>) -> Value {
        let mine = |work: &&Work| {
            work.owner == who.account
                && work.region == who.region
                && (work.status == "IN_PROGRESS" || self.now < work.updated + 7 * DAY)
        };
        let items: Vec<_> = self.works.iter().filter(mine).map(Work::shape).collect();
        json!({"replacePermissionAssociationsWorks": items})
    }

    /// What replaces is deleted.
    pub(crate) fn lose(&mut self, arn: &str, version: Option<i64>) {
        for work in self.works.iter_mut().filter(|work| work.to.arn == arn) {
            work.is_lost |= version.is_none_or(|version| version == work.to.version);
        }
    }
}
