//! `wb rebuild`

use anyhow::Result;
use serde::Serialize;

use crate::context::Context;
use crate::output;

#[derive(Serialize)]
struct Rebuilt {
    schema_version: u32,
    records: u64,
}

/// Makes everything that is shown again.
pub fn run(context: &Context) -> Result<()> {
    let mut node = context.node()?;
    let records = wb_node::command::rebuild::rebuild(&mut node)?;
    if context.json() {
        return output::json(&Rebuilt {
            schema_version: 1,
            records,
        });
    }
    output::line(format!(
        "Rebuilt {}.",
        output::count(records, "record", "records")
    ))
}
