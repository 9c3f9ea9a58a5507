//! What was measured so far: for each figure and N the values, each with the limit that was measured beside it.

use crate::spread::Spread;

use super::figure::Figure;
use super::figures::ALL;

/// One measurement.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Sample {
    ours: f64,
    limit: Option<f64>,
}

/// A line of the table.
#[derive(Debug, Clone)]
pub struct Row {
    /// Which figure.
    pub figure: Figure,
    /// How many records or instances; none where that does not matter.
    pub n: Option<u64>,
    samples: Vec<Sample>,
    /// Why it was not measured, or what is to be known of it.
    pub note: String,
}

impl Row {
    /// What came out; none where it was not measured.
    pub fn ours(&self) -> Option<Spread> {
        self.spread(|sample| Some(sample.ours))
    }

    /// The limit; none where there is none, or it could not be measured.
    pub fn limit(&self) -> Option<Spread> {
        self.spread(|sample| sample.limit)
    }

    /// Each value divided by the limit beside it.
    pub fn ratio(&self) -> Option<Spread> {
        self.spread(|sample| Some(sample.ours / sample.limit.filter(|limit| *limit > 0.0)?))
    }

    /// Whether what is wanted is met; none where that cannot be said.
    pub fn is_met(&self) -> Option<bool> {
        let limit = self.limit().map(|limit| limit.median);
        self.figure.target.is_met(self.ours()?.median, limit)
    }

    fn spread(&self, value: impl Fn(&Sample) -> Option<f64>) -> Option<Spread> {
        let values: Vec<f64> = self.samples.iter().filter_map(value).collect();
        (!values.is_empty()).then(|| Spread::of(values))
    }
}

/// All lines.
#[derive(Debug, Default)]
pub struct Sheet {
    rows: Vec<Row>,
}

impl Sheet {
    /// Keeps a measurement, and says so on stderr: a run takes minutes.
    pub fn add(&mut self, figure: Figure, n: Option<u64>, ours: f64, limit: Option<f64>) {
        let beside = limit.map_or(String::new(), |limit| format!(", limit {limit:.3}"));
        let of = n.map_or(String::new(), |n| format!(" of {n}"));
        eprintln!(
            "{}{of}: {ours:.3} {}{beside}",
            figure.id,
            figure.unit.short()
        );
        self.row(figure, n).samples.push(Sample { ours, limit });
    }

    /// Notes something about a figure: why it is missing, or what is to be known of it.
    pub fn note(&mut self, figure: Figure, n: Option<u64>, note: &str) {
        eprintln!("{}: {note}", figure.id);
        note.clone_into(&mut self.row(figure, n).note);
    }

    /// The lines: figures in the order of the table, each from the least N on.
    pub fn rows(&self) -> Vec<&Row> {
        let place = |row: &&Row| {
            let at = ALL.iter().position(|figure| figure.id == row.figure.id);
            (at, row.n)
        };
        let mut rows: Vec<&Row> = self.rows.iter().collect();
        rows.sort_by_key(place);
        rows
    }

    fn row(&mut self, figure: Figure, n: Option<u64>) -> &mut Row {
        let known = |row: &Row| row.figure.id == figure.id && row.n == n;
        let at = self.rows.iter().position(known).unwrap_or_else(|| {
            self.rows.push(Row {
                figure,
                n,
                samples: Vec::new(),
                note: String::new(),
            });
            self.rows.len() - 1
        });
        &mut self.rows[at]
    }
}

#[cfg(test)]
mod tests {
    use super::Sheet;
    use crate::all::figures::{T1, T1_MEMORY};

    #[test]
    fn a_ratio_is_that_of_what_was_measured_together() {
        let mut sheet = Sheet::default();
        // The machine was busy the second time, for both.
        sheet.add(T1, Some(10), 60.0, Some(100.0));
        sheet.add(T1, Some(10), 6.0, Some(10.0));
        let rows = sheet.rows();
        let ratio = rows[0].ratio().expect("both were measured");
        assert!((ratio.min - 0.6).abs() < 1e-9 && (ratio.max - 0.6).abs() < 1e-9);
        assert_eq!(rows[0].is_met(), Some(true));
    }

    #[test]
    fn what_was_not_measured_is_neither_met_nor_missed() {
        let mut sheet = Sheet::default();
        sheet.note(T1_MEMORY, Some(1_000_000), "no time was left");
        assert_eq!(sheet.rows()[0].is_met(), None);
        assert_eq!(sheet.rows()[0].ours(), None);
    }
}
