//! Whether whoever asks holds what is here already.
//!
//! The entity tag is the hash of the body, so that it changes with whatever is seen, also with what is gone.
//! Since when a feed is as it is, is what this process saw: a time taken from its entries would not move when
//! one is taken back.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use http::HeaderMap;
use http::header::{HeaderValue, IF_MODIFIED_SINCE, IF_NONE_MATCH};
use wb_core::hash;
use wb_core::time::Timestamp;

use crate::answer::{Answer, Kept};
use crate::limits::FEEDS_REMEMBERED_MAX;

/// Hex digits of a hash that tell bodies apart.
const TAG_DIGITS: usize = 32;

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

fn tag(body: &[u8]) -> String {
    let hash = hash::sha256(body).to_string();
    format!("\"{}\"", &hash[..TAG_DIGITS])
}

/// A page that caches may keep, or that the one held still is so.
pub(super) fn page(headers: &HeaderMap, html: String) -> Answer {
    let kept = Kept {
        tag: tag(html.as_bytes()),
        since: None,
    };
    answer(headers, kept, false, || Answer::page(html))
}

/// A feed that readers may keep, or that the one held still is so.
pub(super) fn feed(
    headers: &HeaderMap,
    seen: &mut Seen,
    address: &str,
    xml: String,
    now: Timestamp,
) -> Answer {
    let tag = tag(xml.as_bytes());
    let second = now.unix_ms_clamped() / 1_000;
    let since = seen.since(address, &tag, second);
    // Within one second there may have been two bodies: then its time says nothing.
    let is_told = since < second;
    let is_held = is_told && held_since(headers).is_some_and(|held| held >= since);
    let kept = Kept {
        tag,
        since: is_told.then(|| httpdate::fmt_http_date(time(since))),
    };
    answer(headers, kept, is_held, || {
        Answer::file("application/atom+xml; charset=utf-8", xml.into_bytes())
    })
}

fn answer(
    headers: &HeaderMap,
    kept: Kept,
    is_held_by_time: bool,
    whole: impl FnOnce() -> Answer,
) -> Answer {
    // Where a tag is named, the time does not count.
    let is_held = match headers.get(IF_NONE_MATCH) {
        Some(tags) => names(tags, &kept.tag),
        None => is_held_by_time,
    };
    let mut answer = if is_held {
        Answer::not_modified()
    } else {
        whole()
    };
    answer.kept = Some(kept);
    answer
}

/// Whether a list of tags names one; what a proxy made weak is the same for reading.
fn names(tags: &HeaderValue, tag: &str) -> bool {
    let tags = tags.to_str().unwrap_or_default();
    tags.split(',')
        .map(|held| held.trim())
        .any(|held| held == "*" || held.strip_prefix("W/").unwrap_or(held) == tag)
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
        assert_eq!(ask(&none, "one", 10).kept.unwrap().since, None);
        // In the same second it changed; who asks later is told of that one.
        assert_eq!(ask(&none, "two", 10).kept.unwrap().since, None);
        let since = ask(&none, "two", 11).kept.unwrap().since.unwrap();
        let held = asking(Some(&since.parse().unwrap()));
        assert_eq!(ask(&held, "two", 12).status, http::StatusCode::NOT_MODIFIED);
        // What was there before is here again: that is a change all the same.
        assert_eq!(ask(&held, "one", 13).status, http::StatusCode::OK);
        assert_eq!(ask(&held, "one", 14).status, http::StatusCode::OK);
    }

    #[test]
    fn a_tag_is_found_among_others_and_made_weak() {
        let held = HeaderValue::from_static("\"a\", W/\"b\"");
        assert!(names(&held, "\"a\"") && names(&held, "\"b\"") && !names(&held, "\"c\""));
    }
}
