//! What is read after a step, by chance, and at the end of a sequence, by everybody.

use serde_json::{Value, json};

use crate::catalog::GLOBAL_REGION;
use crate::organization::Organization;
use crate::share::Share;
use crate::steps::{ACCOUNTS, Call, Chooser};
use crate::world::World;

/// The lists that everybody may ask for without naming anything.
const PLAIN: [(&str, &str); 16] = [
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
    ("ListResourceTypes", "{}"),
    ("ListPermissions", r#"{"resourceOwner": "SELF"}"#),
    ("ListPermissions", r#"{"resourceOwner": "OTHER-ACCOUNTS"}"#),
    ("ListPermissionAssociations", "{}"),
    ("ListPermissionAssociations", r#"{"resourceOwner": "OTHER-ACCOUNTS"}"#),
    ("ListReplacePermissionAssociationsWork", "{}"),
];

const SERVICE_CONTROL: &str = "SERVICE_CONTROL_POLICY";

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
        let held = share.live().filter(|row| row.association_type() == "RESOURCE");
        let held: Vec<&str> = held.map(|row| row.entity.as_str()).collect();
        if !held.is_empty() {
            let input = json!({"resourceArns": held});
            calls.push(Call::new(&share.owner, &share.region, "GetResourcePolicies", input));
        }
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
        for operation in ["ListRoots", "ListPolicies", "ListCreateAccountStatus"] {
            ask(operation, json!({"Filter": SERVICE_CONTROL}));
        }
        for parent in of.units.iter().map(|unit| &unit.label).chain([&of.root]) {
            ask("ListPoliciesForTarget", json!({"TargetId": parent, "Filter": SERVICE_CONTROL}));
            ask("ListChildren", json!({"ParentId": parent, "ChildType": "ACCOUNT"}));
            ask("ListChildren", json!({"ParentId": parent, "ChildType": "ORGANIZATIONAL_UNIT"}));
        }
    }
    calls
}

impl Chooser<'_> {
    /// What an organization is asked, by one of its accounts: mostly by the one that may.
    fn read_organization(&mut self) -> Option<Call> {
        let of = self.world.organizations.get(self.dice.below(self.world.organizations.len()))?;
        let account = if self.dice.below(10) == 0 { self.account() } else { &of.management };
        let mut units: Vec<&str> = of.units.iter().map(|unit| unit.label.as_str()).collect();
        units.push("<unit-0>");
        let unit = *self.dice.pick(&units);
        let parent = if self.dice.below(2) == 0 { &of.root } else { unit };
        let policy = self.policy(of);
        let member = self.dice.pick(&of.members).account.as_str();
        let place = *self.dice.pick(&[parent, parent, member]);
        let (operation, input) = match self.dice.below(16) {
            0 => ("DescribeAccount", json!({"AccountId": member})),
            1 => ("DescribeOrganizationalUnit", json!({"OrganizationalUnitId": unit})),
            2 => ("ListAccountsForParent", json!({"ParentId": parent})),
            3 => ("ListOrganizationalUnitsForParent", json!({"ParentId": parent})),
            4 => ("ListParents", json!({"ChildId": self.dice.pick(&[unit, member])})),
            5 => ("ListAWSServiceAccessForOrganization", json!({})),
            6 => ("ListRoots", json!({})),
            7 => ("ListAccounts", json!({})),
            8 => ("DescribePolicy", json!({"PolicyId": policy})),
            9 => ("ListPolicies", json!({"Filter": SERVICE_CONTROL})),
            10 => ("ListPoliciesForTarget", json!({"TargetId": place, "Filter": SERVICE_CONTROL})),
            11 => ("ListTargetsForPolicy", json!({"PolicyId": policy})),
            12 => (
                "ListTagsForResource",
                json!({"ResourceId": if self.dice.below(2) == 0 { place } else { &policy }}),
            ),
            13 => ("ListCreateAccountStatus", json!({"States": [self.dice.pick(&["FAILED", "SUCCEEDED"])]})),
            14 => {
                let known = self.world.creations.last().map_or("<creation-0>", |one| one.label.as_str());
                ("DescribeCreateAccountStatus", json!({"CreateAccountRequestId": known}))
            }
            _ => {
                let sent = self.world.handshakes.last().map_or("<handshake-0>", |sent| sent.label.as_str());
                ("DescribeHandshake", json!({"HandshakeId": sent}))
            }
        };
        Some(Call::new(account, "eu-west-1", operation, input))
    }

    /// A policy of an organization, AWS's included; now and then none.
    pub(crate) fn policy(&mut self, of: &Organization) -> String {
        match of.control.policies.get(self.dice.below(of.control.policies.len() + 1)) {
            Some(policy) => policy.label.clone(),
            None if self.dice.below(12) == 0 => "<policy-0>".to_owned(),
            None => "p-FullAWSAccess".to_owned(),
        }
    }

    /// The policies of resources of a share and others, perhaps as far as they concern one principal.
    fn read_policies(&mut self, share: &Share) -> Call {
        let (mut arns, mut principals) = (Vec::new(), Vec::new());
        for row in &share.rows {
            match row.association_type() {
                "RESOURCE" => arns.push(row.entity.clone()),
                "PRINCIPAL" => principals.push(row.entity.clone()),
                _ => {}
            }
        }
        arns.truncate(1 + self.dice.below(3));
        if arns.is_empty() || self.dice.below(4) == 0 {
            arns.push(self.resource(&share.owner, &share.region));
        }
        let mut input = json!({"resourceArns": arns});
        if !principals.is_empty() && self.dice.below(2) == 0 {
            input["principal"] = json!(self.dice.pick(&principals));
        }
        let account = if self.dice.below(12) == 0 { self.account() } else { &share.owner };
        Call::new(account, &share.region, "GetResourcePolicies", input)
    }

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
        if self.dice.below(6) == 0
            && let Some(call) = self.read_organization()
        {
            return call;
        }
        let (operation, mut input) = plain(self.dice.below(PLAIN.len()));
        let Some(share) = (!self.world.shares.is_empty()).then(|| self.dice.pick(&self.world.shares)) else {
            return Call::new(account, region, operation, input);
        };
        if self.dice.below(12) == 0 {
            let input = json!({"resourceShareArn": share.arn()});
            return Call::new(account, &share.region, "ListResourceSharePermissions", input);
        }
        if self.dice.below(10) == 0 {
            return self.read_policies(&share.clone());
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
                input["resourceShareStatus"] =
                    json!(self.dice.pick(&["ACTIVE", "DELETED", "DELETING", "PENDING"]));
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
                let statuses = ["ASSOCIATING", "ASSOCIATED", "DISASSOCIATING", "DISASSOCIATED"];
                input["associationStatus"] = json!(self.dice.pick(&statuses));
            }
            ("ListPrincipals", 0) if kind == "RESOURCE" => input["resourceArn"] = json!(entity),
            ("ListPrincipals" | "ListResources", 1) => {
                input["resourceType"] = json!(self.dice.pick(&crate::catalog::TYPES).name);
            }
            ("ListPrincipals", _) if kind == "PRINCIPAL" => {
                input["principals"] = json!([entity, share.owner]);
            }
            ("ListResources", 0) if kind == "RESOURCE" => input["resourceArns"] = json!([entity]),
            ("ListResources", 2) if kind == "PRINCIPAL" && input["resourceOwner"] == "SELF" => {
                input["principal"] = json!(entity);
            }
            ("ListResources", 2) => input["principal"] = json!(share.owner),
            ("ListResources" | "ListResourceTypes", 3) => {
                input["resourceRegionScope"] = json!(self.dice.pick(&["GLOBAL", "REGIONAL", "ALL"]));
            }
            _ => {}
        }
        Call::new(account, region, operation, input)
    }
}
