//! Times: one form, in the order of the text.

use proptest::prelude::*;
use wb_core::time::Timestamp;

use crate::naive::is_time;

/// From the first to the last millisecond of the years 0001 to 9999.
fn time() -> impl Strategy<Value = Timestamp> {
    (-62_135_596_800_000..=253_402_300_799_999_i64)
        .prop_map(|unix_ms| Timestamp::from_unix_ms(unix_ms).expect("in range"))
}

proptest! {
    #[test]
    fn a_time_is_read_as_it_was_written(time in time()) {
        let text = time.to_string();
        prop_assert_eq!(text.len(), 24);
        prop_assert_eq!(text.parse(), Ok(time));
    }

    #[test]
    fn texts_are_in_the_order_of_times(a in time(), b in time()) {
        prop_assert_eq!(a.cmp(&b), a.to_string().cmp(&b.to_string()));
    }

    #[test]
    fn the_naive_form_is_the_same(
        text in "[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-6][0-9].[0-9]{3}Z",
    ) {
        prop_assert_eq!(text.parse::<Timestamp>().is_ok(), is_time(&text));
    }
}
