//! The middle of several measurements, and how far they lie apart.

use serde::Serialize;

/// Median, least and most.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Spread {
    /// The middle one, or between the two in the middle.
    pub median: f64,
    /// The least.
    pub min: f64,
    /// The most.
    pub max: f64,
}

impl Spread {
    /// Of values; zeros for none.
    pub fn of(values: impl IntoIterator<Item = f64>) -> Self {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let (Some(min), Some(max)) = (values.first(), values.last()) else {
            return Self {
                median: 0.0,
                min: 0.0,
                max: 0.0,
            };
        };
        let half = values.len() / 2;
        let median = if values.len() % 2 == 1 {
            values[half]
        } else {
            values[half - 1].midpoint(values[half])
        };
        Self {
            median,
            min: *min,
            max: *max,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Spread;

    #[test]
    fn the_median_is_the_middle_one_or_lies_between_two() {
        let odd = Spread::of([3.0, 1.0, 2.0]);
        let even = Spread::of([4.0, 1.0, 2.0, 3.0]);
        let one = Spread::of([7.0]);
        let expected = |median, min, max| Spread { median, min, max };
        assert_eq!(odd, expected(2.0, 1.0, 3.0));
        assert_eq!(even, expected(2.5, 1.0, 4.0));
        assert_eq!(one, expected(7.0, 7.0, 7.0));
    }
}
