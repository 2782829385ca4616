//! Calls about shares and invitations.

use serde_json::{Value, json};

use super::{ACCOUNTS, Chooser, What, call};
use crate::catalog::TYPES;
use crate::share::Share;

impl Chooser<'_> {
    pub(super) fn create(&mut self) -> What {
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

    pub(super) fn change(&mut self) -> What {
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

    pub(super) fn answer(&mut self) -> What {
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

    pub(super) fn leave(&mut self) -> What {
        let Some(share) = self.share() else { return self.create() };
        let others: Vec<_> = share.rows.iter().map(|row| row.receiver.as_str()).collect();
        let receivers: Vec<&str> = others.into_iter().filter(|account| ACCOUNTS.contains(account)).collect();
        let account = if receivers.is_empty() { self.account() } else { *self.dice.pick(&receivers) };
        let input = json!({"resourceShareArn": share.arn(), "principals": [account]});
        call(account, &share.region, "DisassociateResourceShare", input)
    }

    /// A share: mostly one that is there still.
    pub(super) fn share(&mut self) -> Option<Share> {
        let live: Vec<&Share> = self.world.shares.iter().filter(|share| share.deleted.is_none()).collect();
        if live.is_empty() || self.one_in(12) {
            return (!self.world.shares.is_empty()).then(|| self.dice.pick(&self.world.shares).clone());
        }
        Some((*self.dice.pick(&live)).clone())
    }

    pub(crate) fn resource(&mut self, account: &str, region: &str) -> String {
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
            0..12 => account.to_owned(),
            12 | 13 => {
                // Perhaps an account that its organization created.
                let inside = self.world.organization_of(owner);
                let last = inside.and_then(|of| of.members.last());
                last.map_or(account.to_owned(), |member| member.account.clone())
            }
            14 | 15 => format!("arn:aws:iam::{account}:role/r"),
            16 => format!("arn:aws:iam::{account}:user/u"),
            17 => "acm.amazonaws.com".to_owned(),
            _ if self.world.shares_within(owner).is_some() || self.one_in(6) => self.organizational(owner),
            _ => account.to_owned(),
        }
    }

    /// Mostly of the owner's own organization.
    pub(super) fn organizational(&mut self, owner: &str) -> String {
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
}
