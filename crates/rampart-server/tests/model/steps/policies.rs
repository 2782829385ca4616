//! Policies on resources, and the promotion of what RAM made of them.

use serde_json::json;

use super::{Chooser, REGION, What, call};
use crate::share::Origin;

impl Chooser<'_> {
    pub(super) fn put_policies(&mut self) -> What {
        let made: Vec<_> =
            self.world.shares.iter().filter(|share| share.origin == Origin::Policy).cloned().collect();
        if made.is_empty() || self.one_in(3) {
            return self.put_policy();
        }
        let share = self.dice.pick(&made).clone();
        let policy = self.world.resource_policies.iter().find(|one| share.name == one.resource);
        match (self.dice.below(6), policy) {
            (0, Some(policy)) => {
                let input = json!({"resourceArn": policy.resource});
                let operation =
                    if self.one_in(2) { "rampart:GetResourcePolicy" } else { "rampart:DeleteResourcePolicy" };
                call(&share.owner, &share.region, operation, input)
            }
            (1 | 2, _) => {
                let name = format!("p{}", self.dice.below(3));
                let input = json!({"permissionArn": share.permissions[0].arn, "name": name});
                call(&share.owner, &share.region, "PromotePermissionCreatedFromPolicy", input)
            }
            // Which of several permissions that say the same is chosen is nobody's business.
            _ if self.world.matching(&share).len() > 1 => self.put_policy(),
            _ => {
                let input = json!({"resourceShareArn": share.arn()});
                call(&share.owner, &share.region, "PromoteResourceShareCreatedFromPolicy", input)
            }
        }
    }

    fn put_policy(&mut self) -> What {
        let owner = self.account();
        let number = 1 + self.dice.below(2);
        let resource = format!("arn:aws:imagebuilder:{REGION}:{owner}:component/c/1.0.{number}");
        let action = *self.dice.pick(&["imagebuilder:GetComponent", "imagebuilder:ListComponents"]);
        let mut principals = vec![self.account().to_owned()];
        if self.one_in(3) {
            principals.push(format!("arn:aws:iam::{}:role/r", self.account()));
        }
        let statement = json!({"Effect": "Allow", "Principal": {"AWS": principals}, "Action": action});
        let policy = json!({"Version": "2012-10-17", "Statement": [statement]}).to_string();
        call(owner, REGION, "rampart:PutResourcePolicy", json!({"resourceArn": resource, "policy": policy}))
    }
}
