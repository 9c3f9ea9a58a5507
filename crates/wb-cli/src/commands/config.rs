//! `wb config`

use anyhow::Result;
use clap::Subcommand;
use serde::Serialize;
use wb_node::settings::Setting;

use crate::context::Context;
use crate::output;

/// Settings
#[derive(Debug, Subcommand)]
pub enum Config {
    /// Show every setting, its value and where the value comes from
    Show,
}

#[derive(Serialize)]
struct Row<'a> {
    schema_version: u32,
    #[serde(flatten)]
    setting: &'a Setting,
}

/// Shows the settings.
pub fn run(context: &Context, command: &Config) -> Result<()> {
    let Config::Show = command;
    let settings = context.settings()?;
    let rows: Vec<Row<'_>> = settings
        .list
        .iter()
        .map(|setting| Row {
            schema_version: 1,
            setting,
        })
        .collect();
    context.say(format!("folder {}", context.home().dir().display()));
    context.say(format!("file   {}", context.home().config().display()));
    output::list(
        context,
        &rows,
        &["setting", "value", "from", "variable", "what it does"],
        "",
        |row| {
            let setting = row.setting;
            let origin = serde_json::to_value(setting.origin).ok();
            let origin = origin
                .as_ref()
                .and_then(serde_json::Value::as_str)
                .unwrap_or_default();
            vec![
                setting.key.to_owned(),
                setting.value.clone(),
                origin.to_owned(),
                setting.variable.to_owned(),
                setting.about.to_owned(),
            ]
        },
    )
}
