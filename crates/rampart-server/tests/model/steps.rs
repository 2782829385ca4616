//! What may happen: one step after another, chosen by chance from what there is.

use std::fmt;

use rampart_testkit::dice::Dice;
use serde_json::{Value, json};

use crate::permission::{CUSTOM_TYPE, MANAGED, Permission, managed_arn};
use crate::share::{GLOBAL_REGION, Share, TYPES};
use crate::world::{DAY, HOUR, World};

pub(crate) const ACCOUNTS: [&str; 4] = ["<A>", "<B>", "<C>", "<D>"];
const REGION: &str = "eu-west-1";

/// One step, and its number among those that were chosen together: what it makes is labelled with it.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub(crate) number: usize,
    pub(crate) what: What,
}

#[derive(Clone, Debug)]
pub(crate) enum What {
    Call(Call),
    /// So many milliseconds pass.
    Advance(i64),
    /// Background work is done.
    Sweep,
}

/// A call of RAM, or of Organizations.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) account: String,
    pub(crate) region: String,
    pub(crate) operation: &'static str,
    pub(crate) input: Value,
}

impl Call {
    pub(crate) fn new(account: &str, region: &str, operation: &'static str, input: Value) -> Self {
        Self { account: account.to_owned(), region: region.to_owned(), operation, input }
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in {}: {} {}", self.account, self.region, self.operation, self.input)
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.what {
            What::Call(call) => write!(f, "{:3}. {call}", self.number),
            What::Advance(ms) => write!(f, "{:3}. {} h and {} ms pass", self.number, ms / HOUR, ms % HOUR),
            What::Sweep => write!(f, "{:3}. background work is done", self.number),
        }
    }
}

/// Chooses steps and reads.
pub(crate) struct Chooser<'a> {
    pub(crate) dice: &'a mut Dice,
    pub(crate) world: &'a World,
}

impl Chooser<'_> {
    /// A sequence has a theme, so that it gets far in something.
    pub(crate) fn step(&mut self, number: usize, theme: u64) -> What {
        if let Some(call) = self.prologue(number) {
            return What::Call(call);
        }
        let themes = [100, 20, 72, 90];
        let theme = themes[usize::try_from(theme % 4).expect("below four")];
        match if self.one_in(3) && theme < 100 { theme } else { self.dice.below(100) } {
            0..14 => self.create(),
            14..34 => self.change(),
            34..54 => self.answer(),
            54..58 => self.leave(),
            58..66 => What::Advance(self.duration()),
            66..70 => What::Sweep,
            70..84 => self.permit(),
            _ => self.organize(),
        }
    }

    /// Most sequences begin with an organization that somebody joins: by chance alone that takes long.
    fn prologue(&mut self, number: usize) -> Option<Call> {
        let (by, operation, input) = match number {
            1 if self.one_in(4) => return None,
            1 => ("<A>", "CreateOrganization", json!({})),
            _ if number > 7 || self.world.organizations.is_empty() => return None,
            2 => ("<A>", "InviteAccountToOrganization", json!({"Target": {"Type": "ACCOUNT", "Id": "<B>"}})),
            3 => ("<B>", "AcceptHandshake", json!({"HandshakeId": "<handshake-2>"})),
            4 => ("<A>", "EnableSharingWithAwsOrganization", json!({})),
            5 => ("<A>", "CreateOrganizationalUnit", json!({"ParentId": "<root-1>", "Name": "u0"})),
            6 => ("<A>", "InviteAccountToOrganization", json!({"Target": {"Type": "ACCOUNT", "Id": "<C>"}})),
            _ => ("<C>", "AcceptHandshake", json!({"HandshakeId": "<handshake-6>"})),
        };
        (!self.one_in(12)).then(|| Call::new(by, REGION, operation, input))
    }

    fn one_in(&mut self, of: usize) -> bool {
        self.dice.below(of) == 0
    }

    pub(crate) fn account(&mut self) -> &'static str {
        ACCOUNTS[self.dice.below(ACCOUNTS.len())]
    }

    pub(crate) fn region(&mut self) -> &'static str {
        if self.one_in(8) { GLOBAL_REGION } else { REGION }
    }

    /// Exact times matter most: when something is over, and just before.
    fn duration(&mut self) -> i64 {
        let now = self.world.now;
        let deadlines = self.world.invitations.iter().map(|invitation| invitation.deadline);
        let vanishing = self.world.shares.iter().filter_map(|share| share.deleted).map(|at| at + 2 * HOUR);
        let next = deadlines.chain(vanishing).filter(|at| *at > now + 1).min();
        match (self.dice.below(8), next) {
            (0 | 1, Some(next)) => next - now,
            (2, Some(next)) => next - now - 1,
            (3, _) => 12 * HOUR,
            (4, _) => 7 * DAY,
            (5, _) => 2 * HOUR,
            (6, _) => HOUR,
            _ => 1,
        }
    }

    fn some_of(&mut self, of: impl Fn(&mut Self) -> String) -> Vec<String> {
        let count = [0, 1, 1, 2][self.dice.below(4)];
        (0..count).map(|_| of(self)).collect()
    }

    fn resource(&mut self, account: &str, region: &str) -> String {
        let of = &TYPES[[0, 0, 0, 1, 1, 1, 2, 2, 3, 4][self.dice.below(10)]];
        let (service, _) = of.name.split_once(':').expect("a type has a service");
        let (number, owner) =
            (1 + self.dice.below(2), if self.one_in(30) { self.account() } else { account });
        let region = if of.global { "" } else { region };
        format!("arn:aws:{service}:{region}:{owner}:{}{number}", of.stem)
    }

    fn principal(&mut self, owner: &str) -> String {
        let account = self.account();
        match self.dice.below(24) {
            0..14 => account.to_owned(),
            14 | 15 => format!("arn:aws:iam::{account}:role/r"),
            16 => format!("arn:aws:iam::{account}:user/u"),
            17 => "acm.amazonaws.com".to_owned(),
            _ if self.world.shares_within(owner).is_some() || self.one_in(6) => self.organizational(owner),
            _ => account.to_owned(),
        }
    }

    /// Mostly of the owner's own organization.
    fn organizational(&mut self, owner: &str) -> String {
        let own = self.world.organization_of(owner);
        let any = self.world.organizations.first();
        let Some(of) = (if self.one_in(5) { any } else { own.or(any) }) else {
            return format!("arn:aws:organizations::{owner}:organization/<org-0>");
        };
        let prefix = format!("arn:aws:organizations::{}", of.management);
        if of.units.is_empty() || self.one_in(2) {
            return format!("{prefix}:organization/{}", of.label);
        }
        format!("{prefix}:ou/{}/{}", of.label, self.dice.pick(&of.units).label)
    }

    fn create(&mut self) -> What {
        let (account, region) = (self.account(), self.region());
        let mut input = json!({"name": format!("n{}", self.dice.below(3))});
        input["resourceArns"] = json!(self.some_of(|of| of.resource(account, region)));
        input["principals"] = json!(self.some_of(|of| of.principal(account)));
        if self.one_in(3) {
            let inside = self.world.shares_within(account).is_some();
            input["allowExternalPrincipals"] = json!(!self.one_in(if inside { 2 } else { 6 }));
        }
        if self.one_in(6) {
            input["resourceShareConfiguration"] = json!({"retainSharingOnAccountLeaveOrganization": true});
        }
        if self.one_in(3) {
            input["tags"] = json!([{"key": "k", "value": format!("v{}", self.dice.below(2))}]);
        }
        if self.one_in(40) {
            input["sources"] = json!([self.account()]);
        }
        if self.one_in(4) {
            input["permissionArns"] = json!(self.some_of(|of| of.permission(account, region)));
        }
        call(account, region, "CreateResourceShare", input)
    }

    /// One of AWS's, or one of the account's own: known by few names, so that they come again.
    fn permission(&mut self, account: &str, region: &str) -> String {
        if self.one_in(3) {
            let (name, ..) = *self.dice.pick(&MANAGED);
            return managed_arn(name);
        }
        format!("arn:aws:ram:{region}:{account}:permission/p{}", self.dice.below(3))
    }

    fn permit(&mut self) -> What {
        const TEMPLATE: &str = r#"{"Effect": "Allow", "Action": "imagebuilder:GetComponent"}"#;
        let permissions = &self.world.permissions;
        let known = permissions.get(self.dice.below(permissions.len())).filter(|_| !self.one_in(6));
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
                input = json!({"name": name, "resourceType": CUSTOM_TYPE, "policyTemplate": TEMPLATE});
                "CreatePermission"
            }
            (6 | 7, _) => {
                input["policyTemplate"] = json!(TEMPLATE);
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

    /// A share: mostly one that is there still.
    fn share(&mut self) -> Option<Share> {
        let live: Vec<&Share> = self.world.shares.iter().filter(|share| share.deleted.is_none()).collect();
        if live.is_empty() || self.one_in(12) {
            return (!self.world.shares.is_empty()).then(|| self.dice.pick(&self.world.shares).clone());
        }
        Some((*self.dice.pick(&live)).clone())
    }

    fn change(&mut self) -> What {
        let Some(share) = self.share() else { return self.create() };
        let stranger = self.one_in(25);
        let account = if stranger { self.account().to_owned() } else { share.owner.clone() };
        let region = if self.one_in(40) { self.region().to_owned() } else { share.region.clone() };
        let mut input = json!({"resourceShareArn": share.arn()});
        let operation = match self.dice.below(20) {
            0..9 => {
                input["resourceArns"] = json!(self.some_of(|of| of.resource(&share.owner, &share.region)));
                input["principals"] = json!(self.some_of(|of| of.principal(&share.owner)));
                if self.one_in(15) {
                    input["sources"] = json!([self.account()]);
                }
                "AssociateResourceShare"
            }
            9..15 => {
                self.name_rows(&share, &mut input);
                "DisassociateResourceShare"
            }
            15..18 => {
                if self.one_in(2) {
                    input["name"] = json!(format!("n{}", self.dice.below(3)));
                }
                if input["name"].is_null() || self.one_in(2) {
                    input["allowExternalPrincipals"] = json!(self.one_in(2));
                }
                "UpdateResourceShare"
            }
            _ => "DeleteResourceShare",
        };
        let is_empty = |member| input[member].as_array().is_none_or(Vec::is_empty);
        if operation.ends_with("ssociateResourceShare")
            && ["resourceArns", "principals", "sources"].into_iter().all(is_empty)
        {
            input["principals"] = json!([self.principal(&share.owner)]);
        }
        call(&account, &region, operation, input)
    }

    /// One or two of what is or was in a share.
    fn name_rows(&mut self, share: &Share, input: &mut Value) {
        for _ in 0..=self.dice.below(2) {
            if share.rows.is_empty() {
                return;
            }
            let row = self.dice.pick(&share.rows);
            let member = match row.association_type() {
                "RESOURCE" => "resourceArns",
                "SOURCE" => "sources",
                _ => "principals",
            };
            input[member] = json!([row.entity]);
        }
    }

    fn answer(&mut self) -> What {
        if self.world.invitations.is_empty() {
            return self.create();
        }
        let pending: Vec<_> = self.world.invitations.iter().filter(|one| one.status == "PENDING").collect();
        let invitation = if pending.is_empty() || self.one_in(5) {
            self.dice.pick(&self.world.invitations)
        } else {
            *self.dice.pick(&pending)
        };
        let (arn, receiver, region) =
            (invitation.arn(), invitation.receiver.clone(), invitation.region.clone());
        let account = if self.one_in(20) { self.account().to_owned() } else { receiver };
        let operation =
            if self.one_in(4) { "RejectResourceShareInvitation" } else { "AcceptResourceShareInvitation" };
        call(&account, &region, operation, json!({"resourceShareInvitationArn": arn}))
    }

    fn leave(&mut self) -> What {
        let Some(share) = self.share() else { return self.create() };
        let others: Vec<_> = share.rows.iter().map(|row| row.receiver.as_str()).collect();
        let receivers: Vec<&str> = others.into_iter().filter(|account| ACCOUNTS.contains(account)).collect();
        let account = if receivers.is_empty() { self.account() } else { *self.dice.pick(&receivers) };
        let input = json!({"resourceShareArn": share.arn(), "principals": [account]});
        call(account, &share.region, "DisassociateResourceShare", input)
    }

    fn organize(&mut self) -> What {
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
        match self.dice.below(30) {
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

fn call(account: &str, region: &str, operation: &'static str, input: Value) -> What {
    What::Call(Call::new(account, region, operation, input))
}
