//! The passphrase of the signing key: from the environment, a file that it names, or a terminal that does not
//! show what is typed.

use std::io::IsTerminal as _;
use std::sync::Arc;

use anyhow::Result;
use wb_node::keys::Behind;
use wb_store::AskPassphrase;
use zeroize::Zeroizing;

use crate::context::tell;
use crate::failure::Failure;

/// Where the passphrase of the key is found; with `_FILE` a file that holds it.
const VARIABLE: &str = "WB_KEY_PASSPHRASE";
/// Where the one of the next key is found, when it is to be another.
const NEXT_VARIABLE: &str = "WB_KEY_NEW_PASSPHRASE";
/// Characters of a passphrase at least; shorter ones are tried out in no time.
const CHARS_MIN: usize = 8;

/// Asks for the passphrase of the key when it is needed, once for the whole process.
pub fn asker() -> AskPassphrase {
    Arc::new(|| {
        from_environment(VARIABLE)
            .or_else(|| typed("passphrase of the signing key: "))
            .filter(|passphrase| !passphrase.is_empty())
    })
}

fn from_environment(variable: &str) -> Option<Zeroizing<String>> {
    if let Ok(text) = std::env::var(variable) {
        return Some(Zeroizing::new(text));
    }
    let file = std::env::var_os(format!("{variable}_FILE"))?;
    let text = Zeroizing::new(std::fs::read_to_string(file).ok()?);
    let line = text.lines().next().unwrap_or_default();
    Some(Zeroizing::new(line.to_owned()))
}

/// What somebody types at a terminal, unseen; none where nobody sits at one.
fn typed(question: &str) -> Option<Zeroizing<String>> {
    let stdin = std::io::stdin();
    if !stdin.is_terminal() || !std::io::stderr().is_terminal() {
        return None;
    }
    tell(question);
    let mut line = Zeroizing::new(String::new());
    unseen(|| stdin.read_line(&mut line).ok())?;
    tell("\n");
    Some(Zeroizing::new(
        line.trim_end_matches(['\n', '\r']).to_owned(),
    ))
}

/// Does something while the terminal does not show what is typed; none where it cannot be kept from it.
#[cfg(unix)]
fn unseen<T>(work: impl FnOnce() -> Option<T>) -> Option<T> {
    use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
    let stdin = std::io::stdin();
    let before = tcgetattr(&stdin).ok()?;
    let mut unseen = before.clone();
    unseen.local_modes.remove(LocalModes::ECHO);
    tcsetattr(&stdin, OptionalActions::Flush, &unseen).ok()?;
    let done = work();
    // Whatever came: the terminal is left as it was.
    let _ = tcsetattr(&stdin, OptionalActions::Flush, &before);
    done
}

#[cfg(not(unix))]
fn unseen<T>(work: impl FnOnce() -> Option<T>) -> Option<T> {
    work()
}

/// What the next key is put behind, as the flags say.
///
/// # Errors
/// That a passphrase is wanted and nobody says one, or one that is too short, or another the second time.
pub fn behind(passphrase: bool, no_passphrase: bool) -> Result<Behind> {
    if no_passphrase {
        return Ok(Behind::Nothing);
    }
    if !passphrase {
        return Ok(Behind::AsBefore);
    }
    let told = from_environment(NEXT_VARIABLE).or_else(|| from_environment(VARIABLE));
    let told = match told {
        Some(told) => told,
        None => typed_twice()?,
    };
    if told.chars().count() < CHARS_MIN {
        return Err(Failure::usage(
            format!("a passphrase has at least {CHARS_MIN} characters"),
            "nothing was changed; some words in a row are easy to remember",
        )
        .into());
    }
    Ok(Behind::Passphrase(told))
}

fn typed_twice() -> Result<Zeroizing<String>> {
    let missing = || {
        Failure::usage(
            "there is no passphrase to put the key behind, and nobody is at a terminal",
            "give it in WB_KEY_NEW_PASSPHRASE, or in the file that WB_KEY_NEW_PASSPHRASE_FILE names; nothing was changed",
        )
    };
    let first = typed("new passphrase: ").ok_or_else(missing)?;
    let second = typed("the same again: ").ok_or_else(missing)?;
    if first != second {
        return Err(Failure::usage("these are two passphrases", "nothing was changed").into());
    }
    Ok(first)
}
