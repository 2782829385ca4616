//! Invitations into an organization.

use serde_json::{Value, json};

use crate::catalog::LIMITS;
use crate::organization::Organization;
use crate::world::{Answer, Caller, Codes, DAY, World, refused, text, unless};

#[derive(Clone, Debug)]
pub(crate) struct Handshake {
    /// `<handshake-3>`
    pub(crate) label: String,
    pub(crate) management: String,
    pub(crate) target: String,
    sent: i64,
    /// How and when it was ended.
    ended: Option<(&'static str, i64)>,
}

impl Handshake {
    /// Fifteen days to answer.
    fn state(&self, now: i64) -> &'static str {
        match self.ended {
            Some((state, _)) => state,
            None if now >= self.sent + 15 * DAY => "EXPIRED",
            None => "OPEN",
        }
    }

    /// Shown for thirty days after its end.
    fn is_shown(&self, now: i64) -> bool {
        now < self.ended.map_or(self.sent + 15 * DAY, |(_, at)| at) + 30 * DAY
    }

    fn shape(&self, now: i64) -> Value {
        json!({"Id": self.label, "State": self.state(now)})
    }
}

impl World {
    pub(crate) fn invite_account(&mut self, who: Caller<'_>, at: usize, target: &str) -> Answer {
        let organization = &self.organizations[at];
        let mut broken = Codes::new();
        if organization.has(target) || organization.members.len() >= LIMITS.accounts {
            broken.insert("HandshakeConstraintViolation");
        }
        let open = |sent: &Handshake| {
            sent.management == who.account && sent.target == target && sent.state(self.now) == "OPEN"
        };
        if self.handshakes.iter().any(open) {
            broken.insert("DuplicateHandshake");
        }
        let handshake = Handshake {
            label: format!("<handshake-{}>", who.number),
            management: who.account.to_owned(),
            target: target.to_owned(),
            sent: self.now,
            ended: None,
        };
        let answer = json!({"Handshake": handshake.shape(self.now)});
        if broken.is_empty() {
            self.handshakes.push(handshake);
        }
        unless(broken, answer)
    }

    pub(crate) fn end_handshake(&mut self, who: Caller<'_>, input: &Value, state: &'static str) -> Answer {
        let named = |sent: &Handshake| sent.label == text(input, "HandshakeId") && sent.is_shown(self.now);
        let Some(sent) = self.handshakes.iter().position(named) else { return refused("HandshakeNotFound") };
        let handshake = &self.handshakes[sent];
        let party = if state == "CANCELED" { &handshake.management } else { &handshake.target };
        if party != who.account {
            return refused("AccessDenied");
        }
        match handshake.state(self.now) {
            "OPEN" => {}
            was if was == state => return refused("HandshakeAlreadyInState"),
            _ => return refused("InvalidHandshakeTransition"),
        }
        if state == "ACCEPTED" {
            let management = handshake.management.clone();
            let by = |organization: &&mut Organization| organization.management == management;
            let is_taken = self.organization_of(who.account).is_some();
            let organization = self.organizations.iter_mut().find(by).expect("handshakes go with it");
            if is_taken || organization.members.len() >= LIMITS.accounts {
                return refused("HandshakeConstraintViolation");
            }
            organization.join(who.account.to_owned());
        }
        self.handshakes[sent].ended = Some((state, self.now));
        Ok(json!({"Handshake": self.handshakes[sent].shape(self.now)}))
    }

    pub(crate) fn list_handshakes(&self, is_wanted: impl Fn(&Handshake) -> bool) -> Value {
        let shown = self.handshakes.iter().filter(|sent| is_wanted(sent) && sent.is_shown(self.now));
        let items: Vec<_> = shown.map(|sent| sent.shape(self.now)).collect();
        json!({"Handshakes": items})
    }

    /// To its parties.
    pub(crate) fn describe_handshake(&self, who: Caller<'_>, input: &Value) -> Answer {
        let named = |sent: &&Handshake| sent.label == text(input, "HandshakeId") && sent.is_shown(self.now);
        match self.handshakes.iter().find(named) {
            None => refused("HandshakeNotFound"),
            Some(sent) if ![&sent.target, &sent.management].contains(&&who.account.to_owned()) => {
                refused("AccessDenied")
            }
            Some(sent) => Ok(json!({"Handshake": sent.shape(self.now)})),
        }
    }
}
