//! A sequence of steps, run against the server and the model side by side.

use std::collections::BTreeMap;
use std::fmt::Write;

use rampart_server::operations::Service;
use rampart_testkit::TestServer;
use rampart_testkit::dice::Dice;
use serde_json::{Value, json};

use crate::names::Names;
use crate::operation::find;
use crate::policies::plainly;
use crate::reads;
use crate::steps::{ACCOUNTS, Call, Chooser, Step, What};
use crate::world::{Answer, Caller, World};

/// Reads after each step.
const READS: usize = 2;

/// How often each operation had which outcome.
pub(crate) type Tally = BTreeMap<String, usize>;

/// Where server and model part.
pub(crate) struct Difference {
    pub(crate) steps: Vec<Step>,
    pub(crate) text: String,
}

/// Chooses so many steps by `seed`, and runs them.
pub(crate) async fn choose(
    server: &TestServer,
    settle: i64,
    id: u64,
    seed: u64,
    length: usize,
    tally: &mut Tally,
) -> Result<(), Difference> {
    let mut dice = Dice::seeded(seed);
    let mut run = Run::new(server, settle, id, seed);
    let mut steps = Vec::new();
    for number in 1..=length {
        let what = Chooser { dice: &mut dice, world: &run.world }.step(number, seed);
        steps.push(Step { number, what });
        if let Err(text) = run.step(steps.last().expect("one was pushed")).await {
            return Err(Difference { steps, text });
        }
    }
    let ended = run.end().await;
    for (outcome, count) in run.tally {
        *tally.entry(outcome).or_default() += count;
    }
    ended.map_err(|text| Difference { steps, text })
}

/// Runs steps that were chosen before; says where server and model part, if they do.
pub(crate) async fn repeat(
    server: &TestServer,
    settle: i64,
    id: u64,
    seed: u64,
    steps: &[Step],
) -> Option<String> {
    let mut run = Run::new(server, settle, id, seed);
    for step in steps {
        if let Err(text) = run.step(step).await {
            return Some(text);
        }
    }
    run.end().await.err()
}

/// A server and the model, and what has names by now.
pub(crate) struct Run<'a> {
    server: &'a TestServer,
    pub(crate) world: World,
    pub(crate) names: Names,
    seed: u64,
    tally: Tally,
}

impl<'a> Run<'a> {
    pub(crate) fn new(server: &'a TestServer, settle: i64, id: u64, seed: u64) -> Self {
        let names = Names::new(&ACCOUNTS, id, server.app().clock().now().0);
        Self { server, world: World { settle, ..World::default() }, names, seed, tally: Tally::new() }
    }

    async fn step(&mut self, step: &Step) -> Result<(), String> {
        match &step.what {
            What::Advance(ms) => self.advance(*ms).await,
            What::Sweep => self.sweep().await,
            What::Call(call) => {
                if call.operation == "ReplacePermissionAssociations" {
                    // In which order works of one moment are done is nobody's business.
                    self.sweep().await;
                    if self.world.has_work() {
                        self.advance(self.world.settle).await;
                        self.sweep().await;
                    }
                }
                self.call(call, step.number).await?;
            }
        }
        // The same reads after the same step, whatever was before it.
        let mut dice = Dice::seeded(self.seed ^ u64::try_from(step.number).expect("a sequence is short"));
        for _ in 0..READS {
            let call = Chooser { dice: &mut dice, world: &self.world }.read();
            let page = dice.below(4);
            self.compare(&call, step.number, page).await?;
        }
        Ok(())
    }

    /// Calls both, and compares.
    pub(crate) async fn call(&mut self, call: &Call, number: usize) -> Result<(), String> {
        self.compare(call, number, 0).await?;
        self.learn(call).await
    }

    async fn advance(&mut self, ms: i64) {
        if self.world.memberships_ended {
            self.sweep().await;
        }
        self.server.app().clock().advance(ms);
        self.world.advance(ms);
    }

    async fn sweep(&mut self) {
        self.server.sweep().await;
        self.world.sweep();
    }

    async fn end(&mut self) -> Result<(), String> {
        for call in reads::all(&self.world) {
            self.compare(&call, 0, 0).await?;
        }
        Ok(())
    }

    /// Has the server name what only it can: invitations, and an organization's root.
    async fn learn(&mut self, call: &Call) -> Result<(), String> {
        let new = |label: &String| !self.names.knows(label);
        let invitations = self.world.invitations.iter().filter(|invitation| new(&invitation.label));
        let mut asks: Vec<_> = invitations
            .map(|invitation| {
                let input = json!({"resourceShareArns": [self.world.share_of(invitation).arn()]});
                Call::new(&invitation.receiver, &invitation.region, "GetResourceShareInvitations", input)
            })
            .collect();
        let made = self.world.organizations.iter().filter(|of| new(&of.root));
        asks.extend(made.map(|of| Call::new(&of.management, &call.region, "ListRoots", json!({}))));
        let made = self.world.permissions.iter().filter(|one| one.made && new(&one.label()));
        asks.extend(made.filter_map(|one| {
            let share = self.world.shares.iter().find(|share| share.allows_by(&one.arn(), None))?;
            let input = json!({"resourceShareArn": share.arn()});
            Some(Call::new(&share.owner, &share.region, "ListResourceSharePermissions", input))
        }));
        let created = self.world.creations.iter().filter(|one| one.account.as_ref().is_some_and(new));
        asks.extend(created.map(|one| {
            let input = json!({"CreateAccountRequestId": one.label});
            Call::new(&one.management, &call.region, "DescribeCreateAccountStatus", input)
        }));
        for ask in asks {
            self.compare(&ask, 0, 0).await?;
        }
        Ok(())
    }

    async fn compare(&mut self, call: &Call, number: usize, page: usize) -> Result<(), String> {
        let who = Caller { account: &call.account, region: &call.region, number };
        let expected = self.world.call(who, call.operation, &call.input);
        let actual = ask(self.server, &self.names, call, page).await;
        let outcome = actual.as_ref().err().map_or("", String::as_str);
        *self.tally.entry(format!("{} {outcome}", call.operation)).or_default() += 1;
        if agree(&mut self.names, call, &expected, &actual) {
            return Ok(());
        }
        Err(difference(call, &expected, &actual))
    }
}

/// Whether the server's answer is the one that was expected.
pub(crate) fn agree(
    names: &mut Names,
    call: &Call,
    expected: &Answer,
    actual: &Result<Value, String>,
) -> bool {
    match (expected, actual) {
        (Ok(expected), Ok(actual)) => names.agree(expected, actual, is_modelled_whole(call.operation)),
        (Err(codes), Err(code)) => codes.contains(code.as_str()),
        _ => false,
    }
}

/// A server's answer, whole: a list is asked for by pages. `page` is their size; zero leaves it to the server.
pub(crate) async fn ask(
    server: &TestServer,
    names: &Names,
    call: &Call,
    page: usize,
) -> Result<Value, String> {
    let account = names.real(&json!(call.account));
    let account = account.as_str().unwrap_or_default();
    let operation = find(call.operation);
    let mut input = names.real(&call.input);
    let [size_member, token_member] = match operation.service {
        Service::Organizations => ["MaxResults", "NextToken"],
        _ => ["maxResults", "nextToken"],
    };
    if page > 0 && call.operation != "ListTagsForResource" {
        input[size_member] = json!(page);
    }
    let mut whole = Value::Null;
    loop {
        let mut answer = server.perform(account, &call.region, operation, &input).await?;
        let token = answer.as_object_mut().and_then(|answer| answer.remove(token_member));
        if page > 0 && answer.as_object().into_iter().flatten().any(|(_, items)| is_longer(items, page)) {
            return Err(format!("a page is longer than {page}"));
        }
        merge(&mut whole, answer);
        let Some(token) = token else { return Ok(plainly(names.labelled(&whole))) };
        input[token_member] = token;
    }
}

/// What Organizations says beyond what RAM depends on is not modelled; nor is all that is said of permissions.
fn is_modelled_whole(operation: &str) -> bool {
    let is_of_ram = rampart_server::operations::RAM.iter().any(|one| one.name == operation);
    is_of_ram && (!operation.contains("Permission") || operation == "ListPermissionAssociations")
}

fn is_longer(items: &Value, page: usize) -> bool {
    items.as_array().is_some_and(|items| items.len() > page)
}

/// Adds a page to those before it.
fn merge(whole: &mut Value, page: Value) {
    if whole.is_null() {
        *whole = page;
        return;
    }
    for (name, items) in page.as_object().into_iter().flatten() {
        if let (Some(whole), Some(items)) = (whole[name].as_array_mut(), items.as_array()) {
            whole.extend(items.iter().cloned());
        }
    }
}

fn difference(call: &Call, expected: &Answer, actual: &Result<Value, String>) -> String {
    let mut text = format!("{call}\n");
    let show = |answer: &Value| serde_json::to_string_pretty(answer).unwrap_or_default();
    let _ = match expected {
        Ok(answer) => writeln!(text, "expected {}", show(answer)),
        Err(codes) => writeln!(text, "expected {codes:?}"),
    };
    let _ = match actual {
        Ok(answer) => writeln!(text, "found {}", show(answer)),
        Err(code) => writeln!(text, "found {code}"),
    };
    text
}
