//! The program `wb`, as people start it.

use std::path::PathBuf;
use std::process::Command;

use crate::error::{BenchError, Result};

/// Finds it: the one that is named (`WB_BUILT`), else the one beside this program, which is built first where cargo
/// started this one.
pub fn wb() -> Result<PathBuf> {
    if let Some(named) = std::env::var_os("WB_BUILT") {
        return Ok(PathBuf::from(named));
    }
    if let Some(cargo) = std::env::var_os("CARGO") {
        let mut build = Command::new(cargo);
        build.args(["build", "--locked", "--quiet", "-p", "wb-cli"]);
        if !cfg!(debug_assertions) {
            build.arg("--release");
        }
        let built = build.status().map_err(BenchError::io("building wb"))?;
        if !built.success() {
            return Err(BenchError::Wrong(format!("building wb ended with {built}")));
        }
    }
    let own = std::env::current_exe().map_err(BenchError::io("finding this program"))?;
    let beside = own.with_file_name("wb");
    if beside.is_file() {
        Ok(beside)
    } else {
        Err(BenchError::Wrong(format!(
            "{} is not there; build it (cargo build -p wb-cli), or name it with WB_BUILT",
            beside.display()
        )))
    }
}
