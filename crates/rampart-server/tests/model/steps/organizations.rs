//! Calls of Organizations.

use serde_json::json;

use super::{ACCOUNTS, Call, Chooser, REGION, What, call};

impl Chooser<'_> {
    pub(super) fn organize(&mut self) -> What {
        let Some(of) = self.world.organizations.get(self.dice.below(self.world.organizations.len() + 1))
        else {
            let operation = if self.one_in(3) { self.begin_in_vain() } else { "CreateOrganization" };
            let features =
                if self.one_in(10) { json!({"FeatureSet": "CONSOLIDATED_BILLING"}) } else { json!({}) };
            let account = ACCOUNTS[self.dice.below(2)];
            return call(account, REGION, operation, features);
        };
        let (management, root) = (of.management.clone(), of.root.clone());
        let decides = if self.one_in(20) { self.account() } else { &management };
        let account = self.account();
        let parents: Vec<&str> =
            of.units.iter().map(|unit| unit.label.as_str()).chain([root.as_str()]).collect();
        let parent = (*self.dice.pick(&parents)).to_owned();
        // The management account comes first, and can do little of what others can.
        let least = usize::from(of.members.len() > 1 && !self.one_in(8));
        let member = self.dice.pick(&of.members[least..]).clone();
        let manage = |operation, input| What::Call(Call::new(decides, REGION, operation, input));
        match self.dice.below(31) {
            30 => {
                let input =
                    json!({"Email": format!("x{}@example.com", self.dice.below(3)), "AccountName": "x"});
                manage("CreateAccount", input)
            }
            0..5 => {
                manage("InviteAccountToOrganization", json!({"Target": {"Type": "ACCOUNT", "Id": account}}))
            }
            5..13 => self.end_handshake(),
            13..18 => What::Call(Call::new(decides, REGION, "EnableSharingWithAwsOrganization", json!({}))),
            18 => manage("EnableAWSServiceAccess", json!({"ServicePrincipal": "ram.amazonaws.com"})),
            19 => manage("DisableAWSServiceAccess", json!({"ServicePrincipal": "ram.amazonaws.com"})),
            20..22 => manage("RemoveAccountFromOrganization", json!({"AccountId": member.account})),
            22 => manage("RemoveAccountFromOrganization", json!({"AccountId": account})),
            23 => call(&member.account, REGION, "LeaveOrganization", json!({})),
            24 => manage("DeleteOrganization", json!({})),
            25 => {
                let name = format!("u{}", self.dice.below(2));
                manage("CreateOrganizationalUnit", json!({"ParentId": parent, "Name": name}))
            }
            26 => manage("DeleteOrganizationalUnit", json!({"OrganizationalUnitId": parent})),
            27 => manage("CloseAccount", json!({"AccountId": member.account})),
            _ => {
                let input = json!({
                    "AccountId": member.account, "SourceParentId": member.parent, "DestinationParentId": parent,
                });
                manage("MoveAccount", input)
            }
        }
    }

    /// Policies, what they are attached to, names and tags.
    pub(super) fn control(&mut self) -> Option<What> {
        const CONTENT: &str =
            r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;
        let of = self.world.organizations.first()?;
        let decides = if self.one_in(20) { self.account() } else { &of.management };
        let units: Vec<&str> = of.units.iter().map(|unit| unit.label.as_str()).collect();
        let unit = if units.is_empty() { "<unit-0>" } else { *self.dice.pick(&units) };
        let parent = if self.one_in(2) { &of.root } else { unit };
        let name = format!("p{}", self.dice.below(3));
        let policy = self.policy(of);
        let account = self.dice.pick(&of.members).account.clone();
        let place = if self.one_in(2) { parent } else { &account };
        let (root, kind) = (&of.root, "SERVICE_CONTROL_POLICY");
        let tags = json!([{"Key": self.dice.pick(&["k", "x"]), "Value": name}]);
        let resource = if self.one_in(2) { place } else { &policy };
        let (operation, input) = match self.dice.below(18) {
            0..3 => ("EnablePolicyType", json!({"RootId": root, "PolicyType": kind})),
            3 if self.one_in(3) => ("DisablePolicyType", json!({"RootId": root, "PolicyType": kind})),
            3..7 => {
                let input = json!({"Name": name, "Description": "", "Content": CONTENT, "Type": kind});
                ("CreatePolicy", input)
            }
            7 => ("UpdatePolicy", json!({"PolicyId": policy, "Name": name})),
            8 => ("DeletePolicy", json!({"PolicyId": policy})),
            9..13 => ("AttachPolicy", json!({"PolicyId": policy, "TargetId": place})),
            13 | 14 => ("DetachPolicy", json!({"PolicyId": policy, "TargetId": place})),
            15 => ("organizations:TagResource", json!({"ResourceId": resource, "Tags": tags})),
            16 => ("organizations:UntagResource", json!({"ResourceId": resource, "TagKeys": ["k"]})),
            _ => {
                let name = format!("u{}", self.dice.below(2));
                ("UpdateOrganizationalUnit", json!({"OrganizationalUnitId": unit, "Name": name}))
            }
        };
        Some(call(decides, REGION, operation, input))
    }

    fn begin_in_vain(&mut self) -> &'static str {
        const IN_VAIN: [&str; 3] =
            ["EnableSharingWithAwsOrganization", "LeaveOrganization", "DescribeOrganization"];
        IN_VAIN[self.dice.below(IN_VAIN.len())]
    }

    fn end_handshake(&mut self) -> What {
        if self.world.handshakes.is_empty() {
            return What::Advance(1);
        }
        // The last are those that wait.
        let from = self.world.handshakes.len().saturating_sub(2);
        let sent = self.dice.pick(&self.world.handshakes[from..]).clone();
        let (operation, account) = match self.dice.below(8) {
            0 => ("DeclineHandshake", sent.target.as_str()),
            1 => ("CancelHandshake", sent.management.as_str()),
            2 => ("AcceptHandshake", self.account()),
            _ => ("AcceptHandshake", sent.target.as_str()),
        };
        call(account, REGION, operation, json!({"HandshakeId": sent.label}))
    }
}
