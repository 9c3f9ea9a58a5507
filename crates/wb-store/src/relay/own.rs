//! A member's own feed, given back to it (spec: sync, own): who lost its folder takes its history from here.

use wb_core::bundle::Writer;
use wb_core::id::InstanceId;
use wb_core::ndjson::put_line;
use wb_core::scope::FeedScope;
use wb_core::want::Held;

use super::changes::put_identity;
use super::file::Relay;
use super::heads::feeds_of;
use super::snapshot::SnapshotRefused;
use super::void::Voids;
use super::withheld::items_for_origin;
use crate::error::Result;
use crate::feeds::Served;
use crate::instances::instance_no;

impl Relay {
    /// The identity log of a member and the deltas of its own feed after a head, or all of the log. A page ends
    /// after `bytes`; one without deltas is the last.
    ///
    /// # Errors
    /// What the database reports; inside, that there is none, or that only a snapshot leads on.
    pub fn own_page(
        &self,
        member: &InstanceId,
        scope: FeedScope,
        after: Option<&Held>,
        bytes: usize,
    ) -> Result<std::result::Result<Vec<u8>, SnapshotRefused>> {
        self.at_one_moment(|connection| {
            let Some(no) = instance_no(connection, member)? else {
                return Ok(Err(SnapshotRefused::NotFound));
            };
            let served = Served::new(connection);
            let mut body = Vec::new();
            put_identity(&mut body, served, member)?;
            let mut feeds = feeds_of(connection, no, member)?.into_iter();
            let feed = feeds.find(|feed| feed.held.scope == scope);
            let Some(feed) = feed else {
                return Ok(Ok(body));
            };
            if Voids::new(connection).is_at_void(&feed)? {
                return Ok(Err(SnapshotRefused::NotFound));
            }
            let headers = match after {
                Some(after) => served.headers_after(after)?,
                None => served.all_headers(member, scope)?,
            };
            let Some(headers) = headers else {
                return Ok(Err(SnapshotRefused::HeadGone));
            };
            let (mut lines, mut deltas, mut items) = (Vec::new(), 0, 0);
            for header in &headers {
                if lines.len() > bytes {
                    break;
                }
                put_line(&mut lines, &header.line);
                for item in items_for_origin(connection, header)? {
                    put_line(&mut lines, &item);
                }
                deltas += 1;
                items += header.entries;
            }
            if deltas > 0 {
                put_line(&mut body, &Writer::deltas(*member, scope, deltas, items));
                body.append(&mut lines);
            }
            Ok(Ok(body))
        })
    }

    /// The signed head of a member's public feed.
    ///
    /// # Errors
    /// What the database reports.
    pub fn own_head(&self, member: &InstanceId) -> Result<Option<Vec<u8>>> {
        self.at_one_moment(|connection| {
            let Some(no) = instance_no(connection, member)? else {
                return Ok(None);
            };
            let mut feeds = feeds_of(connection, no, member)?.into_iter();
            let feed = feeds.find(|feed| feed.held.scope == FeedScope::Public);
            feed.map(|feed| Served::new(connection).header_line(feed.log_no, feed.held.seq))
                .transpose()
        })
    }
}
