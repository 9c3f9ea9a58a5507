//! How a failed command ends: a message, a hint, an exit code.

use std::process::ExitCode;

use serde::Serialize;
use wb_node::{ErrorKind, NodeError};

use crate::context::tell;
use crate::output::clean_lines;

/// An error that says by itself how to end; anything else ends with 1.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// What happened.
    pub message: String,
    /// What kind of end this is.
    pub kind: ErrorKind,
    /// What to do next.
    pub hint: Option<String>,
}

impl Failure {
    /// An error in how the command was called.
    pub fn usage(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            kind: ErrorKind::Usage,
            hint: Some(hint.into()),
        }
    }
}

#[derive(Serialize)]
struct Report<'a> {
    schema_version: u32,
    error: ErrorBody<'a>,
}

#[derive(Serialize)]
struct ErrorBody<'a> {
    code: &'a str,
    message: String,
    hint: Option<String>,
}

/// What to do about a disk that is full or read-only, whatever was being written.
fn hint_of_disk(error: &anyhow::Error) -> Option<String> {
    let error = error.downcast_ref::<std::io::Error>()?;
    if wb_store::is_io_full(error) {
        Some(wb_node::FULL.to_owned())
    } else if error.kind() == std::io::ErrorKind::ReadOnlyFilesystem {
        Some(wb_node::READ_ONLY.to_owned())
    } else {
        None
    }
}

/// Tells an error on standard error and gives the exit code.
pub fn report(error: &anyhow::Error, json: bool) -> ExitCode {
    // `wb … | head` closes the pipe; that is no error of anybody.
    let closed = error
        .downcast_ref::<std::io::Error>()
        .is_some_and(|e| e.kind() == std::io::ErrorKind::BrokenPipe);
    if closed {
        return ExitCode::SUCCESS;
    }
    let (kind, hint) = if let Some(failure) = error.downcast_ref::<Failure>() {
        (failure.kind, failure.hint.clone())
    } else if let Some(node) = error.downcast_ref::<NodeError>() {
        (node.kind(), node.hint())
    } else {
        (ErrorKind::Failed, hint_of_disk(error))
    };
    // Messages of the use cases are whole; other errors are told with their causes.
    let message = match error.downcast_ref::<NodeError>() {
        Some(error) => error.to_string(),
        None => format!("{error:#}"),
    };
    if json {
        let body = ErrorBody {
            code: kind.as_str(),
            message,
            hint,
        };
        let report = serde_json::to_string(&Report {
            schema_version: 1,
            error: body,
        });
        tell(&format!("{}\n", report.expect("strings serialise")));
    } else {
        tell(&format!("error: {}\n", clean_lines(&message)));
        if let Some(hint) = hint {
            tell(&format!("hint:  {}\n", clean_lines(&hint)));
        }
    }
    ExitCode::from(kind.exit_code())
}
