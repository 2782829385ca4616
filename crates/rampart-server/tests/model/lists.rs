//! What owners and consumers are told of shares (reference §6, §10.2, §10.7–10.10).

use serde_json::{Value, json};

use crate::catalog::{TYPES, Type};
use crate::share::{Kind, Row, Share, Standing};
use crate::world::{Answer, Caller, Moment, World, allows, refused, text, texts};

impl World {
    /// Since when an account sees another's share, if it does: by itself, by its organization, or by a unit that it is in.
    pub(crate) fn seen_since(&self, share: &Share, account: &str) -> Option<i64> {
        self.seen_by(share, account).map(|(_, since)| since).min()
    }

    /// By which rows an account sees another's share, each since when it has taken effect.
    fn seen_by<'s>(&self, share: &'s Share, account: &str) -> impl Iterator<Item = (&'s Row, i64)> {
        let moment = self.moment();
        let rows = share.rows.iter().filter(move |_| share.owner != account);
        rows.filter_map(move |row| match row.standing {
            Standing::Granted(at, _) if self.reaches(row, account) && moment.is_settled(at) => {
                Some((row, at + moment.settle))
            }
            _ => None,
        })
    }

    fn reaches(&self, row: &Row, account: &str) -> bool {
        match row.kind {
            Kind::Account | Kind::Identity => row.receiver == account,
            Kind::Organizational => self.stands_in(account, &row.receiver),
            Kind::Resource(_) | Kind::Service | Kind::Source => false,
        }
    }

    /// The caller's own shares that are shown, or those that others share with it; refused when one that is named is not
    /// among them.
    fn shares_in_view(&self, who: Caller<'_>, own: bool, input: &Value) -> Result<Vec<&Share>, Answer> {
        let here = self.shares.iter().filter(|share| share.region == who.region && share.is_shown(self.now));
        let mine = |share: &&Share| {
            if own { share.owner == who.account } else { self.seen_since(share, who.account).is_some() }
        };
        let shares: Vec<&Share> = here.filter(mine).collect();
        let is_seen = |arn: &String| shares.iter().any(|share| share.arn() == *arn);
        if !texts(input, "resourceShareArns").iter().all(is_seen) {
            return Err(refused("UnknownResource"));
        }
        Ok(shares.into_iter().filter(|share| allows(input, "resourceShareArns", &share.arn())).collect())
    }

    pub(crate) fn get_resource_shares(&mut self, who: Caller<'_>, input: &Value) -> Answer {
        let own = text(input, "resourceOwner") == "SELF";
        let shares = match self.shares_in_view(who, own, input) {
            Ok(shares) => shares,
            Err(refused) => return refused,
        };
        let mut items = Vec::new();
        for share in shares {
            let mut item = share.shape(self.moment());
            item["featureSet"] = json!(share.origin.feature_set(self.moment()));
            // Tags are the owner's (reference §6.2, inferred).
            let tags = if own { share.tags.as_slice() } else { &[] };
            if own {
                item["tags"] = json!(tags);
            }
            let filters = input["tagFilters"].as_array().map(Vec::as_slice).unwrap_or_default();
            let tagged = |filter: &Value| {
                tags.iter().any(|tag| {
                    tag["key"] == filter["tagKey"]
                        && (texts(filter, "tagValues").is_empty()
                            || texts(filter, "tagValues").contains(&text(tag, "value").to_owned()))
                })
            };
            // Tag filters are ORed (reference §10.2).
            if allows(input, "resourceShareStatus", text(&item, "status"))
                && allows(input, "name", &share.name)
                && (input["permissionArn"].is_null()
                    || share.deleted.is_none()
                        && share.allows_by(text(input, "permissionArn"), input["permissionVersion"].as_i64()))
                && (filters.is_empty() || filters.iter().any(tagged))
            {
                items.push(item);
            }
        }
        Ok(json!({"resourceShares": items}))
    }

    pub(crate) fn get_resource_share_associations(&mut self, who: Caller<'_>, input: &Value) -> Answer {
        let shares = match self.shares_in_view(who, true, input) {
            Ok(shares) => shares,
            Err(refused) => return refused,
        };
        let mut items = Vec::new();
        for (share, row) in shares.iter().flat_map(|share| share.rows.iter().map(move |row| (share, row))) {
            let (status, since) = row.status(share, self.moment());
            if row.is_shown(self.now)
                && row.association_type() == text(input, "associationType")
                && allows(input, "associationStatus", status)
                && allows(input, "principal", &row.entity)
                && allows(input, "resourceArn", &row.entity)
            {
                items.push(json!({
                    "resourceShareArn": share.arn(), "resourceShareName": share.name,
                    "associatedEntity": row.entity, "associationType": row.association_type(), "status": status,
                    "creationTime": row.created, "lastUpdatedTime": since, "external": row.external,
                }));
            }
        }
        Ok(json!({"resourceShareAssociations": items}))
    }

    pub(crate) fn list_source_associations(&mut self, who: Caller<'_>, input: &Value) -> Answer {
        let shares = match self.shares_in_view(who, true, input) {
            Ok(shares) => shares,
            Err(refused) => return refused,
        };
        let mut items = Vec::new();
        for (share, row) in shares.iter().flat_map(|share| share.rows.iter().map(move |row| (share, row))) {
            let (status, since) = row.status(share, self.moment());
            if row.kind == Kind::Source
                && row.is_shown(self.now)
                && allows(input, "associationStatus", status)
            {
                items.push(json!({
                    "resourceShareArn": share.arn(), "sourceId": row.entity, "sourceType": "ACCOUNT",
                    "status": status, "creationTime": row.created, "lastUpdatedTime": since,
                }));
            }
        }
        Ok(json!({"sourceAssociations": items}))
    }

    /// To the owner its principals, pending ones too; to a consumer who shares with it (reference §6.1, §10.8).
    pub(crate) fn list_principals(&mut self, who: Caller<'_>, input: &Value) -> Answer {
        let own = text(input, "resourceOwner") == "SELF";
        let shares = match self.shares_in_view(who, own, input) {
            Ok(shares) => shares,
            Err(refused) => return refused,
        };
        let mut items = Vec::new();
        for share in shares.into_iter().filter(|share| share.deleted.is_none()) {
            let resources = || share.live().filter(|row| row.association_type() == "RESOURCE");
            let of_type =
                |row: &Row| matches!(row.kind, Kind::Resource(of) if allows(input, "resourceType", of.name));
            if (input["resourceArn"].is_string()
                && !resources().any(|row| allows(input, "resourceArn", &row.entity)))
                || (input["resourceType"].is_string() && !resources().any(of_type))
            {
                continue;
            }
            let mut item = |id: &str, created: i64, updated: i64, external: bool| {
                if allows(input, "principals", id) {
                    items.push(json!({
                        "id": id, "resourceShareArn": share.arn(), "creationTime": created,
                        "lastUpdatedTime": updated, "external": external,
                    }));
                }
            };
            if own {
                for row in share.live().filter(|row| row.association_type() == "PRINCIPAL") {
                    item(&row.entity, row.created, row.status(share, self.moment()).1, row.external);
                }
            } else if let Some(since) = self.seen_since(share, who.account) {
                let external = self.seen_by(share, who.account).all(|(row, _)| row.external);
                item(&share.owner, share.created, since, external);
            }
        }
        Ok(json!({"principals": items}))
    }

    pub(crate) fn list_resources(&mut self, who: Caller<'_>, input: &Value) -> Answer {
        let own = text(input, "resourceOwner") == "SELF";
        let shares = match self.shares_in_view(who, own, input) {
            Ok(shares) => shares,
            Err(refused) => return refused,
        };
        let mut items = Vec::new();
        for share in shares {
            let shared_with =
                |row: &Row| row.association_type() == "PRINCIPAL" && allows(input, "principal", &row.entity);
            let concerns = if own {
                input["principal"].is_null() || share.live().any(shared_with)
            } else {
                allows(input, "principal", &share.owner)
            };
            for row in share.live().filter(|row| concerns && row.association_type() == "RESOURCE") {
                let item = resource_shape(share, row, !own, self.moment());
                if allows(input, "resourceType", text(&item, "type"))
                    && allows(input, "resourceArns", &row.entity)
                    && allows_scope(input, text(&item, "resourceRegionScope"))
                {
                    items.push(item);
                }
            }
        }
        Ok(json!({"resources": items}))
    }
}

/// Of all types those that the model knows (reference §10.16).
pub(crate) fn list_resource_types(input: &Value) -> Value {
    let shape = |of: &Type| {
        let (service, _) = of.name.split_once(':').expect("a type has a service");
        let scope = if of.global { "GLOBAL" } else { "REGIONAL" };
        json!({"resourceType": of.name, "serviceName": service, "resourceRegionScope": scope})
    };
    let mut items: Vec<Value> = TYPES.iter().map(shape).collect();
    items.retain(|item| allows_scope(input, text(item, "resourceRegionScope")));
    json!({"resourceTypes": items})
}

/// Whether a filter of scopes allows one.
fn allows_scope(input: &Value, scope: &str) -> bool {
    input["resourceRegionScope"] == "ALL" || allows(input, "resourceRegionScope", scope)
}

/// A resource of a share, to its owner or to a consumer.
pub(crate) fn resource_shape(share: &Share, row: &Row, consumer: bool, moment: Moment) -> Value {
    let Kind::Resource(of) = row.kind else { return Value::Null };
    let (status, since) = row.status(share, moment);
    let mut item = json!({
        "arn": row.entity, "type": of.name, "resourceShareArn": share.arn(), "creationTime": row.created,
        "lastUpdatedTime": since,
        "resourceRegionScope": if of.global { "GLOBAL" } else { "REGIONAL" },
    });
    if consumer {
        item["status"] = json!(if status == "ASSOCIATED" { "AVAILABLE" } else { "PENDING" });
    }
    item
}
