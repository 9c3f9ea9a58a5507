//! Words and passphrases: from a file, or typed by a person. They are never arguments, which every process
//! of the computer can read.

use std::path::Path;

use anyhow::{Context as _, Result};
use wb_core::words::RecoveryWords;
use wb_node::NodeError;
use wb_node::backup::{PASSPHRASE_CHARS_MIN, words_in};
use zeroize::Zeroizing;

use crate::context::{Context, tell};
use crate::failure::Failure;

/// Bytes of a file that is read as a secret; another file was meant where there are more.
const SECRET_BYTES_MAX: u64 = 64 * 1_024;

/// The recovery words from a file, which may be the sheet of the founding.
pub fn words_from(path: &Path) -> Result<RecoveryWords> {
    let text = read(path)?;
    Ok(words_in(&text).map_err(NodeError::from)?)
}

/// Asks for the recovery words. Nothing where nobody can be asked.
pub fn ask_words(context: &Context) -> Result<Option<RecoveryWords>> {
    let answer = context.ask("Recovery words: ")?.map(Zeroizing::new);
    let words = answer.map(|text| RecoveryWords::parse(&text)).transpose();
    Ok(words.map_err(NodeError::from)?)
}

/// A passphrase from the first line of a file.
pub fn passphrase_from(path: &Path) -> Result<Zeroizing<String>> {
    let text = read(path)?;
    let line = text.lines().next().unwrap_or_default();
    Ok(Zeroizing::new(line.to_owned()))
}

/// Asks for a passphrase without showing it. Nothing where nobody can be asked.
pub fn ask_passphrase(context: &Context, question: &str) -> Result<Option<Zeroizing<String>>> {
    if !context.can_ask() {
        return Ok(None);
    }
    let hidden = Hidden::begin();
    let answer = context.ask(question)?.map(Zeroizing::new);
    drop(hidden);
    tell("\n");
    Ok(answer)
}

/// Asks for a new passphrase twice. Nothing where nobody can be asked.
pub fn ask_new_passphrase(context: &Context) -> Result<Option<Zeroizing<String>>> {
    let Some(first) = ask_passphrase(context, "Passphrase for this backup: ")? else {
        return Ok(None);
    };
    let again = ask_passphrase(context, "The same again: ")?;
    if again.as_ref() != Some(&first) {
        return Err(Failure::usage(
            "the two passphrases differ",
            "nothing was written; try again",
        )
        .into());
    }
    Ok(Some(first))
}

/// Refuses a passphrase that can be guessed whatever work a guess is.
pub fn check_new_passphrase(passphrase: &str) -> Result<()> {
    if passphrase.chars().count() >= PASSPHRASE_CHARS_MIN {
        return Ok(());
    }
    Err(Failure::usage(
        format!("a passphrase has at least {PASSPHRASE_CHARS_MIN} characters"),
        "nothing was written; several words that belong to no sentence are good and easy to keep",
    )
    .into())
}

fn read(path: &Path) -> Result<Zeroizing<String>> {
    let found = std::fs::metadata(path).with_context(|| path.display().to_string())?;
    if found.len() > SECRET_BYTES_MAX {
        let message = format!("{} is too long for words or a passphrase", path.display());
        return Err(Failure::usage(message, "name the file that holds them").into());
    }
    let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    Ok(Zeroizing::new(text))
}

/// Keeps the terminal from showing what is typed, until it is dropped.
struct Hidden {
    #[cfg(unix)]
    before: Option<rustix::termios::Termios>,
}

impl Hidden {
    #[cfg(unix)]
    fn begin() -> Self {
        use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
        let stdin = std::io::stdin();
        let before = tcgetattr(&stdin).ok();
        if let Some(before) = &before {
            let mut hidden = before.clone();
            hidden.local_modes.remove(LocalModes::ECHO);
            let _ = tcsetattr(&stdin, OptionalActions::Flush, &hidden);
        }
        Self { before }
    }

    #[cfg(not(unix))]
    fn begin() -> Self {
        Self {}
    }
}

#[cfg(unix)]
impl Drop for Hidden {
    fn drop(&mut self) {
        use rustix::termios::{OptionalActions, tcsetattr};
        if let Some(before) = &self.before {
            let _ = tcsetattr(std::io::stdin(), OptionalActions::Now, before);
        }
    }
}
