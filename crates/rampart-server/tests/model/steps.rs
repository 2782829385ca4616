//! What may happen: one step after another, chosen by chance from what there is.

mod organizations;
mod permissions;
mod policies;
mod sharing;
mod variations;

use std::fmt;

use rampart_testkit::dice::Dice;
use serde_json::{Value, json};

pub(crate) use self::variations::has_no_arn;
use crate::catalog::GLOBAL_REGION;
use crate::share::Standing;
use crate::tokens::Remembered;
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
        if self.world.settle > 0 && self.one_in(5) {
            return What::Advance(self.world.settle);
        }
        if self.one_in(14)
            && let Some(call) = self.again()
        {
            return call;
        }
        match self.chosen(theme) {
            What::Call(call) => What::Call(self.vary(call)),
            other => other,
        }
    }

    fn chosen(&mut self, theme: u64) -> What {
        if theme % 5 == 4
            && self.one_in(3)
            && let Some(control) = self.control()
        {
            return control;
        }
        let themes = [100, 20, 72, 90, 100];
        let theme = themes[usize::try_from(theme % 5).expect("below five")];
        match if self.one_in(3) && theme < 100 { theme } else { self.dice.below(100) } {
            0..14 => self.create(),
            14..34 => self.change(),
            34..54 => self.answer(),
            54..58 => self.leave(),
            58..66 => What::Advance(self.duration()),
            66..70 => What::Sweep,
            70..73 => self.put_policies(),
            73..84 => self.permit(),
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
        let forgotten = self.world.tokens.iter().map(Remembered::until);
        let next = deadlines
            .chain(vanishing)
            .chain(forgotten)
            .chain(self.settling())
            .filter(|at| *at > now + 1)
            .min();
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

    /// When what was decided takes effect.
    fn settling(&self) -> impl Iterator<Item = i64> {
        let settle = self.world.settle;
        let decided = self.world.shares.iter().flat_map(|share| {
            let rows = share.rows.iter().filter_map(|row| match row.standing {
                Standing::Granted(at, _) | Standing::Ended(at) => Some(at),
                Standing::Waits(_) => None,
            });
            rows.chain(share.deleted)
        });
        decided.filter(move |_| settle > 0).map(move |at| at + settle)
    }

    fn some_of(&mut self, of: impl Fn(&mut Self) -> String) -> Vec<String> {
        let count = [0, 1, 1, 2][self.dice.below(4)];
        (0..count).map(|_| of(self)).collect()
    }
}

fn call(account: &str, region: &str, operation: &'static str, input: Value) -> What {
    What::Call(Call::new(account, region, operation, input))
}
