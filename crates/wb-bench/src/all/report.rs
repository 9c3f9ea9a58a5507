//! The table: as Markdown for people, as JSON for programs, with the same lines.

use std::fmt::Write as _;

use serde::Serialize;

use super::figure::{Target, Unit};
use super::sheet::{Row, Sheet};
use crate::machine::Machine;
use crate::number::grouped;
use crate::spread::Spread;

/// Version of the JSON.
const SCHEMA_VERSION: u32 = 1;

/// When and on what it was measured.
#[derive(Debug)]
pub struct Circumstances {
    /// At the beginning.
    pub begun: Machine,
    /// At the end.
    pub ended: Machine,
}

/// The table in Markdown.
pub fn markdown(sheet: &Sheet, on: &Circumstances) -> String {
    let mut text = format!("Begun {}; ended {}.\n\n", on.begun, on.ended);
    text.push_str(
        "| figure | N | ours: median (least to most) | limit beside it | limit: median (least to most) | ratio | target | met |\n\
         |---|---|---|---|---|---|---|---|\n",
    );
    for row in sheet.rows() {
        let unit = row.figure.unit;
        let limit = row.limit();
        let ours = row.ours().map_or_else(
            || format!("not measured: {}", row.note),
            |ours| {
                let note = Some(&row.note).filter(|note| !note.is_empty());
                let note = note.map_or(String::new(), |note| format!(" ({note})"));
                format!("{} {}{note}", spread(ours, unit), unit.short())
            },
        );
        let _ = writeln!(
            text,
            "| {} | {} | {ours} | {} | {} | {} | {} | {} |",
            row.figure.what,
            row.n.map_or(String::new(), |n| grouped(n as f64)),
            row.figure.limit,
            limit.map_or(String::new(), |limit| spread(limit, unit)),
            row.ratio().map_or(String::new(), ratio),
            target(row.figure.target, unit),
            met(row),
        );
    }
    text
}

/// The same lines in JSON.
pub fn json(sheet: &Sheet, on: &Circumstances) -> String {
    let document = Document {
        schema_version: SCHEMA_VERSION,
        begun: on.begun.to_string(),
        ended: on.ended.to_string(),
        rows: sheet.rows().into_iter().map(line).collect(),
    };
    serde_json::to_string_pretty(&document).expect("a table has string keys and serialises")
}

#[derive(Serialize)]
struct Document {
    schema_version: u32,
    begun: String,
    ended: String,
    rows: Vec<Line>,
}

#[derive(Serialize)]
struct Line {
    figure: &'static str,
    what: &'static str,
    n: Option<u64>,
    unit: Unit,
    ours: Option<Spread>,
    limit: &'static str,
    limit_measured: Option<Spread>,
    ratio: Option<Spread>,
    target: Target,
    met: Option<bool>,
    note: String,
}

fn line(row: &Row) -> Line {
    Line {
        figure: row.figure.id,
        what: row.figure.what,
        n: row.n,
        unit: row.figure.unit,
        ours: row.ours(),
        limit: row.figure.limit,
        limit_measured: row.limit(),
        ratio: row.ratio(),
        target: row.figure.target,
        met: row.is_met(),
        note: row.note.clone(),
    }
}

fn met(row: &Row) -> &'static str {
    match row.is_met() {
        Some(true) => "yes",
        Some(false) => "**no**",
        None => "",
    }
}

fn spread(values: Spread, unit: Unit) -> String {
    let Spread { median, min, max } = values;
    let number = |value| number(value, unit);
    if min.total_cmp(&max).is_eq() {
        return number(median);
    }
    format!("{} ({} to {})", number(median), number(min), number(max))
}

fn ratio(values: Spread) -> String {
    let Spread { median, min, max } = values;
    if min.total_cmp(&max).is_eq() {
        return format!("{median:.2}");
    }
    format!("{median:.2} ({min:.2} to {max:.2})")
}

fn number(value: f64, unit: Unit) -> String {
    match unit {
        Unit::Milliseconds if value < 100.0 => format!("{value:.2}"),
        Unit::Mebibytes | Unit::MebibytesPerSecond => format!("{value:.1}"),
        _ => grouped(value),
    }
}

fn target(target: Target, unit: Unit) -> String {
    let with_unit = |value| format!("{} {}", grouped(value), unit.short());
    match target {
        Target::Nothing => String::new(),
        Target::AtLeast(least) => format!("≥ {}", with_unit(least)),
        Target::AtLeastWhereLimitAllows(least) => {
            format!("≥ {} where the limit is", with_unit(least))
        }
        Target::AtMost(most) => format!("≤ {}", with_unit(most)),
        Target::OfLimitAtLeast(share) => format!("≥ {share:.2} × limit"),
        Target::OfLimitAtMost(times) => format!("≤ {times:.2} × limit"),
        Target::OverLimitAtMost(more) => format!("≤ limit + {}", with_unit(more)),
    }
}

#[cfg(test)]
mod tests {
    use super::{Circumstances, json, markdown};
    use crate::all::figures::{T1, T1_MEMORY, T2_WIRE};
    use crate::all::sheet::Sheet;
    use crate::machine::Machine;

    #[test]
    fn the_table_says_what_is_met_what_is_not_and_what_was_not_measured() {
        let mut sheet = Sheet::default();
        sheet.add(T1, Some(1_000), 70.0, Some(100.0));
        sheet.add(T2_WIRE, Some(1_000), 20_000.0, Some(15_000.0));
        sheet.note(T1_MEMORY, Some(1_000_000), "no time was left");
        let on = Circumstances {
            begun: Machine::now(),
            ended: Machine::now(),
        };
        let text = markdown(&sheet, &on);
        assert!(text.contains("| 0.70 | ≥ 0.60 × limit | yes |"), "{text}");
        assert!(
            text.contains("| 1.33 | ≤ limit + 1,536 bytes | **no** |"),
            "{text}"
        );
        assert!(
            text.contains("| 1,000,000 | not measured: no time was left |"),
            "{text}"
        );
        let json: serde_json::Value = serde_json::from_str(&json(&sheet, &on)).expect("it is JSON");
        assert_eq!(json["rows"].as_array().map(Vec::len), Some(3));
        assert_eq!(json["rows"][1]["met"], serde_json::Value::Null);
        assert_eq!(json["rows"][2]["met"], false);
    }
}
