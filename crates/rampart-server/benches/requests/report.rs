//! The figures as a table for people and as JSON for programs.

use std::fmt;

use rampart_testkit::load::Sample;
use serde::Serialize;

use crate::options::{Options, Part};
use crate::phases::Phase;
use crate::start::Start;

/// A phase, with a sample of every round.
pub(crate) struct Measured {
    pub(crate) phase: Phase,
    pub(crate) samples: Vec<Sample>,
}

impl Measured {
    pub(crate) fn new(phase: Phase) -> Self {
        Self { phase, samples: Vec::new() }
    }

    fn per_s(&self) -> Summary {
        let mut all: Vec<f64> = self.samples.iter().map(|sample| sample.per_s).collect();
        Summary { best: all.iter().copied().fold(0.0, f64::max), median: median(&mut all) }
    }

    fn median_of(&self, figure: impl Fn(&Sample) -> f64) -> f64 {
        median(&mut self.samples.iter().map(figure).collect::<Vec<_>>())
    }
}

fn median(all: &mut [f64]) -> f64 {
    all.sort_by(f64::total_cmp);
    // Of an even number the two in the middle.
    let middle = all.len().saturating_sub(1) / 2..all.len() / 2 + 1;
    all.get(middle).map_or(0.0, |two| two.iter().sum::<f64>() / if two.len() == 1 { 1.0 } else { 2.0 })
}

/// Over the rounds.
#[derive(Clone, Copy, Serialize)]
struct Summary {
    best: f64,
    median: f64,
}

impl Summary {
    fn over(self, other: Self) -> Self {
        Self { best: self.best / other.best, median: self.median / other.median }
    }
}

#[derive(Serialize)]
struct Line {
    phase: String,
    per_s: Summary,
    /// Medians of the rounds' percentiles.
    p50_us: f64,
    p99_us: f64,
    /// To the echo on as many connections.
    of_echo: Option<Summary>,
}

/// A ratio that has a goal.
#[derive(Serialize)]
struct Goal {
    ratio: String,
    value: Summary,
    at_least: f64,
}

/// All that a run found out.
#[derive(Serialize)]
pub(crate) struct Report {
    machine: String,
    store: &'static str,
    rounds: u32,
    lines: Vec<Line>,
    goals: Vec<Goal>,
    start: Option<Start>,
}

impl Report {
    pub(crate) fn new(options: &Options, measured: &[Measured], start: Option<Start>) -> Self {
        let of = |part, connections| {
            let phase = Phase { part, connections };
            measured.iter().find(|measured| measured.phase == phase).map(Measured::per_s)
        };
        let line = |measured: &Measured| {
            let Phase { part, connections } = measured.phase;
            let echo = of(Part::Echo, connections).filter(|_| part != Part::Echo);
            Line {
                phase: measured.phase.to_string(),
                per_s: measured.per_s(),
                p50_us: measured.median_of(|sample| sample.p50_us),
                p99_us: measured.median_of(|sample| sample.p99_us),
                of_echo: echo.map(|echo| measured.per_s().over(echo)),
            }
        };
        let goal = |part: (Part, u32), base: (Part, u32), at_least| {
            let value = of(part.0, part.1)?.over(of(base.0, base.1)?);
            let [part, base] = [part, base].map(|(part, connections)| Phase { part, connections });
            Some(Goal { ratio: format!("{part} / {base}"), value, at_least })
        };
        let many = options.connections.iter().copied().max().unwrap_or(1);
        let reads =
            options.connections.iter().map(|count| goal((Part::Reads, *count), (Part::Echo, *count), 0.5));
        let creates = [
            goal((Part::Creates, many), (Part::Creates, 1), 2.5).filter(|_| many > 1),
            goal((Part::Creates, many), (Part::Storage, many), 0.5),
        ];
        Self {
            machine: machine(),
            store: if options.store.starts_with("sqlite") { "sqlite" } else { "postgres" },
            rounds: options.rounds,
            lines: measured.iter().map(line).collect(),
            goals: reads.chain(creates).flatten().collect(),
            start,
        }
    }
}

/// What the figures belong to: processor, cores, system.
fn machine() -> String {
    let cpuinfo = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpuinfo.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let model = model.map_or(std::env::consts::ARCH, |(_, model)| model);
    format!("{model}, {cores} cores, {} {}", std::env::consts::OS, kernel.trim())
}

/// Whether a figure reaches its goal.
fn verdict(reached: bool) -> &'static str {
    if reached { "reached" } else { "missed" }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}; {}; rounds: {}\n", self.machine, self.store, self.rounds)?;
        if !self.lines.is_empty() {
            self.write_lines(f)?;
        }
        if !self.goals.is_empty() {
            writeln!(f, "\n{:<74} {:>6} {:>7}  goal", "ratio", "best", "median")?;
        }
        for Goal { ratio, value: Summary { best, median }, at_least } in &self.goals {
            let verdict = match (best >= at_least, median >= at_least) {
                (true, false) => "reached by the best rounds alone",
                (false, true) => "reached by the median alone",
                (both, _) => verdict(both),
            };
            writeln!(f, "{ratio:<74} {best:>6.2} {median:>7.2}  {at_least} {verdict}")?;
        }
        self.start.as_ref().map_or(Ok(()), |start| write!(f, "\n{start}"))
    }
}

impl Report {
    fn write_lines(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<38} {:>9} {:>9} {:>9} {:>9}  {:>13}",
            "phase", "best /s", "median /s", "p50 µs", "p99 µs", "of echo"
        )?;
        for Line { phase, per_s: Summary { best, median }, p50_us, p99_us, of_echo } in &self.lines {
            write!(f, "{phase:<38} {best:>9.0} {median:>9.0} {p50_us:>9.0} {p99_us:>9.0}")?;
            match of_echo {
                Some(Summary { best, median }) => writeln!(f, "  {best:>6.3} {median:>6.3}")?,
                None => writeln!(f)?,
            }
        }
        Ok(())
    }
}

impl fmt::Display for Start {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const FIRST_ANSWER_MS_MAX: f64 = 200.0;
        const RESIDENT_MB_MAX: f64 = 60.0;
        match self {
            Self::NotBuilt(path) => {
                writeln!(f, "start: not measured, there is no {}", path.display())?;
                writeln!(f, "       cargo build --release -p rampart, or give --binary PATH")
            }
            Self::Measured { first_answer_ms, resident_mb } => {
                let middle = first_answer_ms.get(first_answer_ms.len() / 2).copied().unwrap_or_default();
                let slowest = first_answer_ms.last().copied().unwrap_or_default();
                let reached = verdict(slowest < FIRST_ANSWER_MS_MAX);
                write!(f, "start to first answer: median {middle:.0} ms, slowest {slowest:.0} ms of ")?;
                writeln!(f, "{}; below {FIRST_ANSWER_MS_MAX} ms {reached}", first_answer_ms.len())?;
                match resident_mb {
                    Some(mb) => {
                        let reached = verdict(*mb < RESIDENT_MB_MAX);
                        writeln!(f, "resident memory, idle: {mb:.1} MB; below {RESIDENT_MB_MAX} MB {reached}")
                    }
                    None => writeln!(f, "resident memory, idle: this system does not tell"),
                }
            }
        }
    }
}
