//! Offers of help: where each stands and what it says (spec: help). All of it is in the private file.

use rusqlite::{OptionalExtension as _, Row, params};
use wb_core::id::{Hash, InstanceId, RecordId, RecordRef};
use wb_core::time::Timestamp;

use crate::error::Result;
use crate::private::Private;
use crate::sql::{Sql, some, word};

/// Where an offer stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OfferState {
    /// It waits for an answer.
    Offered,
    /// Both agreed.
    Accepted,
    /// Who asked did not take it up, or no longer.
    Declined,
    /// Nobody is there to answer any more.
    Closed,
    /// Who offered took it back.
    TakenBack,
    /// The help is over.
    Done,
}

impl OfferState {
    /// Its word in the spec.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Offered => "offered",
            Self::Accepted => "accepted",
            Self::Declined => "declined",
            Self::Closed => "closed",
            Self::TakenBack => "taken_back",
            Self::Done => "done",
        }
    }

    /// Whether anything can still come of it.
    #[must_use]
    pub fn is_open(self) -> bool {
        matches!(self, Self::Offered | Self::Accepted)
    }
}

impl std::str::FromStr for OfferState {
    type Err = ();

    fn from_str(word: &str) -> std::result::Result<Self, ()> {
        let all = [
            Self::Offered,
            Self::Accepted,
            Self::Declined,
            Self::Closed,
            Self::TakenBack,
            Self::Done,
        ];
        all.into_iter()
            .find(|state| state.as_str() == word)
            .ok_or(())
    }
}

/// An offer of help.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfferRow {
    /// The instance of who offers, and the thread of its letters.
    pub key: RecordRef,
    /// The request.
    pub request: RecordRef,
    /// The member here who offers; none where that is somebody elsewhere.
    pub helper: Option<RecordId>,
    /// The name of who offers, where they say it.
    pub name: Option<String>,
    /// What they say along with it.
    pub text: Option<String>,
    /// The body of a letter with ways to reach who offers.
    pub helper_contact: Option<String>,
    /// The body of a letter with ways to reach who asked.
    pub asker_contact: Option<String>,
    /// The hash of the ways to reach them that who offers said yes to.
    pub act_shown: Option<Hash>,
    /// Where it stands.
    pub state: OfferState,
    /// A kind word with a refusal.
    pub answer: Option<String>,
    /// Thanks from who offered.
    pub helper_thanks: Option<String>,
    /// Thanks from who asked.
    pub asker_thanks: Option<String>,
    /// Whether the home of the request named the other instance for it.
    pub named: bool,
    /// Whether home has yet to say that the request is completed, because who helped said so by letter.
    pub completes: bool,
    /// When it was offered.
    pub at: Timestamp,
    /// When it stood otherwise last.
    pub changed_at: Timestamp,
}

const OFFERS: &str = "SELECT helper_home, offer, request_origin, request, helper, name, text, helper_contact,
      asker_contact, act_shown, state, answer, helper_thanks, asker_thanks, named, completes, at, changed_at
    FROM offers";

fn read(row: &Row<'_>) -> rusqlite::Result<OfferRow> {
    Ok(OfferRow {
        key: RecordRef {
            origin: row.get::<_, Sql<_>>(0)?.0,
            id: row.get::<_, Sql<_>>(1)?.0,
        },
        request: RecordRef {
            origin: row.get::<_, Sql<_>>(2)?.0,
            id: row.get::<_, Sql<_>>(3)?.0,
        },
        helper: some(row.get::<_, Option<Sql<_>>>(4)?),
        name: row.get(5)?,
        text: row.get(6)?,
        helper_contact: row.get(7)?,
        asker_contact: row.get(8)?,
        act_shown: some(row.get::<_, Option<Sql<_>>>(9)?),
        state: word(row, 10)?,
        answer: row.get(11)?,
        helper_thanks: row.get(12)?,
        asker_thanks: row.get(13)?,
        named: row.get(14)?,
        completes: row.get(15)?,
        at: row.get::<_, Sql<_>>(16)?.0,
        changed_at: row.get::<_, Sql<_>>(17)?.0,
    })
}

impl Private {
    /// Every offer, the oldest first.
    ///
    /// # Errors
    /// What the database reports.
    pub fn offers(&self) -> Result<Vec<OfferRow>> {
        let sql = format!("{OFFERS} ORDER BY at, helper_home, offer");
        let mut statement = self.connection().prepare_cached(&sql)?;
        let rows = statement.query_map([], read)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Offers about a request, the oldest first.
    ///
    /// # Errors
    /// What the database reports.
    pub fn offers_about(&self, request: &RecordRef) -> Result<Vec<OfferRow>> {
        let sql = format!(
            "{OFFERS} WHERE request = ?1 AND request_origin = ?2 ORDER BY at, helper_home, offer"
        );
        let mut statement = self.connection().prepare_cached(&sql)?;
        let of = params![Sql(request.id), Sql(request.origin)];
        let rows = statement.query_map(of, read)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// An offer.
    ///
    /// # Errors
    /// What the database reports.
    pub fn offer(&self, key: &RecordRef) -> Result<Option<OfferRow>> {
        let sql = format!("{OFFERS} WHERE helper_home = ?1 AND offer = ?2");
        let mut statement = self.connection().prepare_cached(&sql)?;
        let of = params![Sql(key.origin), Sql(key.id)];
        Ok(statement.query_row(of, read).optional()?)
    }

    /// An offer between this instance and another, whichever of them it was made at, by the thread of its letters.
    ///
    /// # Errors
    /// What the database reports.
    pub fn offer_with(
        &self,
        own: &InstanceId,
        other: &InstanceId,
        thread: &RecordId,
    ) -> Result<Option<OfferRow>> {
        let theirs = self.offer(&RecordRef {
            origin: *other,
            id: *thread,
        })?;
        if theirs.is_some() {
            return Ok(theirs);
        }
        let ours = self.offer(&RecordRef {
            origin: *own,
            id: *thread,
        })?;
        Ok(ours.filter(|offer| offer.request.origin == *other))
    }

    /// How many offers about a request came from an instance, whatever became of them.
    ///
    /// # Errors
    /// What the database reports.
    pub fn offers_of(&self, helper_home: &InstanceId, request: &RecordRef) -> Result<u64> {
        let sql = "SELECT count(*) FROM offers WHERE request = ?1 AND request_origin = ?2 AND helper_home = ?3";
        let of = params![Sql(request.id), Sql(request.origin), Sql(helper_home)];
        let mut statement = self.connection().prepare_cached(sql)?;
        Ok(statement.query_row(of, |row| Ok(row.get::<_, Sql<u64>>(0)?.0))?)
    }

    /// Keeps an offer as it stands now.
    ///
    /// # Errors
    /// What the database reports.
    pub fn put_offer(&self, offer: &OfferRow) -> Result<()> {
        let sql = "INSERT OR REPLACE INTO offers (helper_home, offer, request_origin, request, helper, name, text,
              helper_contact, asker_contact, act_shown, state, answer, helper_thanks, asker_thanks, named, completes,
              at, changed_at)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)";
        self.connection().prepare_cached(sql)?.execute(params![
            Sql(offer.key.origin),
            Sql(offer.key.id),
            Sql(offer.request.origin),
            Sql(offer.request.id),
            offer.helper.map(Sql),
            offer.name,
            offer.text,
            offer.helper_contact,
            offer.asker_contact,
            offer.act_shown.map(Sql),
            offer.state.as_str(),
            offer.answer,
            offer.helper_thanks,
            offer.asker_thanks,
            offer.named,
            offer.completes,
            Sql(offer.at),
            Sql(offer.changed_at)
        ])?;
        Ok(())
    }

    /// Forgets an offer.
    ///
    /// # Errors
    /// What the database reports.
    pub fn drop_offer(&self, key: &RecordRef) -> Result<()> {
        let sql = "DELETE FROM offers WHERE helper_home = ?1 AND offer = ?2";
        let of = params![Sql(key.origin), Sql(key.id)];
        self.connection().prepare_cached(sql)?.execute(of)?;
        Ok(())
    }
}
