//! Whether whoever asks holds what is here already.
//!
//! The entity tag is the hash of the body, so that it changes with whatever is seen, also with what is gone.
//! Since when a feed is as it is, is what this process saw: a time taken from its entries would not move when
//! one is taken back.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use http::HeaderMap;
use http::header::{IF_MODIFIED_SINCE, IF_NONE_MATCH};
use wb_core::time::Timestamp;

use crate::answer::Answer;
use crate::atom::ATOM;
use crate::limits::FEEDS_REMEMBERED_MAX;

/// Feeds that were asked for, with the tag they had last and since which second.
#[derive(Debug, Default)]
pub(super) struct Seen {
    feeds: BTreeMap<String, (String, u64)>,
}

impl Seen {
    /// Since which second a feed has had this tag, as far as that is known.
    fn since(&mut self, address: &str, tag: &str, now: u64) -> u64 {
        if let Some((held, since)) = self.feeds.get(address)
            && held == tag
        {
            return *since;
        }
        if self.feeds.len() >= FEEDS_REMEMBERED_MAX && !self.feeds.contains_key(address) {
            self.feeds.clear();
        }
        self.feeds.insert(address.to_owned(), (tag.to_owned(), now));
        now
    }
}

/// A page that is the same for everybody.
pub(super) fn page(html: String) -> Answer {
    let tag = Answer::tag_of(html.as_bytes());
    let mut answer = Answer::page(html);
    (answer.tag, answer.is_for_all) = (Some(tag), true);
    answer
}

/// A feed that is the same for everybody. Whoever names the tag that it holds is told by the door; where
/// none is named, the time counts.
pub(super) fn feed(
    headers: &HeaderMap,
    seen: &mut Seen,
    address: &str,
    xml: String,
    now: Timestamp,
) -> Answer {
    let tag = Answer::tag_of(xml.as_bytes());
    let second = now.unix_ms_clamped() / 1_000;
    let since = seen.since(address, &tag, second);
    // Within one second there may have been two bodies: then its time says nothing.
    let is_told = since < second;
    let is_held = is_told
        && !headers.contains_key(IF_NONE_MATCH)
        && held_since(headers).is_some_and(|held| held >= since);
    let mut answer = if is_held {
        Answer::not_modified()
    } else {
        Answer::file(ATOM, xml.into_bytes())
    };
    (answer.tag, answer.is_for_all) = (Some(tag), true);
    answer.since = is_told.then(|| httpdate::fmt_http_date(time(since)));
    answer
}

fn held_since(headers: &HeaderMap) -> Option<u64> {
    let text = headers.get(IF_MODIFIED_SINCE)?.to_str().ok()?;
    let held = httpdate::parse_http_date(text).ok()?;
    let since = held.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    Some(since.as_secs())
}

fn time(second: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(second)
}

#[cfg(test)]
mod tests {
    use http::header::HeaderValue;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_unix_ms(second * 1_000).unwrap()
    }

    fn asking(since: Option<&HeaderValue>) -> HeaderMap {
        let pairs = since.map(|since| (IF_MODIFIED_SINCE, since.clone()));
        pairs.into_iter().collect()
    }

    #[test]
    fn a_time_is_told_only_once_it_can_mean_one_body() {
        let mut seen = Seen::default();
        let mut ask = |headers: &HeaderMap, body: &str, second: i64| {
            feed(headers, &mut seen, "/f", body.to_owned(), at(second))
        };
        let none = asking(None);
        assert_eq!(ask(&none, "one", 10).since, None);
        // In the same second it changed; who asks later is told of that one.
        assert_eq!(ask(&none, "two", 10).since, None);
        let since = ask(&none, "two", 11).since.unwrap();
        let held = asking(Some(&since.parse().unwrap()));
        assert_eq!(ask(&held, "two", 12).status, http::StatusCode::NOT_MODIFIED);
        // What was there before is here again: that is a change all the same.
        assert_eq!(ask(&held, "one", 13).status, http::StatusCode::OK);
        assert_eq!(ask(&held, "one", 14).status, http::StatusCode::OK);
    }
}
