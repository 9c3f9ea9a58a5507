//! The binary `wb`: reads the command line, picks a backend and prints the outcome.
//!
//! Promises data on stdout, messages on stderr and one exit code per kind of outcome. Leaves rules
//! to `wb-core` and use cases to `wb-node`.

use std::process::ExitCode;

/// Exit code of a call that cannot be understood.
const EXIT_USAGE: u8 = 2;

fn main() -> ExitCode {
    eprintln!("error: this build of wb has no commands yet");
    ExitCode::from(EXIT_USAGE)
}
