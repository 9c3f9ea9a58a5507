//! Lines of a feed, in pages and as a sample.

use std::collections::BTreeSet;

use wb_core::id::RecordId;
use wb_core::line::Line;
use wb_core::scope::{FeedScope, Kind};
use wb_core::sync::PageSection;
use wb_store::relay::{LinesAsk, NotServed};

use super::harbour::Harbour;
use crate::origin::{Do, Origin, now};

fn ids(
    harbour: &Harbour,
    ask: &LinesAsk<'_>,
) -> Result<(Vec<RecordId>, Option<String>), NotServed> {
    let body = harbour
        .relay
        .lines_page(ask, now())
        .expect("a readable feed")?;
    let mut lines: Vec<&[u8]> = body.split(|byte| *byte == b'\n').collect();
    assert_eq!(lines.pop(), Some(&[][..]));
    let last = PageSection::read(lines.pop().expect("a last line")).expect("a page line last");
    let ids = lines
        .iter()
        .map(|line| Line::read(line).expect("a line").id);
    Ok((ids.collect(), last.next))
}

#[test]
fn lines_come_by_id_and_a_sample_newest_first() {
    let mut north = Origin::new(1);
    let mut harbour = Harbour::with(&[&north]);
    let mut ask = LinesAsk {
        origin: north.id(),
        scope: FeedScope::Public,
        after: None,
        kinds: None,
        newest: None,
        only: None,
        bytes: 1,
    };
    assert_eq!(ids(&harbour, &ask), Err(NotServed));
    harbour.publish(
        &mut north,
        &[Do::Put(1), Do::Comment(2), Do::Put(3), Do::Put(4)],
    );
    harbour.publish(&mut north, &[Do::Retract(3)]);
    let id = |number| north.record(number);

    let mut seen = Vec::new();
    loop {
        let (page, next) = ids(&harbour, &ask).expect("a feed");
        assert_eq!(page.len(), 1);
        seen.extend(page);
        let Some(next) = next else { break };
        ask.after = Some(next.parse().expect("an id"));
    }
    assert_eq!(seen, [id(1), id(2), id(4)]);

    let kinds: BTreeSet<Kind> = ["request".parse().expect("a kind")].into();
    ask = LinesAsk {
        after: None,
        kinds: Some(&kinds),
        bytes: usize::MAX,
        ..ask
    };
    assert_eq!(ids(&harbour, &ask), Ok((vec![id(1), id(4)], None)));
    ask.newest = Some(1);
    assert_eq!(ids(&harbour, &ask), Ok((vec![id(4)], None)));
    ask.kinds = None;
    ask.newest = Some(2);
    assert_eq!(ids(&harbour, &ask), Ok((vec![id(4), id(2)], None)));
}
