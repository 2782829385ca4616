//! The same call again, a call with a client token, and calls that name what is not there.

use serde_json::{Value, json};

use super::{ACCOUNTS, Call, Chooser, REGION, What};
use crate::catalog::GLOBAL_REGION;
use crate::operation::find;
use crate::world::NO_ARN;

/// Members that name one thing by its ARN.
const NAMING: [&str; 5] = [
    "resourceShareArn",
    "resourceShareInvitationArn",
    "permissionArn",
    "fromPermissionArn",
    "toPermissionArn",
];

impl Chooser<'_> {
    /// A call that was made with a token, once more.
    pub(super) fn again(&mut self) -> Option<What> {
        if self.world.tokens.is_empty() {
            return None;
        }
        let first = self.dice.pick(&self.world.tokens).clone();
        let mut call = Call::new(&first.account, &first.region, first.operation, first.input);
        for member in call.input.as_object_mut().into_iter().flat_map(|members| members.values_mut()) {
            // Another order is the same call.
            member.as_array_mut().into_iter().for_each(|items| items.reverse());
        }
        Some(What::Call(call))
    }

    /// Now and then with a token, now and then amiss.
    pub(super) fn vary(&mut self, mut call: Call) -> Call {
        if find(call.operation).client_token && self.one_in(4) {
            let token = if self.one_in(20) { self.dice.pick(&["", "with space", "ä"]) } else { &"t0" };
            let token = if self.one_in(3) { format!("{token}1") } else { (*token).to_owned() };
            call.input["clientToken"] = json!(token);
        }
        if self.one_in(25) {
            let member = *self.dice.pick(&NAMING);
            if let Some(arn) = call.input[member].as_str() {
                let arn = self.spoil(arn);
                call.input[member] = json!(arn);
            }
        }
        call
    }

    /// An ARN like it that names nothing, or is none.
    pub(crate) fn spoil(&mut self, arn: &str) -> String {
        match (self.dice.below(4), arn.rfind(['/', '<'])) {
            (0, _) => NO_ARN.to_owned(),
            (1, _) => arn.replace(REGION, "eu-west-2").replace(GLOBAL_REGION, "us-east-2"),
            (2, Some(at)) if arn.contains("resource-share") => format!("{}<nothing>", &arn[..at]),
            _ => arn.replace(ACCOUNTS[0], ACCOUNTS[3]).replace(ACCOUNTS[1], ACCOUNTS[2]),
        }
    }
}

/// Whether what must be an ARN is none: that is told before anything is looked for (reference §2.5).
pub(crate) fn has_no_arn(input: &Value) -> bool {
    NAMING.iter().any(|member| input[member] == NO_ARN)
}
