//! What every command works with: the folder, the settings, and how to talk to the person.

use std::io::{IsTerminal as _, Write as _};
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use wb_core::id::RecordRef;
use wb_core::scope::Scope;
use wb_node::query::default_scope::default_scope;
use wb_node::settings::Settings;
use wb_node::{Actor, Node, NodeError};
use wb_store::Home;

use crate::cli::{Color, Global};
use crate::passphrase;

/// The setting that may hold a secret; with `_FILE` a file that holds it.
const STORE: &str = "WB_STORE";

/// The first line of the file that holds the address of a store. One that is named and cannot be read is an error: a hub
/// must not begin anew in its folder because of it.
fn store_of_file() -> wb_node::Result<Option<String>> {
    let variable = format!("{STORE}_FILE");
    let Some(path) = std::env::var_os(&variable) else {
        return Ok(None);
    };
    let text = std::fs::read_to_string(&path).map_err(|error| NodeError::Settings {
        place: variable,
        what: format!("{}: {error}", PathBuf::from(path).display()),
    })?;
    Ok(text.lines().next().map(|line| line.trim().to_owned()))
}

/// One run of the program.
#[derive(Debug)]
pub struct Context {
    global: Global,
    home: Home,
}

impl Context {
    /// Finds the folder.
    ///
    /// # Errors
    /// That there is no home folder to put it in.
    pub fn new(global: Global) -> Result<Self> {
        let dir = match &global.home {
            Some(dir) => dir.clone(),
            None => default_home()
                .context("name a folder with --home: neither XDG_DATA_HOME nor HOME is set")?,
        };
        Ok(Self {
            home: Home::new(dir).asking(passphrase::asker()),
            global,
        })
    }

    /// The folder.
    pub fn home(&self) -> &Home {
        &self.home
    }

    /// Opens the instance. A handle to act as must be good also where nothing is done.
    pub fn node(&self) -> wb_node::Result<Node> {
        let node = Node::open(&self.home)?;
        if self.global.act_as.is_some() {
            self.actor(&node)?;
        }
        Ok(node)
    }

    /// Who acts.
    pub fn actor(&self, node: &Node) -> wb_node::Result<Actor> {
        node.actor(self.global.act_as.as_deref())
    }

    /// Opens the instance and says who acts.
    pub fn acting(&self) -> wb_node::Result<(Node, Actor)> {
        let node = self.node()?.asking_for(self.settings()?.sync_kinds);
        let actor = self.actor(&node)?;
        Ok((node, actor))
    }

    /// The settings.
    pub fn settings(&self) -> wb_node::Result<Settings> {
        let store = store_of_file()?;
        Settings::load(&self.home.config(), &|name| {
            let value = std::env::var(name).ok();
            value.or_else(|| store.clone().filter(|_| name == STORE))
        })
    }

    /// How far something new goes: as said, else as its author chose, else as the settings say.
    pub fn scope(
        &self,
        said: Option<Scope>,
        node: &Node,
        author: &Actor,
    ) -> wb_node::Result<Scope> {
        match said {
            Some(scope) => Ok(scope),
            None => match default_scope(node, author)? {
                Some(scope) => Ok(scope),
                None => Ok(self.settings()?.default_scope),
            },
        }
    }

    /// Whether to print JSON.
    pub fn json(&self) -> bool {
        self.global.json
    }

    /// Whether to print results and errors only.
    pub fn quiet(&self) -> bool {
        self.global.quiet
    }

    /// Whether to say more.
    pub fn verbose(&self) -> bool {
        self.global.verbose
    }

    /// Whether questions are answered already.
    pub fn yes(&self) -> bool {
        self.global.yes
    }

    /// Whether a person sits at a terminal and can be asked.
    pub fn can_ask(&self) -> bool {
        std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
    }

    /// Tells something that is no result, on standard error.
    pub fn say(&self, text: impl std::fmt::Display) {
        if !self.global.quiet {
            tell(&format!("{text}\n"));
        }
    }

    /// Tells where what was erased still stands in the log of a database.
    ///
    /// # Errors
    /// What the store reports.
    pub fn say_what_is_left(&self, node: &Node) -> Result<()> {
        if node.store().has_to_empty_logs()? {
            self.say(
                "Another program reads the files of this instance just now, so the text still stands in the log of a \
                 database. It goes from there with the next sync, or within a minute while `wb up` runs.",
            );
        }
        Ok(())
    }

    /// Asks a question that `--yes` answers. Without a terminal the answer is no.
    pub fn confirm(&self, question: &str) -> Result<bool> {
        if self.global.yes {
            return Ok(true);
        }
        let answer = self.ask(&format!("{question} [y/N] "))?;
        Ok(answer.is_some_and(|answer| is_yes(&answer)))
    }

    /// Asks for a line. Nothing where nobody can be asked.
    pub fn ask(&self, question: &str) -> Result<Option<String>> {
        if !self.can_ask() {
            return Ok(None);
        }
        tell(question);
        let mut answer = String::new();
        std::io::stdin().read_line(&mut answer)?;
        Ok(Some(answer.trim().to_owned()))
    }

    /// Whether to use colour on standard output.
    pub fn colors(&self) -> bool {
        match self.global.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => {
                let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
                    || std::env::var_os("TERM").is_some_and(|term| term == "dumb");
                std::io::stdout().is_terminal() && !plain
            }
        }
    }

    /// A progress bar on standard error, hidden where nobody looks.
    pub fn progress(&self, what: &'static str) -> indicatif::ProgressBar {
        if self.global.quiet || self.global.json || !std::io::stderr().is_terminal() {
            return indicatif::ProgressBar::hidden();
        }
        let style =
            indicatif::ProgressStyle::with_template("{msg} {bar:30} {human_pos}/{human_len} {eta}")
                .expect("the template is well formed");
        indicatif::ProgressBar::new(0)
            .with_style(style)
            .with_message(what)
    }
}

/// Whether an answer means yes.
pub fn is_yes(answer: &str) -> bool {
    matches!(answer.to_lowercase().as_str(), "y" | "yes")
}

/// Writes to standard error; nobody to read it is no reason to fail.
pub fn tell(text: &str) {
    let mut stderr = std::io::stderr().lock();
    let _ = stderr.write_all(text.as_bytes());
    let _ = stderr.flush();
}

/// `$XDG_DATA_HOME/wb`, else `~/.local/share/wb`.
fn default_home() -> Option<PathBuf> {
    let absolute = |name: &str| {
        std::env::var_os(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    absolute("XDG_DATA_HOME")
        .or_else(|| absolute("HOME").map(|home| home.join(".local/share")))
        .map(|dir| dir.join("wb"))
}

/// Finds the record a person means.
pub fn record(node: &Node, text: &str) -> wb_node::Result<RecordRef> {
    wb_node::query::find_record(node, text)
}
