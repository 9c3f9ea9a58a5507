//! `wb restore --words`: disk and backup are gone, and the sheet of words is there.
//!
//! The identity log and the last head come from a hub or a bundle. A `recover` goes on from there under a new
//! key, in a new folder that is an older copy of everything: so what was published comes back to it as to any.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use wb_core::bundle::{Driver, Memory};
use wb_core::feed::Header;
use wb_core::hash;
use wb_core::id::InstanceId;
use wb_core::identity::{Heads, IdentityLog, LastHead, Recovery, recover};
use wb_core::scope::FeedScope;
use wb_core::signed::Signer;
use wb_core::sync::{RecoveryAsk, Visibility};
use wb_core::time::Timestamp;
use wb_core::words::RecoveryWords;
use wb_net::network::Internet;
use wb_store::{Account, AccountState, Founding, Home, Role, Standing, Store};
use zeroize::Zeroizing;

use super::{Restore, Restored, from_bundle, restore};
use crate::backup::recipient_of;
use crate::card;
use crate::command::bundle_verify::{cut, refused};
use crate::command::hub_register::{Asking, Found, find_hub, hub_register, note_hub};
use crate::command::init::{seed_digits, write_sheet};
use crate::command::user_add::{check_handle, profile_record};
use crate::entropy;
use crate::error::{NodeError, Result};
use crate::import::lines::{Lines, Next};
use crate::node::Node;
use crate::sealed::keys::own_key;
use crate::sync::ask_recovery_at;

/// Where what was published is to be found.
#[derive(Debug, Clone, Copy)]
pub enum From<'a> {
    /// A hub.
    Hub {
        /// Its address.
        address: &'a str,
        /// Whether it may be one of the own network.
        lan: bool,
        /// To whom it is to show this instance.
        visibility: Visibility,
    },
    /// A bundle.
    Bundle(&'a Path),
}

impl From<'_> {
    fn name(&self) -> String {
        match self {
            Self::Hub { address, .. } => (*address).to_owned(),
            Self::Bundle(path) => path.display().to_string(),
        }
    }
}

/// What is taken back, and how.
#[derive(Debug)]
pub struct FromWords<'a> {
    /// The words on the sheet.
    pub words: &'a RecoveryWords,
    /// The instance, as the sheet names it.
    pub id: InstanceId,
    /// Its name, as the sheet has it.
    pub name: &'a str,
    /// Where it was published. Each is asked; the longest history counts.
    pub from: &'a [From<'a>],
    /// The handle of the new admin.
    pub admin: &'a str,
    /// The words from here on.
    pub new_words: &'a RecoveryWords,
    /// Where the new sheet goes; it is there before anything is signed.
    pub new_sheet: &'a Path,
}

/// What came of it.
#[derive(Debug)]
pub struct Taken {
    /// The instance.
    pub node: Node,
    /// What came back.
    pub restored: Restored,
    /// Whether one place alone gave what there is: it may have kept something back.
    pub only_one: bool,
    /// Places that gave nothing, or where this instance could not be registered, and why.
    pub unasked: Vec<(String, String)>,
}

/// Takes an instance back into an empty folder.
///
/// # Errors
/// What stands in the way. Until the key is recovered nothing was changed anywhere; after it, `wb restore` in the
/// folder goes on.
pub async fn restore_words(home: &Home, input: &FromWords<'_>) -> Result<Taken> {
    check_handle(input.admin)?;
    check_empty(home)?;
    let words = input.words.recovery_signer();
    let (mut log, mut heads): (Option<IdentityLog>, Vec<Vec<u8>>) = (None, Vec::new());
    let (mut hubs, mut bundles, mut unasked) = (Vec::new(), Vec::new(), Vec::new());
    for from in input.from {
        let given = match *from {
            From::Hub { address, lan, .. } => ask_hub(input.id, &words, address, lan).await,
            From::Bundle(path) => log_in(path, input.id).map(|log| (log, None, None)),
        };
        match given {
            Ok((its, head, hub)) => {
                // The longest log that is valid counts, whoever brings it.
                log = Some(log.map_or(its.clone(), |held| held.offer(&its).1));
                heads.extend(head);
                match (hub, *from) {
                    (Some(hub), From::Hub { visibility, .. }) => hubs.push((hub, visibility)),
                    (_, From::Bundle(path)) => bundles.push(path.to_owned()),
                    _ => {}
                }
            }
            Err(error) => unasked.push((from.name(), error)),
        }
    }
    let Some(log) = log else {
        return Err(unasked.pop().map_or_else(
            || NodeError::Refused("nobody was named who may hold it".to_owned()),
            |(_, error)| error,
        ));
    };
    // And so does the longest feed.
    let read: Result<Vec<LastHead>> = heads.iter().map(|head| read_head(&log, head)).collect();
    let head = read?
        .into_iter()
        .max_by_key(|head| (head.generation, head.seq));
    if log.newest().recovery != hash::recovery_commitment(&words.public_key()) {
        return Err(NodeError::Refused(
            "these are not the recovery words that count now; nothing was changed. After a recovery only the new sheet does"
                .to_owned(),
        ));
    }
    write_sheet(input.new_sheet, input.name, &log, input.new_words)?;
    let mut node = match take_back(home, input, &bundles, &log, head) {
        Ok(node) => node,
        Err(error) => {
            // Words for a key that does not speak would only mislead, and so would half a folder. Nothing of an
            // instance was here before.
            let _ = std::fs::remove_file(input.new_sheet);
            for file in of_instance(home) {
                let _ = std::fs::remove_file(file);
            }
            return Err(error);
        }
    };
    let actor = node.actor(None)?;
    // All of them first: whatever ends this early, `wb restore` in the folder knows whom to ask.
    for (hub, _) in &hubs {
        note_hub(&mut node, hub)?;
    }
    for (hub, visibility) in hubs {
        let name = hub.identified.says.name.clone();
        if let Err(error) =
            hub_register(&mut node, &actor, &hub, &Asking::shown_to(visibility)).await
        {
            unasked.push((name, error));
        }
    }
    let rest = Restore {
        offline: false,
        bundles: &bundles,
    };
    let restored = restore(&mut node, &actor, rest).await?;
    if card::kept(&node)?.is_empty() {
        let now = entropy::now();
        let sealing_key = own_key(&node.store, now)?;
        let write = node.store.write()?;
        write.put_local(&card::record(input.name, input.id, sealing_key, now))?;
        write.commit()?;
    }
    Ok(Taken {
        node,
        restored,
        only_one: input.from.len() - unasked.len() < 2,
        unasked: unasked
            .into_iter()
            .map(|(name, error)| (name, error.to_string()))
            .collect(),
    })
}

/// Whatever an instance may have in a folder.
fn of_instance(home: &Home) -> Vec<PathBuf> {
    let mut files = vec![
        home.signing_key(),
        home.next_signing_key(),
        home.guard(),
        home.turn(),
    ];
    for database in [home.main(), home.private()] {
        for suffix in ["", "-wal", "-shm"] {
            files.push(format!("{}{suffix}", database.display()).into());
        }
    }
    files
}

/// Refuses a folder in which anything of an instance is: it is not touched.
fn check_empty(home: &Home) -> Result<()> {
    let mut files = of_instance(home).into_iter();
    match files.find(|file| file.symlink_metadata().is_ok()) {
        None => Ok(()),
        Some(file) => Err(NodeError::Refused(format!(
            "{} is in this folder, which is of an instance; nothing was changed. Name another folder",
            file.display()
        ))),
    }
}

/// Asks a hub for log and head. Who answers is shown by its own log; the words are named to nobody else.
async fn ask_hub(
    id: InstanceId,
    words: &Signer,
    address: &str,
    lan: bool,
) -> Result<(IdentityLog, Option<Vec<u8>>, Option<Found>)> {
    let hub = find_hub(address, lan, None).await?;
    let ask = RecoveryAsk {
        schema_version: 1,
        id,
        recovery_key: words.public_key(),
    };
    let answer = ask_recovery_at(Arc::new(Internet), address, lan, &ask).await;
    let answer = answer.map_err(|end| super::of_end(address, end))?;
    let log = IdentityLog::verify(Some(id), &answer.identity).map_err(|error| not_whole(&error))?;
    let head = answer.head.map(|head| head.as_bytes().to_vec());
    Ok((log, head, Some(hub)))
}

/// A folder with the log as it is, what the bundle brings, and then the `recover` behind it.
fn take_back(
    home: &Home,
    input: &FromWords<'_>,
    bundles: &[PathBuf],
    log: &IdentityLog,
    head: Option<LastHead>,
) -> Result<Node> {
    let now = entropy::now();
    let seed = entropy::bytes();
    found(home, input, log, &seed, now)?;
    let mut node = Node::open(home)?;
    for path in bundles {
        from_bundle(&node, path)?;
    }
    let served = node
        .store
        .served()
        .head(&node.own_id(), FeedScope::Public)?;
    let here = served.map(|held| LastHead {
        log: held.log,
        generation: held.generation,
        seq: held.seq,
        hash: held.hash,
    });
    let held = node.store.identity_log(&input.id)?;
    let held = held.as_ref().unwrap_or(log);
    let words = input.words.recovery_signer();
    let recovery = Recovery {
        words: &words,
        signing_key: Signer::from_seed(&seed).public_key(),
        recovery: hash::recovery_commitment(&input.new_words.recovery_signer().public_key()),
        heads: Heads {
            public: [head, here]
                .into_iter()
                .flatten()
                .max_by_key(|head| (head.generation, head.seq)),
            trusted_peers: None,
        },
        at: now,
    };
    let recovered = recover(held, &held.newest().hash, &recovery)
        .ok_or_else(|| NodeError::Refused("the entry to continue from is gone".to_owned()))?
        .map_err(|error| not_whole(&error))?;
    let write = node.store.write()?;
    write.put_identity(&recovered, Standing::Own, now)?;
    write.commit()?;
    node.read_identity()?;
    Ok(node)
}

/// The files of the folder. Without a guard they are an older copy, which they are.
fn found(
    home: &Home,
    input: &FromWords<'_>,
    log: &IdentityLog,
    seed: &Zeroizing<[u8; 32]>,
    now: Timestamp,
) -> Result<()> {
    let founder = entropy::record_id(now);
    let founding = Founding {
        identity: log,
        name: input.name,
        founder,
        incarnation: entropy::token().to_string(),
        node_secret: &entropy::bytes(),
        now,
    };
    let mut store = Store::create(home, &founding)?;
    let private = store.private();
    let of = hash::recovery_commitment(&input.new_words.recovery_signer().public_key());
    private.put_backup_recipient(&recipient_of(input.new_words), &of)?;
    private.put_account(&Account {
        user: founder,
        handle: input.admin.to_owned(),
        state: AccountState::Approved,
        role: Role::Admin,
        created_at: now,
    })?;
    let write = store.write()?;
    write.put_local(&profile_record(founder, input.admin, input.id, now))?;
    write.commit()?;
    std::fs::remove_file(home.guard()).map_err(NodeError::file(&home.guard()))?;
    Ok(store.finish_founding(&Zeroizing::new(seed_digits(seed)))?)
}

fn not_whole(error: &dyn std::fmt::Display) -> NodeError {
    NodeError::Refused(format!(
        "the identity log that came does not hold: {error}; nothing was changed"
    ))
}

/// The head of the own public feed, as its key signed it.
fn read_head(log: &IdentityLog, line: &[u8]) -> Result<LastHead> {
    let bad = |rule: wb_core::rule::Rule| {
        NodeError::Refused(format!(
            "the head that came does not hold ({rule}); nothing was changed"
        ))
    };
    let (header, unverified) = Header::read(line).map_err(bad)?;
    let entry = log
        .entry(&header.identity)
        .ok_or_else(|| bad(wb_core::rule::Rule::WrongKey))?;
    unverified.verify(&entry.signing_key).map_err(bad)?;
    if header.origin != log.id() || header.scope != FeedScope::Public {
        return Err(bad(wb_core::rule::Rule::LineOrigin));
    }
    let body = Header::body_hash(unverified.payload());
    Ok(LastHead {
        log: header.log,
        generation: header.generation,
        seq: header.seq,
        hash: hash::header(header.prev.as_ref(), &body),
    })
}

/// The identity log of an instance in a bundle that is whole.
fn log_in(path: &Path, id: InstanceId) -> Result<IdentityLog> {
    let mut lines = Lines::open(path)?;
    let (mut driver, mut memory) = (Driver::default(), Memory::default());
    let mut number = 0;
    loop {
        match lines.next(path)? {
            Next::Line(line) => {
                number += 1;
                match driver.push(line, &mut memory) {
                    Ok(()) => {}
                    Err(never) => match never {},
                }
            }
            Next::End => break,
            Next::Cut if driver.has_failed() => break,
            Next::Cut => return Err(cut(path, number)),
        }
    }
    driver
        .finish()
        .map_err(|source| refused(path, source, driver.head()))?;
    let log = driver.identities().get(&id).cloned();
    log.ok_or_else(|| {
        NodeError::Refused(format!(
            "{} holds nothing of the instance on the sheet; nothing was changed",
            path.display()
        ))
    })
}
