//! What a hub tells its operator while it runs, and how many connections it may have.

use std::sync::Arc;

use serde::Serialize;
use wb_core::time::Timestamp;
use wb_hub::{Answered, Journal, Report};
use wb_node::call_log::CallLog;
use wb_node::entropy;

use crate::context::tell;
use crate::output::clean;

/// Files that a hub has open beside its connections: databases, their logs, what it reads from.
#[cfg(unix)]
const OTHER_FILES: u64 = 256;

/// One line of a log.
#[derive(Serialize)]
struct Line<'a, T> {
    at: Timestamp,
    level: &'static str,
    event: &'static str,
    #[serde(flatten)]
    what: &'a T,
}

#[derive(Serialize)]
struct Told<'a> {
    text: &'a str,
}

fn write<T: Serialize>(level: &'static str, event: &'static str, what: &T) {
    let at = entropy::now();
    let line = Line {
        at,
        level,
        event,
        what,
    };
    let mut line = serde_json::to_string(&line).expect("a line of a log serialises");
    line.push('\n');
    tell(&line);
}

/// Tells of what went wrong: as text, or as a line of the log.
pub fn report(log: CallLog, quiet: bool) -> Report {
    Arc::new(move |text| match log {
        CallLog::Json => write("error", "report", &Told { text }),
        CallLog::Off if quiet => {}
        CallLog::Off => tell(&format!("hub: {}\n", clean(text))),
    })
}

/// Tells of each call, where it is asked for.
pub fn journal(log: CallLog) -> Option<Journal> {
    match log {
        CallLog::Off => None,
        CallLog::Json => Some(Arc::new(|answered: &Answered| {
            let level = if answered.status >= 500 {
                "error"
            } else {
                "info"
            };
            write(level, "call", answered);
        })),
    }
}

/// Lets this process have so many connections, as far as the system lets it; what it lets it have.
#[cfg(unix)]
pub fn make_room(connections: usize) -> usize {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    let wanted = (connections as u64).saturating_add(OTHER_FILES);
    let limit = getrlimit(Resource::Nofile);
    let (Some(soft), hard) = (limit.current, limit.maximum) else {
        return connections;
    };
    if soft >= wanted {
        return connections;
    }
    let raised = hard.map_or(wanted, |hard| hard.min(wanted));
    let new = Rlimit {
        current: Some(raised),
        maximum: hard,
    };
    let may = match setrlimit(Resource::Nofile, new) {
        Ok(()) => raised,
        Err(_) => soft,
    };
    let room = usize::try_from(may.saturating_sub(OTHER_FILES)).unwrap_or(usize::MAX);
    connections.min(room.max(1))
}

/// Where the system has no such limit.
#[cfg(not(unix))]
pub fn make_room(connections: usize) -> usize {
    connections
}
