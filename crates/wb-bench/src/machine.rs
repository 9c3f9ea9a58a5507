//! On what, and beside what else, it was measured: a table without that says nothing.

use std::fmt;

use wb_core::time::Timestamp;
use wb_node::entropy;

/// The machine at one moment.
#[derive(Debug, Clone)]
pub struct Machine {
    at: Timestamp,
    processor: String,
    cores: usize,
    /// Processes that wanted to run, on average of the last minute.
    load: String,
}

impl Machine {
    /// Looks.
    pub fn now() -> Self {
        let read = |path| std::fs::read_to_string(path).unwrap_or_default();
        let processors = read("/proc/cpuinfo");
        let model = processors
            .lines()
            .find_map(|line| line.strip_prefix("model name")?.split_once(": "));
        let load = read("/proc/loadavg");
        Self {
            at: entropy::now(),
            processor: model
                .map_or("an unknown processor", |(_, name)| name)
                .to_owned(),
            cores: std::thread::available_parallelism().map_or(0, usize::from),
            load: load.split(' ').next().unwrap_or_default().to_owned(),
        }
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            at,
            processor,
            cores,
            load,
        } = self;
        write!(f, "{at}, {cores} cores of {processor}, load {load}")
    }
}
