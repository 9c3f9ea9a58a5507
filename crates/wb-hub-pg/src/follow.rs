//! Whom each member follows (spec: sync, follow list).

use tokio_postgres::Row;
use wb_core::id::InstanceId;
use wb_core::sync::{FollowList, Follows};

use crate::error::{PgError, Result};
use crate::member::is_in_directory;
use crate::tx::{Columns as _, Tx, ids, int};

/// Columns of [`read`], of `members m`.
pub(crate) const COLUMNS: &str =
    "m.follows_counter, m.follows_all, m.follows_ids, m.follows_except";

/// SQL for whether the member `f` follows `m`, where it is another one.
pub(crate) const FOLLOWS: &str = concat!(
    "((f.follows_all AND NOT m.id = ANY (f.follows_except) AND ",
    is_in_directory!(),
    ") OR m.id = ANY (f.follows_ids))"
);

/// Counter and hash of a list.
pub(crate) fn named(list: &FollowList) -> Follows {
    Follows {
        counter: list.counter,
        hash: list.hash(),
    }
}

pub(crate) fn read(row: &Row, first: usize) -> Result<FollowList> {
    let ids = |column: usize| -> Result<Vec<InstanceId>> {
        let ids: Vec<&[u8]> = row.value(column)?;
        let ids = ids.into_iter().map(InstanceId::from_slice);
        let ids: Option<Vec<InstanceId>> = ids.collect();
        ids.ok_or_else(|| PgError::damaged("a follow list"))
    };
    Ok(FollowList {
        counter: row.number(first)?,
        all: row.value(first + 1)?,
        follow: ids(first + 2)?,
        except: ids(first + 3)?,
    })
}

/// The list of a member; an empty one of counter 0 while it sent none.
pub(crate) fn load(tx: &Tx<'_>, id: &InstanceId) -> Result<FollowList> {
    let sql = format!("SELECT {COLUMNS} FROM members m WHERE m.id = $1");
    let row = tx.row(&sql, &[&&id.0[..]])?;
    row.map_or_else(|| Ok(FollowList::default()), |row| read(&row, 0))
}

/// Takes a list that was checked, where it is newer than the one held or the same; else the counter held.
pub(crate) fn put(
    tx: &Tx<'_>,
    id: &InstanceId,
    list: &FollowList,
) -> Result<std::result::Result<Follows, u64>> {
    let put = tx.execute(
        "UPDATE members SET follows_counter = $2, follows_all = $3, follows_ids = $4, follows_except = $5
         WHERE id = $1 AND follows_counter < $2",
        &[
            &&id.0[..],
            &int(list.counter),
            &list.all,
            &ids(&list.follow),
            &ids(&list.except),
        ],
    )?;
    if put > 0 {
        return Ok(Ok(named(list)));
    }
    let held = load(tx, id)?;
    Ok(if held == *list {
        Ok(named(list))
    } else {
        Err(held.counter)
    })
}

/// Members that follow one.
pub(crate) fn followers(tx: &Tx<'_>, id: &InstanceId) -> Result<u64> {
    let sql = format!(
        "SELECT count(*) FROM members m JOIN members f ON f.instance_no <> m.instance_no WHERE m.id = $1 AND {FOLLOWS}"
    );
    tx.one(&sql, &[&&id.0[..]])?.number(0)
}
