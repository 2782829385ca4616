//! The binary as a child process, in a directory of its own and without this process's environment.

use std::fs::File;
use std::path::Path;
use std::process::{Command, Stdio};

use rampart_testkit::node::Node;
use serde_json::Value;
use tempfile::TempDir;

/// A directory to run the program in.
pub(crate) struct Site(TempDir);

/// What a command did.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) succeeded: bool,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Site {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// The store that a server of this site has unless it is told another.
    pub(crate) fn sqlite(&self) -> String {
        format!("sqlite:{}", self.path().join("rampart.db").display())
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path().join(name), text).unwrap();
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rampart"));
        command.args(arguments).env_clear().current_dir(self.path()).stdin(Stdio::null());
        command
    }

    /// Runs a command to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Outcome {
        Outcome::of(&mut self.command(arguments))
    }

    /// Runs a command that must succeed and print JSON.
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        let outcome = self.run(arguments);
        assert!(outcome.succeeded, "{arguments:?}: {outcome:?}");
        serde_json::from_str(&outcome.stdout).unwrap()
    }

    /// Starts a server on a free port and waits until it has said where it listens. Its log goes to a file.
    pub(crate) fn serve(&self, arguments: &[&str]) -> Node {
        Node::start(&mut self.server(arguments))
    }

    /// The same of one that logs JSON, and says nothing else.
    pub(crate) fn serve_logging_json(&self, arguments: &[&str]) -> Node {
        let mut command = self.server(&["--log", "json"]);
        Node::start_with_json_log(command.args(arguments), &self.path().join("serve.log"))
    }

    fn server(&self, arguments: &[&str]) -> Command {
        let mut command = self.command(&["serve", "--listen", "127.0.0.1:0"]);
        command.args(arguments).stderr(self.open_log());
        command
    }

    /// Starts a server that may have so many files and sockets open at once.
    pub(crate) fn serve_with_descriptors(&self, descriptors: u32) -> Node {
        self.serve_limited(&format!("ulimit -n {descriptors}"))
    }

    /// Starts a server none of whose files may be longer than so many blocks of 512 bytes: to write more fails, as on a
    /// full disk.
    pub(crate) fn serve_with_files_of(&self, blocks: u32) -> Node {
        self.serve_limited(&format!("trap '' XFSZ && ulimit -f {blocks}"))
    }

    fn serve_limited(&self, limit: &str) -> Node {
        let script = format!("{limit} && exec \"$0\" serve --listen 127.0.0.1:0");
        let log = self.open_log();
        let mut shell = Command::new("/bin/sh");
        shell.args(["-c", &script, env!("CARGO_BIN_EXE_rampart")]).env_clear().current_dir(self.path());
        Node::start(shell.stdin(Stdio::null()).stderr(log))
    }

    /// All servers of this site write one log.
    fn open_log(&self) -> File {
        File::options().create(true).append(true).open(self.path().join("serve.log")).unwrap()
    }

    /// What servers of this site logged.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.path().join("serve.log")).unwrap()
    }
}

impl Outcome {
    pub(crate) fn of(command: &mut Command) -> Self {
        let output = command.output().unwrap();
        Self {
            succeeded: output.status.success(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// That it failed, said nothing on standard output, and on standard error all of `words` in one line.
    #[track_caller]
    pub(crate) fn assert_failed(&self, words: &[&str]) {
        assert!(!self.succeeded, "{self:?}");
        assert_eq!(self.stdout, "");
        for word in words {
            assert!(self.stderr.contains(word), "'{word}' is not in: {}", self.stderr);
        }
    }
}
