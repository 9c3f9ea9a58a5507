//! What a hub writes of the calls that it answers: one of its settings.

/// What is written of each call that a hub answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CallLog {
    /// Nothing.
    #[default]
    Off,
    /// One JSON object a line.
    Json,
}

/// Reads what a hub writes of calls.
///
/// # Errors
/// Another word.
pub fn call_log(text: &str) -> std::result::Result<CallLog, &'static str> {
    match text {
        "off" => Ok(CallLog::Off),
        "json" => Ok(CallLog::Json),
        _ => Err("`off` or `json` is needed"),
    }
}
