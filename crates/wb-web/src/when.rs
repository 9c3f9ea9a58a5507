//! Times as people read them, with the exact time for programs.

use std::fmt;

use askama::filters::HtmlSafe;
use wb_core::time::Timestamp;

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// A time in a page: day and minute. A node does not know where its readers are, so the zone stands with it.
#[derive(Debug)]
pub(crate) struct When(Timestamp);

/// A time for a template.
pub(crate) fn when(time: &Timestamp) -> When {
    When(*time)
}

/// Digits and names of months are all it writes.
impl HtmlSafe for When {}

impl fmt::Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Always 24 characters: 2026-11-22T10:23:59.123Z.
        let exact = self.0.to_string();
        let month = exact[5..7]
            .parse()
            .ok()
            .and_then(|month: usize| MONTHS.get(month - 1));
        let (year, month, day) = (
            &exact[..4],
            month.unwrap_or(&""),
            exact[8..10].trim_start_matches('0'),
        );
        let minute = &exact[11..16];
        write!(
            f,
            "<time datetime=\"{exact}\">{day} {month} {year}, {minute} UTC</time>"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_read_as_a_day_and_a_minute() {
        let time = "2026-01-09T08:04:18.648Z".parse().expect("a time");
        assert_eq!(
            when(&time).to_string(),
            "<time datetime=\"2026-01-09T08:04:18.648Z\">9 January 2026, 08:04 UTC</time>"
        );
        let first = Timestamp::from_unix_ms(-62_135_596_800_000).expect("the first time");
        assert!(when(&first).to_string().contains("1 January 0001, 00:00"));
    }
}
