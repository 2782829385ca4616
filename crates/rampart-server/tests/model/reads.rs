//! What is read after a step, by chance, and at the end of a sequence, by everybody.

use serde_json::{Value, json};

use crate::share::GLOBAL_REGION;
use crate::steps::{ACCOUNTS, Call, Chooser};
use crate::world::World;

/// The lists that everybody may ask for without naming anything.
const PLAIN: [(&str, &str); 15] = [
    ("GetResourceShares", r#"{"resourceOwner": "SELF"}"#),
    ("GetResourceShares", r#"{"resourceOwner": "OTHER-ACCOUNTS"}"#),
    ("GetResourceShareAssociations", r#"{"associationType": "PRINCIPAL"}"#),
    ("GetResourceShareAssociations", r#"{"associationType": "RESOURCE"}"#),
    ("GetResourceShareInvitations", "{}"),
    ("ListPrincipals", r#"{"resourceOwner": "SELF"}"#),
    ("ListPrincipals", r#"{"resourceOwner": "OTHER-ACCOUNTS"}"#),
    ("ListResources", r#"{"resourceOwner": "SELF"}"#),
    ("ListResources", r#"{"resourceOwner": "OTHER-ACCOUNTS"}"#),
    ("ListSourceAssociations", "{}"),
    ("ListPermissions", r#"{"resourceOwner": "SELF"}"#),
    ("ListPermissions", r#"{"resourceOwner": "OTHER-ACCOUNTS"}"#),
    ("ListPermissionAssociations", "{}"),
    ("ListPermissionAssociations", r#"{"resourceOwner": "OTHER-ACCOUNTS"}"#),
    ("ListReplacePermissionAssociationsWork", "{}"),
];

fn plain(at: usize) -> (&'static str, Value) {
    let (operation, input) = PLAIN[at];
    (operation, serde_json::from_str(input).expect("the table holds JSON"))
}

/// Every read of every account.
pub(crate) fn all(world: &World) -> Vec<Call> {
    let mut calls = Vec::new();
    let abroad = world.shares.iter().any(|share| share.region == GLOBAL_REGION);
    let regions = if abroad { &["eu-west-1", GLOBAL_REGION][..] } else { &["eu-west-1"] };
    for account in ACCOUNTS {
        for region in regions {
            let mine = (0..PLAIN.len()).map(plain);
            calls.extend(mine.map(|(operation, input)| Call::new(account, region, operation, input)));
        }
        let organizations = [("DescribeOrganization", json!({})), ("ListHandshakesForAccount", json!({}))];
        calls.extend(
            organizations.map(|(operation, input)| Call::new(account, "eu-west-1", operation, input)),
        );
    }
    for share in &world.shares {
        let input = json!({"resourceShareArn": share.arn()});
        calls.push(Call::new(&share.owner, &share.region, "ListResourceSharePermissions", input));
    }
    for one in &world.permissions {
        for operation in ["GetPermission", "ListPermissionVersions"] {
            calls.push(Call::new(&one.owner, &one.region, operation, json!({"permissionArn": one.arn()})));
        }
    }
    for of in &world.organizations {
        let mut ask = |operation, input| calls.push(Call::new(&of.management, "eu-west-1", operation, input));
        ask("ListAccounts", json!({}));
        ask("ListHandshakesForOrganization", json!({}));
        for parent in of.units.iter().map(|unit| &unit.label).chain([&of.root]) {
            ask("ListChildren", json!({"ParentId": parent, "ChildType": "ACCOUNT"}));
            ask("ListChildren", json!({"ParentId": parent, "ChildType": "ORGANIZATIONAL_UNIT"}));
        }
    }
    calls
}

impl Chooser<'_> {
    /// A list, narrowed down by what there is or was.
    pub(crate) fn read(&mut self) -> Call {
        let (account, region) = (self.account(), self.region());
        if let (0, false) = (self.dice.below(8), self.world.invitations.is_empty()) {
            let invitation = self.dice.pick(&self.world.invitations);
            let input = json!({"resourceShareInvitationArn": invitation.arn()});
            return Call::new(
                &invitation.receiver,
                &invitation.region,
                "ListPendingInvitationResources",
                input,
            );
        }
        let (operation, mut input) = plain(self.dice.below(PLAIN.len()));
        let Some(share) = (!self.world.shares.is_empty()).then(|| self.dice.pick(&self.world.shares)) else {
            return Call::new(account, region, operation, input);
        };
        if self.dice.below(12) == 0 {
            let input = json!({"resourceShareArn": share.arn()});
            return Call::new(account, &share.region, "ListResourceSharePermissions", input);
        }
        let half = self.dice.below(2) == 0;
        let (account, region) = if half {
            (share.owner.as_str(), share.region.as_str())
        } else {
            (account, share.region.as_str())
        };
        if self.dice.below(3) == 0 && !operation.contains("Permission") {
            input["resourceShareArns"] = json!([share.arn()]);
        }
        let attached = (!share.permissions.is_empty()).then(|| self.dice.pick(&share.permissions));
        let row = (!share.rows.is_empty()).then(|| self.dice.pick(&share.rows));
        let (entity, kind) = row.map_or(("", ""), |row| (row.entity.as_str(), row.association_type()));
        let filter = self.dice.below(4);
        match (operation, filter) {
            ("GetResourceShares", 0) => input["name"] = json!(share.name),
            ("GetResourceShares", 1) => {
                input["resourceShareStatus"] = json!(self.dice.pick(&["ACTIVE", "DELETED", "PENDING"]));
            }
            ("GetResourceShares", 2) => {
                input["tagFilters"] = json!([{"tagKey": "k", "tagValues": ["v1"]}, {"tagKey": "x"}]);
            }
            ("GetResourceShares", 3) => {
                if let Some(one) = attached {
                    input["permissionArn"] = json!(one.arn);
                    input["permissionVersion"] = json!(one.version);
                }
            }
            ("ListPermissionAssociations", 0) => input["permissionArn"] = json!(attached.map(|one| &one.arn)),
            ("ListPermissionAssociations", 1) => input["resourceShareArn"] = json!(share.arn()),
            ("ListPermissionAssociations", 2) => input["defaultVersion"] = json!(true),
            ("GetResourceShareAssociations", 0) if input["associationType"] == kind => {
                input[if kind == "RESOURCE" { "resourceArn" } else { "principal" }] = json!(entity);
            }
            ("GetResourceShareAssociations" | "ListSourceAssociations", 1) => {
                let statuses = ["ASSOCIATING", "ASSOCIATED", "DISASSOCIATED"];
                input["associationStatus"] = json!(self.dice.pick(&statuses));
            }
            ("ListPrincipals", 0) if kind == "RESOURCE" => input["resourceArn"] = json!(entity),
            ("ListPrincipals" | "ListResources", 1) => {
                input["resourceType"] = json!(self.dice.pick(&crate::share::TYPES).name);
            }
            ("ListPrincipals", _) if kind == "PRINCIPAL" => {
                input["principals"] = json!([entity, share.owner]);
            }
            ("ListResources", 0) if kind == "RESOURCE" => input["resourceArns"] = json!([entity]),
            ("ListResources", 2) if kind == "PRINCIPAL" && input["resourceOwner"] == "SELF" => {
                input["principal"] = json!(entity);
            }
            ("ListResources", 2) => input["principal"] = json!(share.owner),
            ("ListResources", 3) => {
                input["resourceRegionScope"] = json!(self.dice.pick(&["GLOBAL", "REGIONAL"]));
            }
            _ => {}
        }
        Call::new(account, region, operation, input)
    }
}
