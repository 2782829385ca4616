//! The table at the end, and whether it is good news.

use std::process::ExitCode;
use std::time::Duration;

use super::count::Counts;
use crate::terminal;

/// How one part went.
pub(super) struct Report {
    pub(super) part: &'static str,
    pub(super) counts: Counts,
    /// Why it could not run, or not to its end.
    pub(super) problem: Option<String>,
    pub(super) time: Duration,
}

/// Prints the table; its last line is the sum.
pub(super) fn print(reports: &[Report]) -> ExitCode {
    println!("\n{}", terminal::bold("part          passed  failed  skipped      time"));
    let mut total = Counts::default();
    for Report { part, counts, time, .. } in reports {
        let Counts { passed, failed, skipped } = counts;
        println!("{part:<12}  {passed:>6}  {failed:>6}  {skipped:>7}  {:>7.1}s", time.as_secs_f64());
        total += *counts;
    }
    for Report { part, problem, .. } in reports {
        if let Some(problem) = problem {
            println!("{part}: {problem}");
        }
    }
    if total.skipped > 0 {
        println!("Skipped tests need what is not on this machine: the output above says which, and what.");
    }
    let line = last_line(total);
    let green = total.failed == 0;
    println!("{}", if green { terminal::green(&line) } else { terminal::red(&line) });
    if green { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn last_line(total: Counts) -> String {
    let Counts { passed, failed, skipped } = total;
    match skipped {
        0 => format!("{passed} passed, {failed} failed"),
        _ => format!("{passed} passed, {failed} failed, {skipped} skipped"),
    }
}

#[cfg(test)]
mod tests {
    use super::{Counts, last_line};

    #[test]
    fn the_last_line_names_skipped_tests_only_if_there_are_any() {
        assert_eq!(last_line(Counts { passed: 3, failed: 0, skipped: 0 }), "3 passed, 0 failed");
        assert_eq!(last_line(Counts { passed: 3, failed: 1, skipped: 2 }), "3 passed, 1 failed, 2 skipped");
    }
}
