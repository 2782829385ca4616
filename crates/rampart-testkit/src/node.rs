//! The program itself, serving in a process of its own.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::client::{Client, Key};
use crate::server::REGION;

/// What Linux counts processor time in, whatever its own clock does.
const TICK_MS: u64 = 10;

/// A server that runs. Killed with the value.
#[derive(Debug)]
pub struct Node {
    child: Child,
    greeting: String,
    address: SocketAddr,
}

impl Node {
    /// Starts what the command says, and waits until it has said where it listens.
    ///
    /// # Panics
    /// When it cannot be started, or ends before it listens; with what it said.
    pub fn start(command: &mut Command) -> Self {
        let child = command.stdout(Stdio::piped()).spawn();
        let mut child = child.unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let mut greeting = String::new();
        let mut lines = BufReader::new(child.stdout.as_mut().expect("its output is piped"));
        while !greeting.contains("aws ram get-resource-shares") {
            let read = lines.read_line(&mut greeting).expect("it writes text");
            assert!(read > 0, "it ended after: {greeting}");
        }
        let endpoint = greeting.lines().find_map(|line| line.trim().strip_prefix("endpoint"));
        let address = endpoint.and_then(|endpoint| endpoint.split_once("://")?.1.trim().parse().ok());
        let address = address.unwrap_or_else(|| panic!("it names no endpoint: {greeting}"));
        Self { child, greeting, address }
    }

    /// Starts what the command says, whose log is lines of JSON in that file, and waits until one of them says where it
    /// listens: it says so nowhere else.
    ///
    /// # Panics
    /// When it cannot be started, or ends before it listens; with what it logged.
    pub fn start_with_json_log(command: &mut Command, log: &Path) -> Self {
        let read = || std::fs::read_to_string(log).unwrap_or_default();
        let before = read().len();
        let child = command.stdout(Stdio::piped()).spawn();
        let mut child = child.unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let serving = loop {
            let text = read();
            let lines = text[before..].lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
            if let Some(line) = lines.into_iter().find(|line| line["message"] == "serving") {
                break line;
            }
            assert!(child.try_wait().is_ok_and(|ended| ended.is_none()), "it ended after: {text}");
            std::thread::yield_now();
        };
        let endpoint = serving["endpoint"].as_str();
        let address = endpoint.and_then(|endpoint| endpoint.split_once("://")?.1.parse().ok());
        let address = address.unwrap_or_else(|| panic!("it names no endpoint: {serving}"));
        Self { child, greeting: serving.to_string(), address }
    }

    /// What it said when it began.
    pub fn greeting(&self) -> &str {
        &self.greeting
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// A client of this server; in open mode the key's id is the account.
    pub fn client(&self, id: &str, secret: &str) -> Client {
        Client::of(self.address, Key { id: id.to_owned(), secret: secret.to_owned() }, REGION)
    }

    /// Its resident memory in megabytes (10⁶ bytes), where the system tells (Linux).
    pub fn resident_mb(&self) -> Option<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id())).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        let kib: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
        Some(kib * 1024.0 / 1e6)
    }

    /// The processor time it used so far, where the system tells (Linux).
    pub fn processor_time(&self) -> Option<Duration> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.id())).ok()?;
        // What follows the name, which may hold anything: the state is field 3, time as a user and in the kernel 14 and 15.
        let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
        let ticks = fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?;
        Some(Duration::from_millis(ticks * TICK_MS))
    }

    /// Ends it as a power cut ends a process: nothing is finished, nothing is said.
    ///
    /// # Panics
    /// When it has ended already.
    pub fn kill(mut self) {
        self.child.kill().expect("it runs");
        self.child.wait().expect("it is ours");
    }

    /// Asks it to stop and waits until it has; gives what it still said on standard output.
    ///
    /// # Panics
    /// When it has ended already.
    pub fn terminate(mut self) -> (ExitStatus, String) {
        let asked = Command::new("kill").args(["-TERM", &self.id().to_string()]).status();
        assert!(asked.expect("`kill` is there").success(), "it ended before");
        let mut rest = String::new();
        let mut output = self.child.stdout.take().expect("its output is piped");
        output.read_to_string(&mut rest).expect("it writes text");
        (self.child.wait().expect("it is ours"), rest)
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
