//! What comes into a share: with whom and what, who is invited for it, and what stands against it (reference §4, §5.1,
//! §5.2, §5.6, §9).

use serde_json::Value;

use crate::catalog::{GLOBAL_REGION, LIMITS, TYPES, With};
use crate::invitation::Invitation;
use crate::share::{Kind, Row, Share, Standing};
use crate::world::{Caller, Codes, DAY, HOUR, World, texts};

/// What a call puts into a share: the share as it will be, new invitations, the answer, the rules that are broken.
pub(crate) struct Filling {
    pub(crate) share: Share,
    pub(crate) invitations: Vec<Invitation>,
    pub(crate) answer: Vec<Value>,
    pub(crate) broken: Codes,
}

impl World {
    pub(crate) fn fill(&self, who: Caller<'_>, mut share: Share, input: &Value) -> Filling {
        let before = share.clone();
        let (mut invitations, mut answer, mut broken) = (Vec::new(), Vec::new(), Codes::new());
        // Resources first: what a share holds decides how long its invitations last.
        for arn in texts(input, "resourceArns") {
            let kind = resource(who, &arn, &mut broken);
            self.seat(who, &mut share, &mut invitations, &mut answer, self.plain(kind, arn));
        }
        for principal in texts(input, "principals") {
            match self.principal(&share, &principal) {
                Some(row) => self.seat(who, &mut share, &mut invitations, &mut answer, row),
                // Foreign, unknown, or not shared within (reference §4.3).
                None => drop(broken.insert("UnknownResource")),
            }
        }
        for source in texts(input, "sources") {
            self.seat(who, &mut share, &mut invitations, &mut answer, self.plain(Kind::Source, source));
        }
        if share.has(Kind::Service) && share.count("SOURCE") == 0 {
            // Filled in when none was given (reference §4.4).
            let own = self.plain(Kind::Source, share.owner.clone());
            self.seat(who, &mut share, &mut invitations, &mut Vec::new(), own);
        }
        self.check_reach(&share, input, &mut broken);
        check_company(&before, &share, &mut broken);
        self.check_limits(&before, &share, invitations.len(), &mut broken);
        Filling { share, invitations, answer, broken }
    }

    /// A resource or a source: nobody is invited for it.
    fn plain(&self, kind: Kind, entity: String) -> Row {
        let standing = Standing::Granted(self.now, None);
        Row {
            kind,
            entity,
            receiver: String::new(),
            external: false,
            inside: None,
            created: self.now,
            standing,
        }
    }

    /// A principal as the share's owner sees it (reference §4.1); none when there is no such organization or unit.
    fn principal(&self, share: &Share, entity: &str) -> Option<Row> {
        let organization = self.shares_within(&share.owner).filter(|_| !share.retain);
        let row = |kind, receiver: &str| {
            let own = receiver == share.owner;
            let inside = organization.filter(|inside| !own && inside.has(receiver));
            Row {
                kind,
                receiver: receiver.to_owned(),
                external: !own && inside.is_none(),
                inside: inside.map(|inside| inside.label.clone()),
                ..self.plain(kind, entity.to_owned())
            }
        };
        if entity.ends_with(".amazonaws.com") {
            return Some(self.plain(Kind::Service, entity.to_owned()));
        }
        if !entity.contains(":organizations:") {
            let account = entity.split(':').nth(4).unwrap_or(entity);
            return Some(row(if account == entity { Kind::Account } else { Kind::Identity }, account));
        }
        let organization = self.shares_within(&share.owner)?;
        let receiver = organization.entity(entity)?;
        let inside = Some(organization.label.clone());
        Some(Row { external: false, inside, ..row(Kind::Organizational, &receiver) })
    }

    /// The row as it stands, or the new one: granted at once, or invited (reference §3.3, §4.1, §5.2).
    fn seat(
        &self,
        who: Caller<'_>,
        share: &mut Share,
        invitations: &mut Vec<Invitation>,
        answer: &mut Vec<Value>,
        mut row: Row,
    ) {
        let (entity, association_type) = (row.entity.clone(), row.association_type());
        let same = |other: &Row| other.entity == entity && other.association_type() == association_type;
        if let Some(known) = share.rows.iter().find(|other| same(other) && other.is_live()) {
            answer.push(known.outcome(share, known.status(share, self.moment()).0));
            return;
        }
        if row.external {
            row.standing = self.standing_of_invited(who, share, invitations, &row);
        }
        answer.push(row.outcome(share, "ASSOCIATING"));
        share.rows.retain(|other| !same(other));
        share.rows.push(row);
    }

    /// One live invitation serves all principals of an account in a share; and one that had what was promoted is not
    /// invited either.
    fn standing_of_invited(
        &self,
        who: Caller<'_>,
        share: &Share,
        invitations: &mut Vec<Invitation>,
        row: &Row,
    ) -> Standing {
        let company = |other: &&Row| other.receiver == row.receiver && other.inside.is_none();
        if let Some(other) = share.live().find(company) {
            return match &other.standing {
                Standing::Granted(_, invitation) => Standing::Granted(self.now, invitation.clone()),
                waits => waits.clone(),
            };
        }
        let label = format!("<invitation-{}-{}>", who.number, row.receiver.trim_matches(['<', '>']));
        // Twelve hours if any type of the newer generation is in it, else seven days (reference §5.1).
        let window = if share.types().any(|of| !of.legacy) { 12 * HOUR } else { 7 * DAY };
        invitations.push(Invitation {
            label: label.clone(),
            share: share.label.clone(),
            sender: share.owner.clone(),
            region: share.region.clone(),
            receiver: row.receiver.clone(),
            receiver_arn: (row.kind == Kind::Identity).then(|| row.entity.clone()),
            deadline: self.now + window,
            status: "PENDING",
            changed: self.now,
        });
        Standing::Waits(label)
    }

    /// Where the share may reach with what the call names (reference §4.2).
    fn check_reach(&self, share: &Share, input: &Value, broken: &mut Codes) {
        let named = |member| texts(input, member);
        let Some(organization) = self.shares_within(&share.owner) else {
            let all = ["resourceArns", "principals", "sources"];
            if !share.external && all.iter().any(|member| !named(member).is_empty()) {
                broken.insert("OperationNotPermitted");
            }
            let confined =
                |arn: &String| TYPES.iter().any(|of| !of.fits(With::Outsiders) && arn.contains(of.stem));
            if named("resourceArns").iter().any(confined) {
                broken.insert("InvalidParameter");
            }
            return;
        };
        for principal in named("principals") {
            if principal.contains(":organizations:") {
                // Recommended: a share that treats members as external has no organization in it (reference §4.1).
                if share.retain {
                    broken.insert("InvalidParameter");
                }
            } else if !principal.ends_with(".amazonaws.com") {
                let account = principal.split(':').nth(4).unwrap_or(&principal);
                if !share.external && account != share.owner && !organization.has(account) {
                    broken.insert("InvalidParameter");
                }
            }
        }
    }

    /// Quotas (reference §5.6, §9).
    fn check_limits(&self, before: &Share, after: &Share, invited: usize, broken: &mut Codes) {
        let others: Vec<&Share> = self
            .shares
            .iter()
            .filter(|share| share.owner == after.owner && share.region == after.region)
            .filter(|share| share.label != after.label)
            .collect();
        let over = |kind: &str, each: usize, all: usize| {
            let (was, is) = (before.count(kind), after.count(kind));
            let elsewhere: usize = others.iter().map(|share| share.count(kind)).sum();
            is > was && (is > each || elsewhere + is > all)
        };
        let pending = |invitation: &&Invitation| invitation.is_of(after) && invitation.status == "PENDING";
        let pending = self.invitations.iter().filter(pending).count();
        if over("RESOURCE", LIMITS.resources_per_share, LIMITS.resources)
            || over("PRINCIPAL", LIMITS.principals_per_share, LIMITS.principals)
            || (invited > 0 && pending + invited > LIMITS.pending_invitations)
        {
            broken.insert("ResourceShareLimitExceeded");
        }
    }
}

/// Only what the caller owns, in the share's Region, global ones in their home (reference §1.3, §4.6).
pub(crate) fn resource(who: Caller<'_>, arn: &str, broken: &mut Codes) -> Kind {
    let of = TYPES.iter().find(|of| arn.contains(of.stem)).expect("resources are of these types");
    let mut parts = arn.split(':').skip(3);
    let (region, owner) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let home = if of.global { GLOBAL_REGION } else { region };
    if owner != who.account || home != who.region {
        broken.insert("InvalidParameter");
    }
    Kind::Resource(of)
}

/// What may be together in a share (reference §4.4, §4.5).
fn check_company(before: &Share, share: &Share, broken: &mut Codes) {
    let principals = share.count("PRINCIPAL");
    let services = share.live().filter(|row| row.kind == Kind::Service).count();
    let mixed = services > 0 && principals > services;
    let unneeded = services == 0 && share.count("SOURCE") > before.count("SOURCE");
    let identities = share.has(Kind::Identity) && share.types().any(|of| !of.fits(With::Identities));
    let outsiders = share.live().any(|row| row.external) && share.types().any(|of| !of.fits(With::Outsiders));
    let serving = services > 0 && share.types().any(|of| !of.fits(With::Services));
    if mixed || unneeded || identities || outsiders || serving {
        broken.insert("InvalidParameter");
    }
}
