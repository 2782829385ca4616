//! From a sequence that shows a difference to one from which no step can be left out.

use std::fmt::Write;

use rampart_testkit::TestServer;

use crate::sequence::{Difference, repeat};
use crate::steps::Step;

/// Sequences of shrinking have numbers beyond those of a run.
const FIRST_ID: u64 = 9_000_000_000;

/// Says in words what is left when every step that can be left out is.
pub(crate) async fn shrink(server: &TestServer, settle: i64, seed: u64, found: Difference) -> String {
    let Difference { mut steps, mut text } = found;
    let mut id = FIRST_ID + seed % 100_000_000 * 10;
    let mut size = steps.len() / 2;
    while size > 0 {
        let before = steps.len();
        let mut from = 0;
        while from < steps.len() {
            let to = (from + size).min(steps.len());
            let rest: Vec<Step> = [&steps[..from], &steps[to..]].concat();
            id += 1;
            match repeat(server, settle, id, seed, &rest).await {
                Some(shown) => (steps, text) = (rest, shown),
                None => from = to,
            }
        }
        if size > 1 || steps.len() == before {
            size /= 2;
        }
    }
    let mut words = String::new();
    for step in &steps {
        let _ = writeln!(words, "{step}");
    }
    words + "then " + &text
}
