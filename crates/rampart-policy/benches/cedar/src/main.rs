//! rampart-policy beside cedar-policy: the same permission, the same requests, in one run, with allocations counted.
//!
//! Both have their policies compiled and their request put together beforehand; the decision alone is measured. Cedar
//! has no wildcards over actions, so it is given the action itself, which is less work than matching a pattern.

use std::alloc::{GlobalAlloc, Layout, System};
use std::fmt::Write;
use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use rampart_policy::{Context, Document, PolicySet, Principal, Request};

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

struct Counting;

// SAFETY: passes everything on to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const ACTION: &str = "ec2:DescribeSubnets";
const RESOURCE: &str = "arn:aws:ec2:eu-west-1:111122223333:subnet/subnet-0a1b2c3d";

fn main() {
    println!(
        "{:<12} {:>12} {:>12} {:>8} {:>22}",
        "statements", "rampart ns", "cedar ns", "ratio", "allocations a decision"
    );
    for count in [1, 10, 100, 1_000] {
        let (rampart, rampart_allocations) = measure_rampart(count);
        let (cedar, cedar_allocations) = measure_cedar(count);
        println!(
            "{count:<12} {rampart:>12.1} {cedar:>12.1} {:>8.1} {:>22}",
            cedar / rampart,
            format!("{rampart_allocations} and {cedar_allocations}")
        );
    }
}

/// All but the last statement miss on the organization.
fn organization(index: u32, count: u32) -> String {
    if index + 1 == count { "o-1".to_owned() } else { format!("o-x{index}") }
}

fn measure_rampart(count: u32) -> (f64, u64) {
    let statements: Vec<String> = (0..count)
        .map(|index| {
            format!(
                r#"{{"Effect": "Allow", "Action": "ec2:DescribeSubnets", "Resource": "arn:aws:ec2:*:111122223333:subnet/*",
                "Condition": {{"StringEquals": {{"aws:PrincipalOrgID": "{}"}}, "IpAddress": {{"aws:SourceIp": "10.0.0.0/8"}}}}}}"#,
                organization(index, count)
            )
        })
        .collect();
    let text = format!(r#"{{"Version": "2012-10-17", "Statement": [{}]}}"#, statements.join(","));
    let policies = PolicySet::compile(&[Document::parse(&text).unwrap()]).unwrap();
    let context = Context::new().with("aws:PrincipalOrgID", "o-1").with("aws:SourceIp", "10.1.2.3");
    let principal = Principal::from_arn("arn:aws:iam::111122223333:user/ana").unwrap();
    let request = Request { principal, action: ACTION, resource: RESOURCE, context: &context };
    assert!(policies.decide(&request).is_allowed());
    measure(|| policies.decide(black_box(&request)).is_allowed())
}

fn measure_cedar(count: u32) -> (f64, u64) {
    use cedar_policy::{
        Authorizer, Context, Decision, Entities, EntityUid, PolicySet, Request, RestrictedExpression,
    };
    let mut text = String::new();
    for index in 0..count {
        writeln!(
            text,
            r#"permit(principal, action == Action::"{ACTION}", resource) when {{
                context.resource like "arn:aws:ec2:*:111122223333:subnet/*" &&
                context.organization == "{}" && context.source.isInRange(ip("10.0.0.0/8")) }};"#,
            organization(index, count)
        )
        .unwrap();
    }
    let policies: PolicySet = text.parse().unwrap();
    let context = Context::from_pairs([
        ("resource".to_owned(), RestrictedExpression::new_string(RESOURCE.to_owned())),
        ("organization".to_owned(), RestrictedExpression::new_string("o-1".to_owned())),
        ("source".to_owned(), RestrictedExpression::new_ip("10.1.2.3")),
    ])
    .unwrap();
    let uid = |text: &str| text.parse::<EntityUid>().unwrap();
    let request = Request::new(
        uid(r#"User::"arn:aws:iam::111122223333:user/ana""#),
        uid(&format!(r#"Action::"{ACTION}""#)),
        uid(&format!(r#"Subnet::"{RESOURCE}""#)),
        context,
        None,
    )
    .unwrap();
    let (authorizer, entities) = (Authorizer::new(), Entities::empty());
    let decide = || authorizer.is_authorized(black_box(&request), &policies, &entities).decision();
    assert_eq!(decide(), Decision::Allow);
    measure(decide)
}

/// The best of several rounds in nanoseconds a call, and the allocations of a call.
fn measure<T>(mut call: impl FnMut() -> T) -> (f64, u64) {
    let mut best = f64::MAX;
    for _ in 0..7 {
        let start = Instant::now();
        let mut calls = 0_u32;
        while start.elapsed().as_millis() < 60 {
            for _ in 0..20 {
                black_box(call());
            }
            calls += 20;
        }
        best = best.min(start.elapsed().as_secs_f64() * 1e9 / f64::from(calls));
    }
    let before = ALLOCATIONS.load(Ordering::Relaxed);
    for _ in 0..100 {
        black_box(call());
    }
    (best, (ALLOCATIONS.load(Ordering::Relaxed) - before) / 100)
}
