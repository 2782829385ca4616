//! `cargo xtask fuzz`: runs the fuzz targets, one after the other, within bounds of time and memory.
//!
//! Built by whatever compiler the workspace is built by: what libFuzzer needs to see which ways an input takes are stable
//! options of the compiler, as `cargo fuzz` sets them; only the sanitizers need a nightly one.

use std::hash::{BuildHasher, RandomState};
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::process;
use crate::terminal;
use crate::workspace::Workspace;

const HELP: &str = "\
Runs fuzz targets on what was found before, the committed seeds, and what is made of both.

Usage: cargo xtask fuzz [OPTIONS]

Options:
  --seconds N     How long each target runs (300)
  --target NAME   This target alone; may be given several times
  --seed N        Begin with this seed, as a run before printed it
  --list          Print the names of the targets

What makes a target fail is left in target/fuzz/artifacts/NAME; `--target NAME` and the file run it again:
  cargo xtask fuzz --target arn -- target/fuzz/artifacts/arn/crash-0123
";

/// How long a target runs unless told otherwise.
const SECONDS: u64 = 300;
/// What a target may use of memory, in MiB.
const MEMORY_MAX_MB: u32 = 2048;
/// How long one input may take, in seconds: nothing takes more than a few milliseconds.
const INPUT_MAX_S: u32 = 10;
/// The longest input, in bytes.
const INPUT_MAX: u32 = 1 << 16;

/// What lets libFuzzer see branches and comparisons.
const INSTRUMENTATION: [&str; 5] = [
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
];

/// Runs what the arguments ask for; success means that no target failed.
pub(crate) fn command(arguments: &[String]) -> Result<ExitCode> {
    if arguments.iter().any(|argument| argument == "--help" || argument == "-h") {
        print!("{HELP}");
        return Ok(ExitCode::SUCCESS);
    }
    let request = Request::parse(arguments)?;
    let fuzz = Fuzz::locate(Workspace::locate()?)?;
    if request.list {
        fuzz.targets.iter().for_each(|target| println!("{target}"));
        return Ok(ExitCode::SUCCESS);
    }
    let targets = fuzz.chosen(&request.targets)?;
    let programs = fuzz.build(&targets)?;
    let seed = request.seed.unwrap_or_else(any_seed);
    let mut failed = Vec::new();
    for (target, program) in targets.iter().zip(programs) {
        println!("\n{}", terminal::bold(&format!("== {target} ==")));
        if !fuzz.run(target, program, &request, seed)? {
            failed.push(target.as_str());
        }
    }
    println!();
    if failed.is_empty() {
        println!("{} {} targets, seed {seed}", terminal::green("ok"), targets.len());
        return Ok(ExitCode::SUCCESS);
    }
    println!("{} {}, seed {seed}", terminal::red("failed"), failed.join(", "));
    Ok(ExitCode::FAILURE)
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Request {
    seconds: Option<u64>,
    targets: Vec<String>,
    seed: Option<u32>,
    list: bool,
    /// For libFuzzer: its own options, or inputs to run again.
    extra: Vec<String>,
}

impl Request {
    fn parse(arguments: &[String]) -> Result<Self> {
        let mut request = Self::default();
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--list" => request.list = true,
                "--" => request.extra = arguments.by_ref().cloned().collect(),
                "--seconds" => request.seconds = Some(number(argument, arguments.next())?),
                "--seed" => request.seed = Some(number(argument, arguments.next())?),
                "--target" => {
                    request.targets.push(arguments.next().context("--target takes a name")?.clone());
                }
                unknown => bail!("no option `{unknown}`\n\n{HELP}"),
            }
        }
        if !request.extra.is_empty() && request.targets.len() != 1 {
            bail!("what follows `--` is for one target: name it with --target");
        }
        Ok(request)
    }
}

fn number<N: std::str::FromStr>(option: &str, text: Option<&String>) -> Result<N> {
    text.and_then(|text| text.parse().ok()).with_context(|| format!("{option} takes a number"))
}

/// Another one each time: hash maps are seeded with chance. Zero would let libFuzzer choose, unsaid.
fn any_seed() -> u32 {
    let [a, b, c, d, ..] = RandomState::new().hash_one(()).to_le_bytes();
    u32::from_le_bytes([a, b, c, d]).max(1)
}

/// The workspace of the fuzz targets.
struct Fuzz {
    workspace: Workspace,
    /// Where the targets are built, and what they find is kept.
    target: PathBuf,
    targets: Vec<String>,
}

impl Fuzz {
    fn locate(workspace: Workspace) -> Result<Self> {
        let metadata = workspace.metadata(&["--no-deps", "--manifest-path", "fuzz/Cargo.toml"])?;
        let targets =
            metadata["packages"][0]["targets"].as_array().context("cargo metadata names targets")?;
        let is_program = |target: &&Value| target["kind"][0] == "bin";
        let names = targets.iter().filter(is_program).filter_map(|target| target["name"].as_str());
        let targets = names.map(str::to_owned).collect();
        let target = workspace.target.join("fuzz");
        Ok(Self { workspace, target, targets })
    }

    /// Those that were named, or all.
    fn chosen(&self, named: &[String]) -> Result<Vec<String>> {
        if let Some(unknown) = named.iter().find(|name| !self.targets.contains(name)) {
            bail!("no target `{unknown}`; there are {}", self.targets.join(", "));
        }
        Ok(if named.is_empty() { self.targets.clone() } else { named.to_vec() })
    }

    /// Builds the targets and says where their programs are.
    fn build(&self, targets: &[String]) -> Result<Vec<PathBuf>> {
        // With a target named, the flags are for our code alone and not for what runs while it is compiled.
        let host = self.host()?;
        let mut cargo = self.workspace.cargo();
        cargo.args([
            "build",
            "--release",
            "--locked",
            "--manifest-path",
            "fuzz/Cargo.toml",
            "--target",
            &host,
        ]);
        cargo.arg("--target-dir").arg(&self.target).env("RUSTFLAGS", INSTRUMENTATION.join(" "));
        for target in targets {
            cargo.args(["--bin", target]);
        }
        if !process::run(&mut cargo)?.success() {
            bail!("the fuzz targets do not build");
        }
        let directory = self.target.join(host).join("release");
        Ok(targets.iter().map(|target| directory.join(target)).collect())
    }

    fn host(&self) -> Result<String> {
        let mut rustc = Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
        rustc.current_dir(&self.workspace.root).arg("-vV");
        let version = process::capture(&mut rustc)?;
        let host = version.lines().find_map(|line| line.strip_prefix("host: "));
        Ok(host.context("rustc -vV names the host")?.to_owned())
    }

    fn run(&self, target: &str, program: PathBuf, request: &Request, seed: u32) -> Result<bool> {
        let corpus = self.target.join("corpus").join(target);
        let artifacts = self.target.join("artifacts").join(target);
        for directory in [&corpus, &artifacts] {
            std::fs::create_dir_all(directory)
                .with_context(|| format!("could not make {}", directory.display()))?;
        }
        let mut fuzzer = Command::new(program);
        fuzzer.current_dir(&self.workspace.root).args([
            format!("-seed={seed}"),
            format!("-max_total_time={}", request.seconds.unwrap_or(SECONDS)),
            format!("-rss_limit_mb={MEMORY_MAX_MB}"),
            format!("-timeout={INPUT_MAX_S}"),
            format!("-max_len={INPUT_MAX}"),
            format!("-artifact_prefix={}/", artifacts.display()),
            "-print_final_stats=1".to_owned(),
        ]);
        if request.extra.iter().any(|argument| !argument.starts_with('-')) {
            fuzzer.args(&request.extra);
        } else {
            // What is found goes to the first directory.
            fuzzer.args(&request.extra).arg(corpus).arg(self.workspace.root.join("fuzz/seeds").join(target));
        }
        Ok(process::run(&mut fuzzer)?.success())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Request> {
        Request::parse(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn options_are_read() {
        let asked = parse("--seconds 60 --target arn --seed 7 -- -runs=1").unwrap();
        let extra = vec!["-runs=1".to_owned()];
        let targets = vec!["arn".to_owned()];
        assert_eq!(asked, Request { seconds: Some(60), targets, seed: Some(7), list: false, extra });
        assert_eq!(parse("").unwrap(), Request::default());
        for bad in ["--seconds", "--seconds x", "--target", "arn", "-- -runs=1", "--seed -1"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
