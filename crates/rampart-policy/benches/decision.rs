//! What a decision costs: `cargo bench -p rampart-policy`.
//!
//! The same beside the `cedar-policy` crate, and allocations counted, is in `benches/cedar`, a workspace of its own:
//! that crate takes minutes to compile and depends on `chrono`, which `deny.toml` bans from this one.

#![expect(clippy::print_stdout, reason = "the figures are what it is for")]
#![expect(clippy::unwrap_used, reason = "a benchmark stops where it fails")]

use std::hint::black_box;
use std::time::Instant;

use rampart_policy::{Context, Document, PolicySet, Principal, Request};
use serde_json::{Value, json};

const ROUNDS: u32 = 9;
const ROUND_MS: u128 = 60;
/// A decision on one statement with two conditions must stay below.
const BOUND_NS: f64 = 2_000.0;

fn main() {
    println!("{:<52} {:>10} {:>14}", "case", "ns", "ns/statement");
    let one = measure("one statement, two conditions: allowed", 1, &statements(1), &context("o-1"), true);
    measure("one statement, two conditions: not allowed", 1, &statements(1), &context("o-2"), false);
    measure("variables in resource and condition", 1, &[with_variables()], &context("o-1"), true);
    let figures = [10, 100, 1_000].map(|count| {
        let name = format!("{count} statements, the last allows");
        measure(&name, count, &statements(count), &context("o-1"), true)
    });
    let elsewhere: Vec<Value> = (0..1_000).map(of_another_action).collect();
    measure("1000 statements of other actions", 1_000, &elsewhere, &context("o-1"), false);
    let build = nanoseconds(|| context("o-1"));
    println!("{:<52} {build:>10.1}", "putting a request's five keys together");
    println!();
    println!("bound: {BOUND_NS} ns; one statement takes {:.1} % of it", one / BOUND_NS * 100.0);
    println!("1000 statements take {:.2} times ten times what 100 take", figures[2] / (10.0 * figures[1]));
}

fn measure(name: &str, count: u32, statements: &[Value], context: &Context, is_allowed: bool) -> f64 {
    let text = json!({"Version": "2012-10-17", "Statement": statements}).to_string();
    let policies = PolicySet::compile(&[Document::parse(&text).unwrap()]).unwrap();
    let request = Request {
        principal: Principal::from_arn("arn:aws:iam::111122223333:user/ana").unwrap(),
        action: "ec2:DescribeSubnets",
        resource: "arn:aws:ec2:eu-west-1:111122223333:subnet/subnet-0a1b2c3d",
        context,
    };
    assert_eq!(policies.decide(&request).is_allowed(), is_allowed, "{name}");
    let ns = nanoseconds(|| policies.decide(black_box(&request)).is_allowed());
    println!("{name:<52} {ns:>10.1} {:>14.2}", ns / f64::from(count));
    ns
}

/// Statements that all match but for a condition; the last one matches in full.
fn statements(count: u32) -> Vec<Value> {
    let statement = |index: u32| {
        let organization = if index + 1 == count { "o-1".to_owned() } else { format!("o-x{index}") };
        json!({"Effect": "Allow", "Action": ["ec2:Describe*"], "Resource": "arn:aws:ec2:*:111122223333:subnet/*",
            "Condition": {"StringEquals": {"aws:PrincipalOrgID": organization}, "IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}})
    };
    (0..count).map(statement).collect()
}

fn with_variables() -> Value {
    json!({"Effect": "Allow", "Action": "ec2:Describe*", "Resource": "arn:aws:ec2:*:${aws:PrincipalAccount}:subnet/*",
        "Condition": {"StringLike": {"aws:ResourceTag/team": "${aws:PrincipalTag/team}"}}})
}

fn of_another_action(index: u32) -> Value {
    json!({"Effect": "Allow", "Action": format!("s3:Get{index}*"), "Resource": "*"})
}

fn context(organization: &str) -> Context {
    Context::new()
        .with("aws:PrincipalOrgID", organization)
        .with("aws:SourceIp", "10.1.2.3")
        .with("aws:PrincipalAccount", "111122223333")
        .with("aws:PrincipalTag/team", "blue")
        .with("aws:ResourceTag/team", "blue")
}

/// The best of several rounds, in nanoseconds a call.
fn nanoseconds<T>(mut call: impl FnMut() -> T) -> f64 {
    let mut best = f64::MAX;
    for _ in 0..ROUNDS {
        let start = Instant::now();
        let mut calls = 0_u32;
        while start.elapsed().as_millis() < ROUND_MS {
            for _ in 0..50 {
                black_box(call());
            }
            calls += 50;
        }
        best = best.min(start.elapsed().as_secs_f64() * 1e9 / f64::from(calls));
    }
    best
}
