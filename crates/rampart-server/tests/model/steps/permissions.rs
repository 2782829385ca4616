//! Calls about permissions and tags.

use serde_json::{Value, json};

use super::{Chooser, REGION, What, call};
use crate::permission::{CUSTOM_TYPE, MANAGED, Permission, managed_arn};
use crate::share::Share;

impl Chooser<'_> {
    pub(super) fn permit(&mut self) -> What {
        const TEMPLATES: [&str; 2] = [
            r#"{"Effect": "Allow", "Action": "imagebuilder:GetComponent"}"#,
            r#"{"Effect": "Allow", "Action": "imagebuilder:ListComponents"}"#,
        ];
        let template = *self.dice.pick(&TEMPLATES);
        let permissions: Vec<&Permission> = self.world.permissions.iter().filter(|one| !one.made).collect();
        let known = permissions.get(self.dice.below(permissions.len())).copied().filter(|_| !self.one_in(6));
        let (account, region) = match (known, self.share()) {
            (Some(known), _) => (known.owner.clone(), known.region.clone()),
            (None, Some(share)) => (share.owner, share.region),
            _ => (self.account().to_owned(), REGION.to_owned()),
        };
        let own = known.map(Permission::arn);
        let own = own
            .unwrap_or_else(|| format!("arn:aws:ram:{region}:{account}:permission/p{}", self.dice.below(3)));
        let shares =
            self.world.shares.iter().filter(|share| share.owner == account && share.region == region);
        let shares: Vec<&Share> = shares.collect();
        let share = if shares.is_empty() { self.share() } else { Some((*self.dice.pick(&shares)).clone()) };
        let any = if self.one_in(2) { own.clone() } else { self.permission(&account, &region) };
        let of_share = share.map(|share| share.arn());
        let mut input = json!({"permissionArn": own});
        let roll = self.dice.below(24);
        let operation = match (roll, of_share) {
            (0..6, _) => {
                let name = format!("p{}", self.dice.below(3));
                input = json!({"name": name, "resourceType": CUSTOM_TYPE, "policyTemplate": template});
                "CreatePermission"
            }
            (6 | 7, _) => {
                input["policyTemplate"] = json!(template);
                "CreatePermissionVersion"
            }
            (8 | 9, _) => {
                input["permissionVersion"] = json!(1 + self.dice.below(4));
                if self.one_in(2) { "SetDefaultPermissionVersion" } else { "DeletePermissionVersion" }
            }
            (10, _) => "DeletePermission",
            (11 | 12, _) => {
                input["status"] = json!(if self.one_in(2) { "DEPRECATED" } else { "ATTACHABLE" });
                "UpdatePermission"
            }
            (13 | 14, _) => {
                let to = self.permission(&account, &region);
                input = json!({"fromPermissionArn": any, "toPermissionArn": if self.one_in(2) { &to } else { &own }});
                if self.one_in(3) {
                    let default = "AWSRAMDefaultPermissionImageBuilderComponent";
                    input["fromPermissionArn"] = json!(managed_arn(default));
                }
                if self.one_in(3) {
                    input["fromPermissionVersion"] = json!(1 + self.dice.below(2));
                }
                "ReplacePermissionAssociations"
            }
            (15, _) => {
                input = json!({"resourceArn": own});
                self.name_tags(&mut input)
            }
            (16, Some(share)) => {
                input = json!({"resourceShareArn": share});
                self.name_tags(&mut input)
            }
            (17 | 18, Some(share)) => {
                input = json!({"resourceShareArn": share, "permissionArn": any});
                "DisassociateResourceSharePermission"
            }
            (_, Some(share)) => {
                input = json!({"resourceShareArn": share, "permissionArn": any, "replace": !self.one_in(3)});
                if self.one_in(5) {
                    input["permissionVersion"] = json!(1 + self.dice.below(2));
                }
                "AssociateResourceSharePermission"
            }
            _ => return What::Advance(1),
        };
        call(&account, &region, operation, input)
    }

    fn name_tags(&mut self, input: &mut Value) -> &'static str {
        if self.one_in(3) {
            input["tagKeys"] = json!(["k"]);
            return "UntagResource";
        }
        let (key, value) = (self.dice.pick(&["k", "x"]).to_owned(), format!("v{}", self.dice.below(2)));
        input["tags"] = json!([{"key": key, "value": value}]);
        "TagResource"
    }

    /// One of AWS's, or one of the account's own: known by few names, so that they come again.
    pub(super) fn permission(&mut self, account: &str, region: &str) -> String {
        if self.one_in(3) {
            let (name, ..) = *self.dice.pick(&MANAGED);
            return managed_arn(name);
        }
        format!("arn:aws:ram:{region}:{account}:permission/p{}", self.dice.below(3))
    }
}
