//! Places in the lists of a hub's pages, as they stand in an address: each stays where it is when what stands at
//! it goes.

use std::fmt;
use std::str::FromStr;

use wb_core::id::{InstanceId, RecordRef};
use wb_core::time::Timestamp;

/// A place in a list that begins with the open requests: it stays where it is when the request at it goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestPlace {
    /// Whether it is among the open ones.
    pub is_open: bool,
    /// When it was written.
    pub placed_at: Timestamp,
    /// The request.
    pub key: RecordRef,
}

impl fmt::Display for RequestPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_open = u8::from(self.is_open);
        let (at, key) = (self.placed_at.unix_ms(), &self.key);
        write!(f, "{is_open}.{at}.{}.{}", key.origin, key.id)
    }
}

impl FromStr for RequestPlace {
    type Err = NotAPlace;

    fn from_str(text: &str) -> std::result::Result<Self, NotAPlace> {
        let parts: Vec<&str> = text.split('.').collect();
        let [is_open @ ("0" | "1"), at, origin, id] = parts[..] else {
            return Err(NotAPlace);
        };
        let (placed_at, key) = read_place(at, origin, id)?;
        Ok(Self {
            is_open: is_open == "1",
            placed_at,
            key,
        })
    }
}

/// A place in the list of communities: it stays where it is when the community at it goes, and asks nothing
/// about that community.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommunityPlace {
    /// The name under which it registered.
    pub name: String,
    /// Its id.
    pub id: InstanceId,
}

/// Ends with a full stop, so that a blank at the end of a name stays in it.
impl fmt::Display for CommunityPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.", self.id, self.name)
    }
}

impl FromStr for CommunityPlace {
    type Err = NotAPlace;

    fn from_str(text: &str) -> std::result::Result<Self, NotAPlace> {
        let text = text.strip_suffix('.').ok_or(NotAPlace)?;
        let (id, name) = text.split_once('.').ok_or(NotAPlace)?;
        Ok(Self {
            name: name.to_owned(),
            id: id.parse().map_err(|_| NotAPlace)?,
        })
    }
}

/// A place among the comments on a request: it stays where it is when the comment at it goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CommentPlace {
    /// When it was written.
    pub placed_at: Timestamp,
    /// The comment.
    pub key: RecordRef,
}

impl fmt::Display for CommentPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (at, key) = (self.placed_at.unix_ms(), &self.key);
        write!(f, "{at}.{}.{}", key.origin, key.id)
    }
}

impl FromStr for CommentPlace {
    type Err = NotAPlace;

    fn from_str(text: &str) -> std::result::Result<Self, NotAPlace> {
        let parts: Vec<&str> = text.split('.').collect();
        let [at, origin, id] = parts[..] else {
            return Err(NotAPlace);
        };
        let (placed_at, key) = read_place(at, origin, id)?;
        Ok(Self { placed_at, key })
    }
}

/// When a record was written, and which it is.
fn read_place(
    at: &str,
    origin: &str,
    id: &str,
) -> std::result::Result<(Timestamp, RecordRef), NotAPlace> {
    let at = at.parse().ok().and_then(Timestamp::from_unix_ms);
    let key = RecordRef {
        origin: origin.parse().map_err(|_| NotAPlace)?,
        id: id.parse().map_err(|_| NotAPlace)?,
    };
    Ok((at.ok_or(NotAPlace)?, key))
}

/// A text is no place in a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a place in such a list")]
pub struct NotAPlace;
