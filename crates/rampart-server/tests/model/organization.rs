//! Organizations: who is in one with whom, and whether RAM shares within it (reference §4.7, §12.5; Organizations' own
//! documentation).

use serde_json::{Value, json};

use crate::control_policies::Control;
use crate::handshake::Handshake;
use crate::share::Standing;
use crate::world::{Answer, Caller, Codes, World, done, refused, text, unless};

#[derive(Clone, Debug)]
pub(crate) struct Organization {
    /// `<org-3>`; its root is `<root-3>`.
    pub(crate) label: String,
    pub(crate) root: String,
    pub(crate) management: String,
    pub(crate) all_features: bool,
    sharing: Sharing,
    pub(crate) members: Vec<Member>,
    pub(crate) units: Vec<Unit>,
    pub(crate) control: Control,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Sharing {
    Off,
    /// Trusted access without RAM's role: nothing can be shared within (reference §12.5).
    Half,
    On,
}

#[derive(Clone, Debug)]
pub(crate) struct Member {
    pub(crate) account: String,
    pub(crate) parent: String,
    pub(crate) email: String,
    pub(crate) closed: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct Unit {
    /// `<unit-3>`
    pub(crate) label: String,
    pub(crate) parent: String,
    name: String,
}

impl Unit {
    pub(crate) fn shape(&self) -> Value {
        json!({"Id": self.label, "Name": self.name})
    }
}

impl Organization {
    pub(crate) fn has(&self, account: &str) -> bool {
        self.member(account).is_some()
    }

    /// Into the root, with what every place has.
    pub(crate) fn join(&mut self, account: String) {
        let (parent, email) = (self.root.clone(), String::new());
        self.control.place_is_made(&account);
        self.members.push(Member { account, parent, email, closed: false });
    }

    fn member(&self, account: &str) -> Option<&Member> {
        self.members.iter().find(|member| member.account == account)
    }

    pub(crate) fn has_parent(&self, label: &str) -> bool {
        label == self.root || self.units.iter().any(|unit| unit.label == label)
    }

    fn unit(&self, label: &str) -> Option<&Unit> {
        self.units.iter().find(|unit| unit.label == label)
    }

    /// What an account stands in, from the innermost unit to the root.
    fn above(&self, account: &str) -> Vec<&str> {
        let mut path: Vec<&str> =
            self.member(account).map(|member| member.parent.as_str()).into_iter().collect();
        while let Some(unit) = path.last().and_then(|label| self.unit(label)) {
            path.push(&unit.parent);
        }
        path
    }

    fn is_empty(&self, unit: &str) -> bool {
        self.units.iter().all(|other| other.parent != unit)
            && self.members.iter().all(|member| member.parent != unit)
    }

    /// The label of the organization itself or of a unit of it, if the ARN names it.
    pub(crate) fn entity(&self, arn: &str) -> Option<String> {
        let prefix = format!("arn:aws:organizations::{}", self.management);
        if arn == format!("{prefix}:organization/{}", self.label) {
            return Some(self.label.clone());
        }
        let unit = arn.strip_prefix(&format!("{prefix}:ou/{}/", self.label))?;
        self.unit(unit).map(|unit| unit.label.clone())
    }
}

impl Organization {
    /// What the management account asks of the organization alone.
    fn perform(&mut self, who: Caller<'_>, operation: &str, input: &Value) -> Answer {
        match operation {
            "ListRoots" => Ok(json!({"Roots": [self.root_shape()]})),
            "ListAccounts" => self.list_accounts(None),
            "ListAccountsForParent" => self.list_accounts(Some(text(input, "ParentId"))),
            "ListOrganizationalUnitsForParent" => self.list_units(text(input, "ParentId")),
            "ListParents" => self.list_parents(text(input, "ChildId")),
            "ListChildren" => self.list_children(input),
            "DescribeAccount" => self.describe_account(text(input, "AccountId")),
            "DescribeOrganizationalUnit" => match self.unit(text(input, "OrganizationalUnitId")) {
                Some(unit) => Ok(json!({"OrganizationalUnit": unit.shape()})),
                None => refused("OrganizationalUnitNotFound"),
            },
            "ListAWSServiceAccessForOrganization" => {
                let trusted = (self.sharing != Sharing::Off).then_some("ram.amazonaws.com");
                let item = |service: &str| json!({"ServicePrincipal": service});
                let items: Vec<_> = trusted.into_iter().map(item).collect();
                Ok(json!({"EnabledServicePrincipals": items}))
            }
            _ => self.control_policies(who, operation, input),
        }
    }
}

impl World {
    pub(crate) fn organization_of(&self, account: &str) -> Option<&Organization> {
        self.organizations.iter().find(|organization| organization.has(account))
    }

    /// The organization that an owner shares within without inviting.
    pub(crate) fn shares_within(&self, owner: &str) -> Option<&Organization> {
        self.organization_of(owner).filter(|organization| organization.sharing == Sharing::On)
    }

    /// Whether an account is in an organization or a unit, at any depth.
    pub(crate) fn stands_in(&self, account: &str, label: &str) -> bool {
        self.organization_of(account)
            .is_some_and(|inside| inside.label == label || inside.above(account).contains(&label))
    }

    /// The organization that the caller decides for.
    fn managed(&self, who: Caller<'_>) -> Result<usize, Answer> {
        let of = self.organizations.iter().position(|organization| organization.has(who.account));
        let at = of.ok_or_else(|| refused("AWSOrganizationsNotInUse"))?;
        if self.organizations[at].management == who.account { Ok(at) } else { Err(refused("AccessDenied")) }
    }

    pub(crate) fn call_organizations(&mut self, who: Caller<'_>, operation: &str, input: &Value) -> Answer {
        match operation {
            "CreateOrganization" => return self.create_organization(who, input),
            "DescribeOrganization" => return self.describe_organization(who),
            "AcceptHandshake" => return self.end_handshake(who, input, "ACCEPTED"),
            "DeclineHandshake" => return self.end_handshake(who, input, "DECLINED"),
            "CancelHandshake" => return self.end_handshake(who, input, "CANCELED"),
            "DescribeHandshake" => return self.describe_handshake(who, input),
            "ListHandshakesForAccount" => return Ok(self.list_handshakes(|sent| sent.target == who.account)),
            "LeaveOrganization" => return self.leave_organization(who),
            _ => {}
        }
        let at = match self.managed(who) {
            Ok(at) => at,
            Err(refused) => return refused,
        };
        let management = |sent: &Handshake| sent.management == who.account;
        match operation {
            "DeleteOrganization" => self.delete_organization(at),
            "InviteAccountToOrganization" => self.invite_account(who, at, text(&input["Target"], "Id")),
            "RemoveAccountFromOrganization" => {
                self.remove_account(at, text(input, "AccountId"), "AccountNotFound")
            }
            "CloseAccount" => self.close_account(at, text(input, "AccountId")),
            "MoveAccount" => self.move_account(at, input),
            "CreateOrganizationalUnit" => self.create_unit(who, at, input),
            "DeleteOrganizationalUnit" => self.delete_unit(at, text(input, "OrganizationalUnitId")),
            "UpdateOrganizationalUnit" => self.update_unit(at, input),
            "EnableAWSServiceAccess" => self.trust(at, true),
            "DisableAWSServiceAccess" => self.trust(at, false),
            "CreateAccount" => self.create_account(who, at, input),
            "DescribeCreateAccountStatus" => self.describe_creation(who, input),
            "ListCreateAccountStatus" => Ok(self.list_creations(who, input)),
            "ListHandshakesForOrganization" => Ok(self.list_handshakes(management)),
            _ => self.organizations[at].perform(who, operation, input),
        }
    }

    fn create_organization(&mut self, who: Caller<'_>, input: &Value) -> Answer {
        if self.organization_of(who.account).is_some() {
            return refused("AlreadyInOrganization");
        }
        let (label, root) = (format!("<org-{}>", who.number), format!("<root-{}>", who.number));
        let management = who.account.to_owned();
        let mut organization = Organization {
            label,
            root,
            management,
            all_features: text(input, "FeatureSet") != "CONSOLIDATED_BILLING",
            sharing: Sharing::Off,
            members: Vec::new(),
            units: Vec::new(),
            control: Control::default(),
        };
        organization.join(who.account.to_owned());
        self.organizations.push(organization);
        self.describe_organization(who)
    }

    fn describe_organization(&self, who: Caller<'_>) -> Answer {
        let Some(of) = self.organization_of(who.account) else { return refused("AWSOrganizationsNotInUse") };
        let features = if of.all_features { "ALL" } else { "CONSOLIDATED_BILLING" };
        let item = json!({"Id": of.label, "MasterAccountId": of.management, "FeatureSet": features});
        Ok(json!({"Organization": item}))
    }

    /// Only an organization without other accounts; its handshakes go with it.
    fn delete_organization(&mut self, at: usize) -> Answer {
        if self.organizations[at].members.len() > 1 {
            return refused("OrganizationNotEmpty");
        }
        let gone = self.organizations.remove(at);
        self.handshakes.retain(|sent| sent.management != gone.management);
        self.forget_creations(&gone.management);
        self.end_inside(&gone.label, None);
        Ok(json!({}))
    }

    /// What was shared within an organization ends: all of it, or what one account shared and was given (reference §4.7).
    fn end_inside(&mut self, organization: &str, account: Option<&str>) {
        self.memberships_ended = true;
        for share in &mut self.shares {
            for row in &mut share.rows {
                let concerned =
                    account.is_none_or(|account| share.owner == account || row.receiver == account);
                if row.inside.as_deref() == Some(organization) && row.is_live() && concerned {
                    row.standing = Standing::Ended(self.now);
                }
            }
        }
    }

    fn leave_organization(&mut self, who: Caller<'_>) -> Answer {
        match self.organizations.iter().position(|organization| organization.has(who.account)) {
            Some(at) => self.remove_account(at, who.account, "AccountNotFound"),
            None => refused("AWSOrganizationsNotInUse"),
        }
    }

    fn remove_account(&mut self, at: usize, account: &str, unknown: &'static str) -> Answer {
        let organization = &mut self.organizations[at];
        if !organization.has(account) {
            return refused(unknown);
        }
        if organization.management == account {
            return refused("MasterCannotLeaveOrganization");
        }
        organization.members.retain(|member| member.account != account);
        organization.control.place_is_gone(account);
        let label = organization.label.clone();
        self.end_inside(&label, Some(account));
        Ok(json!({}))
    }

    /// A closed account stays a member.
    fn close_account(&mut self, at: usize, account: &str) -> Answer {
        let organization = &mut self.organizations[at];
        let confined = !organization.all_features || organization.management == account;
        let Some(member) = organization.members.iter_mut().find(|member| member.account == account) else {
            return refused("AccountNotFound");
        };
        if confined {
            return refused("ConstraintViolation");
        }
        if member.closed {
            return refused("AccountAlreadyClosed");
        }
        member.closed = true;
        Ok(json!({}))
    }

    fn move_account(&mut self, at: usize, input: &Value) -> Answer {
        let organization = &mut self.organizations[at];
        let (from, to) = (text(input, "SourceParentId"), text(input, "DestinationParentId"));
        let is_there = organization.has_parent(to);
        let account = text(input, "AccountId");
        let Some(member) = organization.members.iter_mut().find(|member| member.account == account) else {
            return refused("AccountNotFound");
        };
        let mut broken = Codes::new();
        if !is_there {
            broken.insert("DestinationParentNotFound");
        }
        if member.parent != from {
            broken.insert("SourceParentNotFound");
        }
        if member.parent == to {
            broken.insert("DuplicateAccount");
        }
        if broken.is_empty() {
            to.clone_into(&mut member.parent);
        }
        unless(broken, json!({}))
    }

    fn create_unit(&mut self, who: Caller<'_>, at: usize, input: &Value) -> Answer {
        let organization = &mut self.organizations[at];
        let (parent, name) = (text(input, "ParentId"), text(input, "Name"));
        if !organization.has_parent(parent) {
            return refused("ParentNotFound");
        }
        if organization.units.iter().any(|unit| unit.parent == parent && unit.name == name) {
            return refused("DuplicateOrganizationalUnit");
        }
        let label = format!("<unit-{}>", who.number);
        let unit = Unit { label: label.clone(), parent: parent.to_owned(), name: name.to_owned() };
        let answer = json!({"OrganizationalUnit": unit.shape()});
        organization.units.push(unit);
        organization.control.place_is_made(&label);
        Ok(answer)
    }

    fn update_unit(&mut self, at: usize, input: &Value) -> Answer {
        let (units, name) = (&mut self.organizations[at].units, text(input, "Name"));
        let named = units.iter().position(|unit| unit.label == text(input, "OrganizationalUnitId"));
        let Some(named) = named else { return refused("OrganizationalUnitNotFound") };
        let (parent, label) = (units[named].parent.clone(), units[named].label.clone());
        let is_sibling = |unit: &Unit| unit.parent == parent && unit.label != label;
        if units.iter().any(|unit| is_sibling(unit) && unit.name == name) {
            return refused("DuplicateOrganizationalUnit");
        }
        name.clone_into(&mut units[named].name);
        Ok(json!({"OrganizationalUnit": units[named].shape()}))
    }

    fn delete_unit(&mut self, at: usize, label: &str) -> Answer {
        let organization = &mut self.organizations[at];
        if organization.unit(label).is_none() {
            return refused("OrganizationalUnitNotFound");
        }
        if !organization.is_empty(label) {
            return refused("OrganizationalUnitNotEmpty");
        }
        organization.units.retain(|unit| unit.label != label);
        organization.control.place_is_gone(label);
        Ok(json!({}))
    }

    /// Trusted access for RAM by way of Organizations: without RAM's role it is of no use, and to take it away ends all
    /// that is shared within (reference §4.7, §12.5).
    fn trust(&mut self, at: usize, enables: bool) -> Answer {
        let organization = &mut self.organizations[at];
        if !organization.all_features {
            return refused("ConstraintViolation");
        }
        if enables {
            if organization.sharing == Sharing::Off {
                organization.sharing = Sharing::Half;
            }
            return Ok(json!({}));
        }
        organization.sharing = Sharing::Off;
        let label = organization.label.clone();
        self.end_inside(&label, None);
        Ok(json!({}))
    }

    /// The management account of an organization with all features alone (reference §10.14).
    pub(crate) fn enable_sharing(&mut self, who: Caller<'_>) -> Answer {
        let managed = |of: &&mut Organization| of.management == who.account && of.all_features;
        match self.organizations.iter_mut().find(managed) {
            None => refused("OperationNotPermitted"),
            Some(organization) => {
                organization.sharing = Sharing::On;
                Ok(done())
            }
        }
    }
}
