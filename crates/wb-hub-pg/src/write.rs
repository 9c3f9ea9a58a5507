//! What one transaction of a writer leaves to be done once it is committed: arrivals without a number, and requests
//! of which it has to be told anew where they stand. Both are rows, written at its end, so that nothing is lost
//! where the process ends in between.

use std::cell::RefCell;
use std::collections::BTreeSet;

use wb_core::id::{Hash, RecordRef};
use wb_core::sync::Arrival;
use wb_core::time::Timestamp;

use crate::error::Result;
use crate::tx::{Tx, int};

/// What arrived, without its number.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Arriving {
    pub arrival: Arrival,
    pub instance_no: i64,
    /// The log and number of a header; none for an identity log.
    pub header: Option<(i64, u64)>,
    pub hash: Hash,
    /// About how many bytes a reader is sent.
    pub bytes: u64,
}

/// What arrived, and whether its member is served from there on to who follows everybody that is listed.
type Noting = (Arriving, bool);

/// A transaction that writes.
pub(crate) struct Write<'t, 'c> {
    pub tx: &'t Tx<'c>,
    pub now: Timestamp,
    arriving: RefCell<Vec<Noting>>,
    touched: RefCell<BTreeSet<RecordRef>>,
}

/// What is left to do once a transaction is committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Left {
    /// Something waits for its number.
    pub arriving: bool,
    /// It has to be told where a request stands.
    pub untold: bool,
}

/// How much was noted so far, to go back to.
#[derive(Debug, Clone)]
pub(crate) struct Noted {
    arriving: usize,
    touched: BTreeSet<RecordRef>,
}

impl<'t, 'c> Write<'t, 'c> {
    pub fn new(tx: &'t Tx<'c>, now: Timestamp) -> Self {
        Self {
            tx,
            now,
            arriving: RefCell::default(),
            touched: RefCell::default(),
        }
    }

    /// Something arrives, after what arrived before in this transaction.
    pub fn arrive(&self, arriving: Arriving) {
        self.arriving.borrow_mut().push((arriving, false));
    }

    /// How much arrives so far: a place for [`Write::arrive_at`].
    pub fn arriving_n(&self) -> usize {
        self.arriving.borrow().len()
    }

    /// Something arrives before what arrived since a place.
    pub fn arrive_at(&self, place: usize, arriving: Arriving) {
        self.arriving.borrow_mut().insert(place, (arriving, false));
    }

    /// The first that arrives of a member since a place is where it begins to be served to who follows everybody that is
    /// listed. Where nothing does, it is served from the beginning: there is nothing.
    pub fn serve_from_here(&self, place: usize, instance_no: i64) -> Result<()> {
        let mut arriving = self.arriving.borrow_mut();
        let mut since = arriving.iter_mut().skip(place);
        match since.find(|(arriving, _)| arriving.instance_no == instance_no) {
            Some((_, from_here)) => *from_here = true,
            None => {
                self.tx.execute(
                    "UPDATE members SET listed_from = 0 WHERE instance_no = $1",
                    &[&instance_no],
                )?;
            }
        }
        Ok(())
    }

    /// Takes note of requests of which it has to be told anew where they stand.
    pub fn touch(&self, requests: impl IntoIterator<Item = RecordRef>) {
        self.touched.borrow_mut().extend(requests);
    }

    pub fn noted(&self) -> Noted {
        Noted {
            arriving: self.arriving.borrow().len(),
            touched: self.touched.borrow().clone(),
        }
    }

    pub fn go_back(&self, noted: Noted) {
        self.arriving.borrow_mut().truncate(noted.arriving);
        *self.touched.borrow_mut() = noted.touched;
    }

    /// Writes down what is left to do.
    pub fn finish(self) -> Result<Left> {
        let (arriving, touched) = (self.arriving.take(), self.touched.take());
        put_arriving(self.tx, &arriving, self.now)?;
        if !touched.is_empty() {
            let origins: Vec<&[u8]> = touched.iter().map(|key| &key.origin.0[..]).collect();
            let ids: Vec<&[u8]> = touched.iter().map(|key| &key.id.as_bytes()[..]).collect();
            self.tx.execute(
                "INSERT INTO untold (origin, id) SELECT * FROM unnest($1::bytea[], $2::bytea[])",
                &[&origins, &ids],
            )?;
        }
        Ok(Left {
            arriving: !arriving.is_empty(),
            untold: !touched.is_empty(),
        })
    }
}

fn put_arriving(tx: &Tx<'_>, noted: &[Noting], now: Timestamp) -> Result<()> {
    if noted.is_empty() {
        return Ok(());
    }
    let arriving: Vec<&Arriving> = noted.iter().map(|(arriving, _)| arriving).collect();
    let from_here: Vec<bool> = noted.iter().map(|(_, from_here)| *from_here).collect();
    let kinds: Vec<i16> = arriving
        .iter()
        .map(|row| i16::from(row.arrival.byte()))
        .collect();
    let nos: Vec<i64> = arriving.iter().map(|row| row.instance_no).collect();
    let logs: Vec<Option<i64>> = arriving
        .iter()
        .map(|row| row.header.map(|(log, _)| log))
        .collect();
    let seqs: Vec<Option<i64>> = arriving
        .iter()
        .map(|row| row.header.map(|(_, seq)| int(seq)))
        .collect();
    let hashes: Vec<&[u8]> = arriving.iter().map(|row| &row.hash.0[..]).collect();
    let bytes: Vec<i64> = arriving.iter().map(|row| int(row.bytes)).collect();
    // Numbered in the order of the arrays, so that what arrives of a member keeps its order.
    tx.execute(
        "INSERT INTO arriving (kind, instance_no, log_no, seq, hash, bytes, from_here, at)
         SELECT kind, instance_no, log_no, seq, hash, bytes, from_here, $8
         FROM unnest($1::smallint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bytea[], $6::bigint[], $7::boolean[])
           WITH ORDINALITY AS new (kind, instance_no, log_no, seq, hash, bytes, from_here, place)
         ORDER BY place",
        &[&kinds, &nos, &logs, &seqs, &hashes, &bytes, &from_here, &now.unix_ms()],
    )?;
    Ok(())
}
