//! A node's files, opened together.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension as _, Transaction, TransactionBehavior};
use wb_core::id::{InstanceId, RecordId};
use wb_core::identity::IdentityLog;
use wb_core::scope::FeedScope;
use wb_core::time::Timestamp;

use crate::error::{Result, StoreError};
use crate::feeds::NewLog;
use crate::guard::{Guard, Standing as GuardStanding};
use crate::home::{Home, restrict_file};
use crate::instances::{KnownIdentity, Standing};
use crate::open::{self, MAIN, Opening, PRIVATE};
use crate::private::Private;
use crate::sql::Sql;
use crate::unwritable::Unwritable;

/// What a new instance starts from.
#[derive(Debug)]
pub struct Founding<'a> {
    /// Its identity log: one entry.
    pub identity: &'a IdentityLog,
    /// Its name.
    pub name: &'a str,
    /// The founder's user id.
    pub founder: RecordId,
    /// Fresh random text for the guard.
    pub incarnation: String,
    /// 32 random bytes behind pseudonyms.
    pub node_secret: &'a [u8; 32],

    /// Now.
    pub now: Timestamp,
}

/// In `meta`: whether the heads of others were compared since this copy was settled.
const HEADS_COMPARED: &str = "heads_compared";

/// In `meta`: from when on the next publish closes this instance; empty where it stays open.
const RETIRES_AT: &str = "retires_at";

/// A node's files.
#[derive(Debug)]
pub struct Store {
    home: Home,
    main: Connection,
    private: Private,
    guard: GuardStanding,
    unwritable: Option<Unwritable>,
}

impl Store {
    /// Makes the files of a new instance, without its key ([`Store::finish_founding`]).
    ///
    /// # Errors
    /// `AlreadyFounded`, or what stands in the way.
    pub fn create(home: &Home, founding: &Founding<'_>) -> Result<Self> {
        if home.is_founded() || home.main().exists() {
            return Err(StoreError::AlreadyFounded(home.dir().to_owned()));
        }
        home.create()?;
        // Whoever makes this file founds; a second one comes too late.
        std::fs::File::create_new(home.main()).map_err(|error| match error.kind() {
            std::io::ErrorKind::AlreadyExists => StoreError::AlreadyFounded(home.dir().to_owned()),
            _ => StoreError::io(home.main())(error),
        })?;
        let mut main = open::open(&home.main(), MAIN, Opening::Make)?;
        let private = open::open(&home.private(), PRIVATE, Opening::Make)?;
        let transaction = main.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let write = Write::new(transaction, home);
        write.put_identity(founding.identity, Standing::Own, founding.now)?;
        put_meta(&write.transaction, "name", founding.name)?;
        put_meta(&write.transaction, "founder", &founding.founder.to_string())?;
        put_meta(&write.transaction, "incarnation", &founding.incarnation)?;
        put_meta(&write.transaction, "seal_counter", "0")?;
        write.commit()?;
        private.execute(
            "INSERT INTO secrets (name, value) VALUES ('node', ?1)",
            [&founding.node_secret[..]],
        )?;
        let guard = Guard {
            counter: 0,
            incarnation: founding.incarnation.clone(),
        };
        guard.write(&home.guard())?;
        Ok(Self {
            home: home.clone(),
            main,
            private: Private::new(private),
            guard: GuardStanding::Sound,
            unwritable: None,
        })
    }

    /// Ends the founding by writing the key: only with it is there an instance.
    ///
    /// # Errors
    /// What the disk reports; then there is no instance.
    pub fn finish_founding(&self, signing_key: &str) -> Result<()> {
        crate::home::write_private_file(&self.home.signing_key(), signing_key.as_bytes())
    }

    /// Opens the files of an instance, brings them to the newest format and compares the guard. Where nothing
    /// can be written they can still be read.
    ///
    /// # Errors
    /// `NoInstance`, `Newer`, or what stands in the way.
    pub fn open(home: &Home) -> Result<Self> {
        if !home.is_founded() {
            return Err(StoreError::NoInstance(home.dir().to_owned()));
        }
        restrict_file(&home.signing_key()).or_else(unless_read_only)?;
        let open =
            |path: &Path, database| open::open_at_least_to_read(path, database, Opening::Upgrade);
        let (main, main_is) = open(&home.main(), MAIN)?;
        let (private, private_is) = open(&home.private(), PRIVATE)?;
        let mut store = Self {
            home: home.clone(),
            main,
            private: Private::new(private),
            guard: GuardStanding::Sound,
            unwritable: main_is.or(private_is),
        };
        store.compare_guard()?;
        if store.unwritable.is_none() {
            crate::home::sweep_unfinished(home.dir());
            crate::scratch::sweep(home.dir());
        }
        Ok(store)
    }

    fn compare_guard(&mut self) -> Result<()> {
        // The file first: whoever seals meanwhile is ahead of it, which is a crash at worst.
        let file = Guard::read(&self.home.guard())?;
        let database = self.guard_in_database()?;
        self.guard = Guard::compare(file.as_ref(), &database);
        if self.guard == GuardStanding::Crash {
            // Committed and not yet sent: only the guard has to follow. Where it cannot, reading goes on; who
            // sends has to write it first.
            match database.write(&self.home.guard()) {
                Ok(()) => self.guard = GuardStanding::Sound,
                Err(error) if error.is_full() || error.is_read_only() => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn guard_in_database(&self) -> Result<Guard> {
        let counter = self
            .meta("seal_counter")?
            .and_then(|text| text.parse().ok());
        let incarnation = self.meta("incarnation")?;
        match (counter, incarnation) {
            (Some(counter), Some(incarnation)) => Ok(Guard {
                counter,
                incarnation,
            }),
            _ => Err(StoreError::damaged("the guard's counter is missing")),
        }
    }

    /// Whether this database is an older copy of itself: then nothing may be sealed.
    #[must_use]
    pub fn guard(&self) -> GuardStanding {
        self.guard
    }

    /// Lets the guard file follow what was committed; call it before anything sealed is sent.
    ///
    /// # Errors
    /// What stands in the way; then nothing may be sent.
    pub fn advance_guard(&self) -> Result<()> {
        self.guard_in_database()?.write(&self.home.guard())
    }

    /// Settles a copy: from now on it is the one, under another incarnation, and whatever else was copied of it
    /// is an older one. Each own feed goes on in a new log. With `compared` false the records of others stay
    /// hidden until their heads were compared with somebody's.
    ///
    /// # Errors
    /// What stands in the way; then it is as suspect as before.
    pub fn settle(
        &mut self,
        incarnation: &str,
        why: &str,
        compared: bool,
        now: Timestamp,
    ) -> Result<()> {
        let compared = compared || !self.hides_others()?;
        let head = self.served().head(&self.own_id()?, FeedScope::Public)?;
        let write = self.write()?;
        put_meta(&write.transaction, "incarnation", incarnation)?;
        put_meta(
            &write.transaction,
            HEADS_COMPARED,
            if compared { "yes" } else { "no" },
        )?;
        match head {
            Some(_) => write.due_new_log(FeedScope::Public, NewLog::Follow, why, now)?,
            // Followers may hold a first log of which neither this copy nor anybody who was asked knows: a second
            // first log would contradict it.
            None => write.open_above(FeedScope::Public, 0, why, now)?,
        }
        // Nobody gives the trusted feed back: what this copy holds of it may have been erased since, and who is in
        // its audience may have been removed.
        write.due_new_log(FeedScope::TrustedPeers, NewLog::Afresh, why, now)?;
        write.doubt_audience()?;
        write.forget_own_copies()?;
        write.drop_pictures()?;
        write.commit()?;
        // A crash before this line leaves it suspect, and settling again does the same.
        self.advance_guard()?;
        self.guard = GuardStanding::Sound;
        Ok(())
    }

    /// Whether the records of others are hidden: this database may be older than what they took back, and
    /// nobody was asked yet.
    ///
    /// # Errors
    /// What the database reports.
    pub fn hides_others(&self) -> Result<bool> {
        let compared = self.meta(HEADS_COMPARED)?;
        Ok(if self.guard == GuardStanding::Suspect {
            compared.is_none_or(|word| word != "while suspect")
        } else {
            compared.is_some_and(|word| word == "no")
        })
    }

    /// The folder.
    #[must_use]
    pub fn home(&self) -> &Home {
        &self.home
    }

    /// The private file.
    #[must_use]
    pub fn private(&self) -> &Private {
        &self.private
    }

    /// This instance.
    ///
    /// # Errors
    /// That the database is damaged.
    pub fn own_id(&self) -> Result<InstanceId> {
        let sql = "SELECT id FROM instances WHERE standing = 'self'";
        let mut statement = self.main.prepare_cached(sql)?;
        let id: Option<Sql<InstanceId>> = statement.query_row([], |row| row.get(0)).optional()?;
        id.map(|Sql(id)| id)
            .ok_or_else(|| StoreError::damaged("it does not say which instance it is of"))
    }

    /// This instance's name.
    ///
    /// # Errors
    /// What the database reports.
    pub fn own_name(&self) -> Result<String> {
        Ok(self.meta("name")?.unwrap_or_default())
    }

    /// The founder's user id.
    ///
    /// # Errors
    /// What the database reports.
    pub fn founder(&self) -> Result<Option<RecordId>> {
        Ok(self.meta("founder")?.and_then(|text| text.parse().ok()))
    }

    /// A value of the `meta` table.
    ///
    /// # Errors
    /// What the database reports.
    pub fn meta(&self, key: &str) -> Result<Option<String>> {
        let sql = "SELECT CAST(value AS TEXT) FROM meta WHERE key = ?1";
        Ok(self
            .main
            .prepare_cached(sql)?
            .query_row([key], |row| row.get(0))
            .optional()?)
    }

    /// From when on the next publish closes this instance, where that was announced.
    ///
    /// # Errors
    /// What the database reports.
    pub fn retires_at(&self) -> Result<Option<Timestamp>> {
        let at = self.meta(RETIRES_AT)?;
        Ok(at.and_then(|at| at.parse().ok()))
    }

    /// The main file, for reading.
    pub(crate) fn main(&self) -> &Connection {
        &self.main
    }

    /// Why nothing can be written here, where that is so.
    #[must_use]
    pub fn unwritable(&self) -> Option<Unwritable> {
        self.unwritable
    }

    /// Refuses where nothing can be written.
    pub(crate) fn check_writable(&self) -> Result<()> {
        match self.unwritable {
            Some(why) => Err(StoreError::Unwritable(self.home.dir().to_owned(), why)),
            None => Ok(()),
        }
    }

    /// Starts a transaction on the main file that other writers wait for.
    ///
    /// # Errors
    /// `Unwritable`, or what the database reports.
    pub fn write(&mut self) -> Result<Write<'_>> {
        self.check_writable()?;
        let transaction = self
            .main
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        Ok(Write::new(transaction, &self.home))
    }
}

/// One transaction on the main file. Dropped without [`Write::commit`] it changes nothing.
#[derive(Debug)]
pub struct Write<'s> {
    pub(crate) transaction: Transaction<'s>,
    pub(crate) known: KnownIdentity,
    /// The folder: what it says of who was erased counts for whatever is written.
    pub(crate) home: &'s Home,
}

impl<'s> Write<'s> {
    pub(crate) fn new(transaction: Transaction<'s>, home: &'s Home) -> Self {
        Self {
            transaction,
            home,
            known: KnownIdentity::default(),
        }
    }
}

impl Write<'_> {
    /// Notes that the heads of others were compared with a peer's: their records are shown again.
    ///
    /// # Errors
    /// What the database reports.
    pub fn note_heads_compared(&self, guard: GuardStanding) -> Result<()> {
        // A backup made of this copy later must not take that for an answer of its own.
        let word = if guard == GuardStanding::Suspect {
            "while suspect"
        } else {
            "yes"
        };
        put_meta(&self.transaction, HEADS_COMPARED, word)
    }

    /// Keeps from when on the next publish closes this instance; none where it stays open.
    ///
    /// # Errors
    /// What the database reports.
    pub fn put_retires_at(&self, at: Option<Timestamp>) -> Result<()> {
        let at = at.map_or_else(String::new, |at| at.to_string());
        put_meta(&self.transaction, RETIRES_AT, &at)
    }

    /// Makes everything done in it count, on the disk.
    ///
    /// # Errors
    /// What the database reports; then nothing was changed.
    pub fn commit(self) -> Result<()> {
        Ok(self.transaction.commit()?)
    }

    /// Counts a sealing; the guard follows after the commit.
    ///
    /// # Errors
    /// What the database reports.
    pub fn count_sealing(&self) -> Result<()> {
        self.transaction.execute(
            "UPDATE meta SET value = CAST(CAST(CAST(value AS TEXT) AS INTEGER) + 1 AS TEXT) WHERE key = 'seal_counter'",
            [],
        )?;
        Ok(())
    }
}

/// Takes a disk that nothing can be written to for no error.
fn unless_read_only(error: StoreError) -> Result<()> {
    if error.is_read_only() {
        Ok(())
    } else {
        Err(error)
    }
}

pub(crate) fn put_meta(connection: &Connection, key: &str, value: &str) -> Result<()> {
    let sql = "INSERT INTO meta (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = excluded.value";
    connection.prepare_cached(sql)?.execute([key, value])?;
    Ok(())
}

impl Store {
    /// Reads several things as of one moment, whatever other processes write meanwhile.
    ///
    /// # Errors
    /// What the database or the work reports.
    pub fn at_one_moment<T, E: From<StoreError>>(
        &self,
        work: impl FnOnce(&Self) -> std::result::Result<T, E>,
    ) -> std::result::Result<T, E> {
        self.main.execute_batch("BEGIN").map_err(StoreError::from)?;
        let done = work(self);
        self.main
            .execute_batch("ROLLBACK")
            .map_err(StoreError::from)?;
        done
    }
}
