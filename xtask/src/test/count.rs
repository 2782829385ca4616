//! How many tests passed, read from what the test runners report.

use std::ops::AddAssign;

use anyhow::{Context, Result};

/// The outcome of a part.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) passed: u32,
    pub(super) failed: u32,
    pub(super) skipped: u32,
}

impl Counts {
    /// A single check.
    pub(super) fn of_one(success: bool) -> Self {
        Self { passed: u32::from(success), failed: u32::from(!success), skipped: 0 }
    }

    /// A runner that ends badly without naming a failed test has failed all the same: a build error, a crash.
    pub(super) fn with_exit(mut self, success: bool) -> Self {
        if !success && self.failed == 0 {
            self.failed = 1;
        }
        self
    }

    /// Adds what a line of libtest says, if it is the one that sums up:
    /// `test result: ok. 5 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s`
    pub(super) fn add_libtest_line(&mut self, line: &str) {
        let Some((_, result)) = line.split_once("test result: ") else {
            return;
        };
        let Some((_, numbers)) = result.split_once(". ") else {
            return;
        };
        for number in numbers.split("; ") {
            let Some((count, what)) = number.split_once(' ') else {
                continue;
            };
            let Ok(count) = count.parse::<u32>() else { continue };
            match what {
                "passed" => self.passed += count,
                "failed" => self.failed += count,
                // What a Rust test needs is set up here: none has a reason to be left out.
                "ignored" => self.failed += count,
                _ => {}
            }
        }
    }

    /// Reads the attributes of the first `<testsuite` of a JUnit report, as pytest writes it.
    pub(super) fn from_junit(report: &str) -> Result<Self> {
        let (_, suite) =
            report.split_once("<testsuite ").context("the report of pytest has no test suite")?;
        let (suite, _) = suite.split_once('>').context("the report of pytest is cut off")?;
        let attribute = |name: &str| -> Result<u32> {
            let (_, value) = suite
                .split_once(&format!("{name}=\""))
                .with_context(|| format!("the report of pytest has no `{name}`"))?;
            let (value, _) = value.split_once('"').context("the report of pytest is cut off")?;
            value.parse().with_context(|| format!("`{name}` in the report of pytest is no number"))
        };
        let failed = attribute("failures")? + attribute("errors")?;
        let skipped = attribute("skipped")?;
        // A test that passes and then fails in its tear-down is reported twice but counted once in `tests`.
        let passed = attribute("tests")?.saturating_sub(failed + skipped);
        Ok(Self { passed, failed, skipped })
    }
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

#[cfg(test)]
mod tests {
    use super::Counts;

    #[test]
    fn libtest_lines_add_up() {
        let mut counts = Counts::default();
        for line in [
            "running 7 tests",
            "test result: ok. 5 passed; 0 failed; 1 ignored; 0 measured; 3 filtered out; finished in 0.01s",
            "test result: \x1b[31mFAILED\x1b[m. 2 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.23s",
        ] {
            counts.add_libtest_line(line);
        }
        assert_eq!(counts, Counts { passed: 7, failed: 2, skipped: 0 });
    }

    #[test]
    fn pytest_reports_are_read() {
        let report = r#"<?xml version="1.0" encoding="utf-8"?><testsuites name="pytest tests"><testsuite name="pytest"
            errors="1" failures="2" skipped="3" tests="10" time="0.1" timestamp="x" hostname="h"><testcase name="a" />"#;
        assert_eq!(Counts::from_junit(report).unwrap(), Counts { passed: 4, failed: 3, skipped: 3 });
        assert!(Counts::from_junit("<testsuites>").is_err());
    }

    #[test]
    fn a_bad_end_is_a_failure() {
        let (passed, failed) = (Counts::of_one(true), Counts::of_one(false));
        assert_eq!(Counts::default().with_exit(false), failed);
        assert_eq!(passed.with_exit(true), passed);
        let two = Counts { failed: 2, ..Counts::default() };
        assert_eq!(two.with_exit(false), two);
    }
}
