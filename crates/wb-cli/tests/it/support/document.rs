//! Running the commands of a document: `console` blocks, as `docs/walkthrough.md` explains them.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::instance::WB;

/// A command of a document and what it says is shown.
#[derive(Debug)]
pub struct Step {
    /// The line of the document, for messages.
    pub line: usize,
    /// The command.
    pub command: String,
    /// Lines that are shown, with `…` for anything; none where it does not matter.
    shown: Vec<String>,
    code: i32,
}

/// The commands of a document in their order.
pub fn steps(document: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut inside = false;
    for (index, line) in document.lines().enumerate() {
        if let Some(command) = line.strip_prefix("$ ").filter(|_| inside) {
            steps.push(Step {
                line: index + 1,
                command: command.to_owned(),
                shown: Vec::new(),
                code: 0,
            });
        } else if line.starts_with("```") {
            inside = line == "```console";
        } else if inside {
            let step = steps.last_mut().expect("a block starts with a command");
            match line
                .strip_prefix("[exit code ")
                .and_then(|rest| rest.strip_suffix(']'))
            {
                Some(code) => step.code = code.parse().expect("an exit code"),
                None => step.shown.push(line.to_owned()),
            }
        }
    }
    steps
}

/// A shell in a folder where `wb` is the program under test.
pub struct Shell {
    folder: PathBuf,
    path: String,
    /// Variables set so far, with their values.
    variables: Vec<(String, String)>,
}

impl Shell {
    /// Prepares the folder.
    pub fn new(folder: &Path) -> Self {
        let bin = folder.join("bin");
        std::fs::create_dir(&bin).expect("the folder is empty");
        std::os::unix::fs::symlink(WB, bin.join("wb")).expect("links can be made");
        let path = std::env::var("PATH").expect("a path");
        Self {
            folder: folder.to_owned(),
            path: format!("{}:{path}", bin.display()),
            variables: Vec::new(),
        }
    }

    /// Runs a command and holds what it shows against the document.
    pub fn run(&mut self, step: &Step) {
        let value = self.folder.join("value");
        let assigned = assigned(&step.command);
        let script = match assigned {
            Some(name) => format!("{} && printf %s \"${name}\" >value", step.command),
            None => step.command.clone(),
        };
        let output = Command::new("sh")
            .args(["-c", &format!("exec 2>&1\n{script}")])
            .env_clear()
            .env("PATH", &self.path)
            .env("HOME", &self.folder)
            .envs(self.variables.iter().cloned())
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .output()
            .expect("sh runs");
        let shown = String::from_utf8(output.stdout).expect("the program writes UTF-8");
        let place = format!("line {}: {}\n{shown}", step.line, step.command);
        assert_eq!(output.status.code(), Some(step.code), "{place}");
        if let Some(name) = assigned {
            let value = std::fs::read_to_string(value).expect("the shell wrote it");
            assert!(!value.is_empty(), "{place}: ${name} is empty");
            self.variables.push((name.to_owned(), value));
        }
        if step.shown.is_empty() {
            return;
        }
        let expected: Vec<String> = step.shown.iter().map(|line| self.filled(line)).collect();
        let lines: Vec<&str> = shown.lines().collect();
        assert!(
            lines_fit(&expected, &lines),
            "{place}\nexpected:\n{}",
            expected.join("\n")
        );
    }

    /// The line with the values of variables in it.
    fn filled(&self, line: &str) -> String {
        let mut line = line.to_owned();
        for (name, value) in &self.variables {
            line = line.replace(&format!("${name}"), value);
        }
        line
    }
}

/// The variable that a command sets: `name=$(…)`.
fn assigned(command: &str) -> Option<&str> {
    let (name, _) = command.split_once("=$(")?;
    let is_name = name.chars().all(|c| c.is_ascii_lowercase() || c == '_');
    is_name.then_some(name)
}

fn lines_fit(expected: &[String], lines: &[&str]) -> bool {
    match expected.split_first() {
        None => lines.is_empty(),
        Some((line, rest)) if line == "…" => {
            (0..=lines.len()).any(|skipped| lines_fit(rest, &lines[skipped..]))
        }
        Some((line, rest)) => lines.split_first().is_some_and(|(first, others)| {
            let parts: Vec<&str> = line.split('…').collect();
            parts_fit(&parts, first) && lines_fit(rest, others)
        }),
    }
}

/// Whether a line is these parts with anything between them.
fn parts_fit(parts: &[&str], line: &str) -> bool {
    let [first, rest @ ..] = parts else {
        return line.is_empty();
    };
    let Some(line) = line.strip_prefix(first) else {
        return false;
    };
    let Some((last, middle)) = rest.split_last() else {
        return line.is_empty();
    };
    let Some(mut line) = line.strip_suffix(last) else {
        return false;
    };
    for part in middle {
        let Some((_, after)) = line.split_once(part) else {
            return false;
        };
        line = after;
    }
    true
}

#[test]
fn dots_stand_for_anything_and_nothing_else_does() {
    let fits = |pattern: &str, line: &str| {
        let pattern: Vec<String> = pattern.lines().map(str::to_owned).collect();
        lines_fit(&pattern, &line.lines().collect::<Vec<_>>())
    };
    assert!(fits("a\n…\nd", "a\nb\nc\nd") && fits("a\n…\nd", "a\nd"));
    assert!(fits("sum … bytes …", "sum 12 bytes in all"));
    assert!(!fits("a\n…\nd", "a\nb\nc") && !fits("a", "a\nb") && !fits("a\nb", "a"));
    assert!(!fits("sum … bytes", "sum 12 bytes in all") && !fits("a…a", "a"));
}
