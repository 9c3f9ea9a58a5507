//! Running the commands of a document: `console` blocks, as `docs/walkthrough.md` explains them.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::instance::WB;
use super::process::{Up, wait_until};

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
    /// What was started to stay up, in order.
    running: Vec<Up>,
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
            running: Vec::new(),
        }
    }

    /// `sh` with a script, in the folder.
    fn sh(&self, script: &str) -> Command {
        let mut command = Command::new("sh");
        command
            .args(["-c", &format!("exec 2>&1\n{script}")])
            .env_clear()
            .env("PATH", &self.path)
            .env("HOME", &self.folder)
            .envs(self.variables.iter().cloned())
            .current_dir(&self.folder)
            .stdin(Stdio::null());
        command
    }

    /// Runs a command and holds what it shows against the document.
    pub fn run(&mut self, step: &Step) {
        if let Some(command) = step.command.strip_suffix(" &") {
            self.start(step, command);
        } else if let Some((name, copied)) = copied(&step.command) {
            let value = self.copy(step, copied);
            self.variables.push((name.to_owned(), value));
        } else {
            self.run_to_its_end(step);
        }
        if step.command.starts_with("kill ") {
            self.wait_for_the_end_of(&self.filled(&step.command));
        }
    }

    /// Starts what stays up, and waits until it has shown what the document says.
    fn start(&mut self, step: &Step, command: &str) {
        let up = Up::start(&mut self.sh(&format!("exec {command}")));
        let expected: Vec<String> = step.shown.iter().map(|line| self.filled(line)).collect();
        let what = format!("line {}: {command}\n{}", step.line, expected.join("\n"));
        wait_until(&what, || {
            lines_fit(&expected, &up.said().lines().collect::<Vec<_>>())
        });
        self.running.push(up);
    }

    /// A signal that was sent is not yet an end.
    fn wait_for_the_end_of(&mut self, command: &str) {
        let pid = command.rsplit(' ').next().unwrap_or_default();
        let place = self
            .running
            .iter()
            .position(|up| up.pid().to_string() == pid);
        let place = place.unwrap_or_else(|| panic!("{command}: nothing of ours"));
        self.running.remove(place).end();
    }

    /// What was copied from the screen: the word that has this form, as it was shown last; and `$!`,
    /// which only the shell knows that started it.
    fn copy(&self, step: &Step, form: &str) -> String {
        if form == "$!" {
            return self
                .running
                .last()
                .expect("something runs")
                .pid()
                .to_string();
        }
        let form = self.filled(form);
        let parts: Vec<&str> = form.split('…').collect();
        let shown = self.running.last().map(Up::said).unwrap_or_default();
        let word = shown
            .split_whitespace()
            .find(|word| parts_fit(&parts, word));
        word.unwrap_or_else(|| panic!("line {}: no word {form} in\n{shown}", step.line))
            .to_owned()
    }

    fn run_to_its_end(&mut self, step: &Step) {
        let value = self.folder.join("value");
        let assigned = assigned(&step.command);
        let script = match assigned {
            Some(name) => format!("{} && printf %s \"${name}\" >value", step.command),
            None => step.command.clone(),
        };
        let output = self.sh(&script).output().expect("sh runs");
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
        // A name may be the start of another.
        let mut variables: Vec<_> = self.variables.iter().collect();
        variables.sort_by_key(|(name, _)| std::cmp::Reverse(name.len()));
        for (name, value) in variables {
            line = line.replace(&format!("${name}"), value);
        }
        line
    }
}

/// The variable that a command sets: `name=$(…)`.
fn assigned(command: &str) -> Option<&str> {
    let (name, _) = command.split_once("=$(")?;
    is_name(name).then_some(name)
}

/// The variable that takes what a person copies from the screen, and the form of that: `name=…`.
fn copied(command: &str) -> Option<(&str, &str)> {
    let (name, form) = command.split_once('=')?;
    let is_copied = form == "$!" || (form.contains('…') && !form.contains(char::is_whitespace));
    (is_name(name) && is_copied).then_some((name, form))
}

fn is_name(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii_lowercase() || c == '_')
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

/// The cells of the table of a page that begins with a heading.
pub fn table(page: &str, heading: &str) -> Vec<Vec<String>> {
    let rows = page.lines().skip_while(|line| !line.starts_with(heading));
    rows.skip(2)
        .take_while(|line| line.starts_with('|'))
        .map(|line| {
            let cells = line.trim_matches('|').split('|');
            cells.map(|cell| cell.trim().to_owned()).collect()
        })
        .collect()
}
