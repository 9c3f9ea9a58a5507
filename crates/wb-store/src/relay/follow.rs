//! Whom each member follows (spec: sync, follow list).

use rusqlite::{Connection, params};
use wb_core::id::InstanceId;
use wb_core::sync::{FollowList, Follows};

use super::file::{Relay, RelayWrite};
use crate::error::{Result, StoreError};
use crate::sql::Sql;

/// A follow list was sent that is not newer than the one held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the follow list held has counter {counter}")]
pub struct Stale {
    /// The counter held.
    pub counter: u64,
}

/// Counter and hash of a list.
pub(super) fn named(list: &FollowList) -> Follows {
    Follows {
        counter: list.counter,
        hash: list.hash(),
    }
}

/// The list of a member; an empty one of counter 0 while it sent none.
pub(super) fn load(connection: &Connection, id: &InstanceId) -> Result<FollowList> {
    let sql = "SELECT follows_counter, follows_all, follows_ids, follows_except FROM members WHERE id = ?1";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([Sql(id)])?;
    let Some(row) = rows.next()? else {
        return Ok(FollowList::default());
    };
    Ok(FollowList {
        counter: row.get::<_, Sql<u64>>(0)?.0,
        all: row.get(1)?,
        follow: split(row.get_ref(2)?.as_blob().unwrap_or_default())?,
        except: split(row.get_ref(3)?.as_blob().unwrap_or_default())?,
    })
}

fn split(bytes: &[u8]) -> Result<Vec<InstanceId>> {
    let (ids, rest) = bytes.as_chunks::<32>();
    if rest.is_empty() {
        Ok(ids.iter().map(|id| InstanceId(*id)).collect())
    } else {
        Err(StoreError::damaged("a follow list"))
    }
}

fn join(ids: &[InstanceId]) -> Vec<u8> {
    ids.iter().flat_map(|id| id.0).collect()
}

impl Relay {
    /// The follow list of a member; an empty one of counter 0 while it sent none.
    ///
    /// # Errors
    /// What the database reports.
    pub fn follows(&self, id: &InstanceId) -> Result<FollowList> {
        self.at_one_moment(|connection| load(connection, id))
    }
}

impl RelayWrite<'_> {
    /// Takes a follow list that was checked, where it is newer than the one held or the same.
    ///
    /// # Errors
    /// What the database reports; inside, the counter held.
    pub fn put_follows(
        &self,
        id: &InstanceId,
        list: &FollowList,
    ) -> Result<std::result::Result<Follows, Stale>> {
        let held = load(&self.transaction, id)?;
        if list.counter <= held.counter {
            return Ok(if *list == held {
                Ok(named(list))
            } else {
                Err(Stale {
                    counter: held.counter,
                })
            });
        }
        self.transaction.execute(
            "UPDATE members SET follows_counter = ?2, follows_all = ?3, follows_ids = ?4, follows_except = ?5
             WHERE id = ?1",
            params![
                Sql(id),
                Sql(list.counter),
                list.all,
                join(&list.follow),
                join(&list.except)
            ],
        )?;
        Ok(Ok(named(list)))
    }
}
