//! A feed of requests in the Atom format (RFC 4287).
//!
//! Ids are made of what a request and a hub are, so that they stay when an address changes.

use askama::Template;
use wb_core::hash;
use wb_core::id::InstanceId;
use wb_hub::ListedRequest;

/// When a feed without entries changed last: it never had one.
const NEVER: &str = "1970-01-01T00:00:00Z";

/// A feed.
#[derive(Debug, Template)]
#[template(path = "hub/feed.xml")]
pub(super) struct Feed {
    pub id: String,
    pub title: String,
    /// The page that it is the feed of.
    pub page: String,
    /// Its own address.
    pub itself: String,
    /// What the addresses of requests begin with.
    pub base: String,
    pub rows: Vec<ListedRequest>,
}

impl Feed {
    pub fn write(&self) -> Result<String, askama::Error> {
        self.render()
    }

    fn updated(&self) -> String {
        let newest = self.rows.iter().map(|row| row.changed_at).max();
        newest.map_or_else(|| NEVER.to_owned(), |at| at.to_string())
    }
}

/// The id of a hub's feed, or of that of one community there.
pub(super) fn feed_id(hub: &InstanceId, home: Option<&InstanceId>) -> String {
    let home = home.map_or(&[][..], |home| &home.as_bytes()[..]);
    urn(&[b"wb hub feed\0", &hub.as_bytes()[..], home])
}

/// The id of a request, the same at every hub.
fn entry_id(row: &ListedRequest) -> String {
    let (origin, id) = (row.key.origin, row.key.id);
    urn(&[b"wb request\0", &origin.as_bytes()[..], &id.as_bytes()[..]])
}

/// A UUID of version 8, which is a hash here (RFC 9562).
fn urn(parts: &[&[u8]]) -> String {
    let digest = hash::sha256(&parts.concat());
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest.as_bytes()[..16]);
    bytes[6] = bytes[6] & 0x0f | 0x80;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!(
        "urn:uuid:{}-{}-{}-{}-{}",
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..]
    )
}

/// A text without what XML has no place for, not even escaped.
fn plain(text: &str) -> String {
    text.chars()
        .filter(|letter| {
            matches!(letter, '\t' | '\n' | '\r')
                || (*letter >= ' ' && !matches!(letter, '\u{fffe}' | '\u{ffff}'))
        })
        .collect()
}
