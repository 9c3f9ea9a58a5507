//! One instance of the real program in a folder of its own.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

/// The program that cargo built for these tests.
pub const WB: &str = env!("CARGO_BIN_EXE_wb");

/// What a run came to.
#[derive(Debug)]
pub struct Run {
    /// The command, for messages.
    pub command: String,
    /// The exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// What it wrote for programs and people.
    pub stdout: String,
    /// What it said besides.
    pub stderr: String,
}

impl Run {
    /// Expects an exit code.
    #[track_caller]
    pub fn ends(self, code: i32) -> Self {
        assert_eq!(
            self.code,
            Some(code),
            "{}\nstdout: {}\nstderr: {}",
            self.command,
            self.stdout,
            self.stderr
        );
        self
    }

    /// The lines of standard output, each as JSON.
    #[track_caller]
    pub fn json(&self) -> Vec<Value> {
        let parse = |line: &str| {
            serde_json::from_str(line)
                .unwrap_or_else(|error| panic!("{}: {error}: {line}", self.command))
        };
        self.stdout.lines().map(parse).collect()
    }
}

/// A command that runs the program with nothing of the tester's own environment, in `folder`, where
/// nobody is at a terminal.
pub fn wb(folder: &Path) -> Command {
    wb_at(Path::new(WB), folder)
}

/// The same with another build of the program.
pub fn wb_at(program: &Path, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command
        .env_clear()
        .env("HOME", folder)
        .current_dir(folder)
        .stdin(Stdio::null());
    command
}

/// Runs a command to its end.
#[track_caller]
pub fn run(command: &mut Command) -> Run {
    let shown = format!("{command:?}");
    let output = command.output().expect("the program starts");
    let text = |bytes| String::from_utf8(bytes).expect("the program writes UTF-8");
    Run {
        command: shown,
        code: output.status.code(),
        stdout: text(output.stdout),
        stderr: text(output.stderr),
    }
}

/// A founded instance.
#[derive(Clone)]
pub struct Instance {
    /// Its home folder.
    pub home: PathBuf,
    /// The build of the program it is run with.
    pub program: PathBuf,
    /// What its commands find in their environment.
    pub environment: Vec<(&'static str, PathBuf)>,
    folder: PathBuf,
}

impl Instance {
    /// Founds an instance in `folder`, in a home that is named like it.
    #[track_caller]
    pub fn found(folder: &Path, name: &str, admin: &str) -> Self {
        Self::found_by(folder, name, admin, Path::new(WB))
    }

    /// The same with another build of the program.
    #[track_caller]
    pub fn found_by(folder: &Path, name: &str, admin: &str, program: &Path) -> Self {
        let instance = Self::at(folder, name, program);
        let words = format!("{name}-words.txt");
        let arguments = ["init", "--name", name, "--admin", admin, "--words-file"];
        instance.run(&[&arguments[..], &[&words]].concat()).ends(0);
        instance
    }

    /// An instance that is, or will be, in `folder`, run with another build of the program.
    pub fn at(folder: &Path, name: &str, program: &Path) -> Self {
        Self {
            home: folder.join(name),
            folder: folder.to_owned(),
            program: program.to_owned(),
            environment: Vec::new(),
        }
    }

    /// A command of this instance.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = wb_at(&self.program, &self.folder);
        let environment = self.environment.iter().map(|(name, value)| (name, value));
        command.envs(environment);
        command.arg("--home").arg(&self.home).args(arguments);
        command
    }

    /// Runs a command of this instance.
    #[track_caller]
    pub fn run(&self, arguments: &[&str]) -> Run {
        run(&mut self.command(arguments))
    }

    /// Runs a command that must work; returns standard output without its last LF.
    #[track_caller]
    pub fn ok(&self, arguments: &[&str]) -> String {
        self.run(arguments).ends(0).stdout.trim_end().to_owned()
    }

    /// Runs a command that must work with `--json`; returns its lines.
    #[track_caller]
    pub fn json(&self, arguments: &[&str]) -> Vec<Value> {
        let run = self.run(&[&["--json"], arguments].concat()).ends(0);
        run.json()
    }

    /// The id of the instance.
    #[track_caller]
    pub fn id(&self) -> String {
        text(&self.json(&["status"])[0], "id").to_owned()
    }

    /// A file of this instance.
    pub fn file(&self, name: &str) -> PathBuf {
        self.home.join(name)
    }
}

/// A text member of a JSON object.
#[track_caller]
pub fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key]
        .as_str()
        .unwrap_or_else(|| panic!("no text `{key}` in {value}"))
}
