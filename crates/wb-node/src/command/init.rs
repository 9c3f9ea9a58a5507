//! `wb init`: founds an instance.

use std::path::Path;

use wb_core::hash;
use wb_core::id::InstanceId;
use wb_core::identity::{IdentityLog, found};
use wb_core::kinds::{Body, User, check_name};
use wb_core::leave::{Life, ProfileShares};
use wb_core::scope::Scope;
use wb_core::signed::Signer;
use wb_core::time::Timestamp;
use wb_core::words::RecoveryWords;
use wb_store::{
    Account, AccountState, Founding, Home, LocalRecord, Role, Store, write_private_file,
};
use zeroize::Zeroizing;

use crate::backup::recipient_of;
use crate::card;
use crate::entropy;
use crate::error::{NodeError, Result};
use crate::node::Node;
use crate::sealed::keys::own_key;

/// What is founded.
#[derive(Debug, Clone)]
pub struct Init<'a> {
    /// The instance's name.
    pub name: &'a str,
    /// The founder's handle.
    pub admin: &'a str,
    /// Where to put the sheet with the recovery words, instead of showing them.
    pub words_file: Option<&'a Path>,
}

/// What came of it. The words are nowhere else, unless a file was asked for.
#[derive(Debug)]
pub struct Founded {
    /// The open node.
    pub node: Node,
    /// The recovery words.
    pub words: Zeroizing<String>,
}

/// Founds an instance in a folder.
///
/// # Errors
/// What is wrong with the names, or what stands in the way; then there is no instance.
pub fn init(home: &Home, input: &Init<'_>) -> Result<Founded> {
    check_name(input.name).map_err(NodeError::text("name"))?;
    super::user_add::check_handle(input.admin)?;
    if home.main().exists() && !home.is_founded() {
        return Err(NodeError::Refused(format!(
            "founding in {} was cut off, or its signing.key is lost; nothing was changed. Put the key back, or \
             remove the folder and found again",
            home.dir().display()
        )));
    }
    if home.is_founded() {
        return Err(wb_store::StoreError::AlreadyFounded(home.dir().to_owned()).into());
    }
    let now = entropy::now();
    let words = RecoveryWords::from_entropy(entropy::bytes());
    let seed = entropy::bytes();
    let signer = Signer::from_seed(&seed);
    let commitment = hash::recovery_commitment(&words.recovery_signer().public_key());
    let line = found(&signer, commitment, now);
    let identity = IdentityLog::verify(None, &[line]).expect("an own first entry verifies");
    // The sheet first: an instance whose words nobody has cannot be made safe later.
    if let Some(path) = input.words_file {
        write_sheet(path, input.name, &identity, &words)?;
    }
    let founded = found_in(home, input, &identity, &seed, &recipient_of(&words), now);
    if let (Err(_), Some(path)) = (&founded, input.words_file) {
        // Words for an instance that does not exist would only mislead.
        let _ = std::fs::remove_file(path);
    }
    Ok(Founded {
        node: founded?,
        words: words.text(),
    })
}

fn found_in(
    home: &Home,
    input: &Init<'_>,
    identity: &IdentityLog,
    seed: &Zeroizing<[u8; 32]>,
    backup_recipient: &str,
    now: Timestamp,
) -> Result<Node> {
    let founder = entropy::record_id(now);
    let key = Zeroizing::new(seed_digits(seed));
    let founding = Founding {
        identity,
        name: input.name,
        founder,
        incarnation: entropy::token().to_string(),
        node_secret: &entropy::bytes(),
        now,
    };
    let mut store = Store::create(home, &founding)?;
    store
        .private()
        .put_backup_recipient(backup_recipient, &identity.newest().recovery)?;
    store.private().put_account(&Account {
        user: founder,
        handle: input.admin.to_owned(),
        state: AccountState::Approved,
        role: Role::Admin,
        created_at: now,
    })?;
    let sealing_key = own_key(&store, now)?;
    let write = store.write()?;
    write.put_local(&super::user_add::profile_record(
        founder,
        input.admin,
        identity.id(),
        now,
    ))?;
    write.put_local(&card::record(input.name, identity.id(), sealing_key, now))?;
    write.commit()?;
    store.finish_founding(&key)?;
    drop(store);
    let node = Node::open(home)?;
    let actor = node.actor(None)?;
    node.audit(
        now,
        &actor,
        "init",
        &identity.id(),
        format!("founded {}", input.name),
    )?;
    Ok(node)
}

pub(crate) fn seed_digits(seed: &Zeroizing<[u8; 32]>) -> String {
    wb_core::id::PublicKey(**seed).to_string()
}

/// The sheet: everything needed to take the instance back when disk and backup are gone.
pub(crate) fn write_sheet(
    path: &Path,
    name: &str,
    identity: &IdentityLog,
    words: &RecoveryWords,
) -> Result<()> {
    if path.exists() {
        return Err(NodeError::Refused(format!(
            "{} exists; name a file that does not, so that no other words are lost",
            path.display()
        )));
    }
    let sheet = Zeroizing::new(format!(
        "WhiteBalloon recovery words of {name}\n\ninstance id: {}\nfounded:     {}\n\n{}\n\n\
         Print this sheet, keep it away from this computer, and delete the file.\n\
         Whoever has these words can take over the instance. Nobody can make them again.\n",
        identity.id(),
        identity.newest().at,
        words.text().as_str(),
    ));
    Ok(write_private_file(path, sheet.as_bytes())?)
}

/// A new local record that leaves as far as its scope says.
pub(crate) fn local(
    id: wb_core::id::RecordId,
    body: &Body,
    author: Option<wb_core::id::RecordId>,
    scope: Scope,
    origin: InstanceId,
    now: Timestamp,
) -> LocalRecord {
    LocalRecord {
        id,
        kind: body.kind(),
        author,
        scope,
        ceiling: Scope::Public,
        life: Life::Active,
        body: serde_json::to_string(body).expect("a body has string keys and serialises"),
        shares: matches!(body, Body::User(User { .. })).then(|| ProfileShares {
            handle: true,
            display_name: true,
            ..ProfileShares::default()
        }),
        parent: body.parent(origin),
        created_at: now,
        at: now,
        edit: 1,
        sealed_edit: 0,
        rev: 0,
        left_by: None,
    }
}
