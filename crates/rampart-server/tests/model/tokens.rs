//! Client tokens: a call that is sent again is answered as the first was, and changes nothing (reference §2.2).

use serde_json::{Value, json};

use crate::world::{Answer, Caller, DAY, World};

/// The first call with a token: an account may use the same token in another Region, or for another operation.
#[derive(Clone, Debug)]
pub(crate) struct Remembered {
    pub(crate) account: String,
    pub(crate) region: String,
    pub(crate) operation: &'static str,
    /// As it was given, with the token.
    pub(crate) input: Value,
    answer: Value,
    at: i64,
}

impl Remembered {
    /// Remembered for a day.
    pub(crate) fn until(&self) -> i64 {
        self.at + DAY
    }
}

impl World {
    /// What becomes of a call, and what it answers.
    pub(crate) fn call(&mut self, who: Caller<'_>, operation: &'static str, input: &Value) -> Answer {
        let Some(token) = input["clientToken"].as_str() else { return self.perform(who, operation, input) };
        let code = if is_token(token) {
            match self.remembered(who, operation, token) {
                None => return self.call_first(who, operation, input),
                Some(first) if compared(operation, &first.input) == compared(operation, input) => {
                    return Ok(first.answer.clone());
                }
                Some(_) => mismatch(operation),
            }
        } else if operation == "PromotePermissionCreatedFromPolicy" {
            "InvalidParameter"
        } else {
            "InvalidClientToken"
        };
        // Whatever else is wrong with it may be told first.
        let mut codes = self.clone().perform(who, operation, input).err().unwrap_or_default();
        codes.insert(code);
        Err(codes)
    }

    fn remembered(&self, who: Caller<'_>, operation: &str, token: &str) -> Option<&Remembered> {
        self.tokens.iter().find(|one| {
            one.account == who.account
                && one.region == who.region
                && one.operation == operation
                && one.input["clientToken"] == token
                && self.now < one.until()
        })
    }

    /// What is refused is not remembered.
    fn call_first(&mut self, who: Caller<'_>, operation: &'static str, input: &Value) -> Answer {
        let mut answer = self.perform(who, operation, input)?;
        answer["clientToken"] = input["clientToken"].clone();
        self.tokens.retain(|one| one.until() > self.now);
        self.tokens.push(Remembered {
            account: who.account.to_owned(),
            region: who.region.to_owned(),
            operation,
            input: input.clone(),
            answer: answer.clone(),
            at: self.now,
        });
        Ok(answer)
    }
}

/// One to 64 printable characters (reference §2.2, recommended).
fn is_token(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.chars().all(|one| one.is_ascii_graphic())
}

/// Three operations have no error of their own for it, and one of these none for tokens at all (reference §10).
fn mismatch(operation: &str) -> &'static str {
    match operation {
        "PromotePermissionCreatedFromPolicy" => "InvalidParameter",
        "AssociateResourceSharePermission" | "DisassociateResourceSharePermission" => "InvalidClientToken",
        _ => "IdempotentParameterMismatch",
    }
}

/// An input as it is compared: what is not said is as if it were said.
fn compared(operation: &str, input: &Value) -> Value {
    let mut input = sorted(input);
    if operation == "CreateResourceShare" && input["allowExternalPrincipals"].is_null() {
        input["allowExternalPrincipals"] = json!(true);
    }
    input
}

/// The order of its lists says nothing.
fn sorted(input: &Value) -> Value {
    match input {
        Value::Array(items) => {
            let mut items: Vec<Value> = items.iter().map(sorted).collect();
            items.sort_by_key(Value::to_string);
            items.dedup();
            json!(items)
        }
        Value::Object(members) => {
            members.iter().map(|(name, member)| (name.clone(), sorted(member))).collect()
        }
        _ => input.clone(),
    }
}
