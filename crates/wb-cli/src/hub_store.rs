//! Where a hub's data are: a file in its folder, or a database. The only place that picks one.

use std::collections::BTreeMap;

use anyhow::Result;
use clap::Args;
use wb_core::id::{Hash, InstanceId, RecordId, RecordRef};
use wb_core::identity::IdentityLog;
use wb_core::kinds::Subject;
use wb_core::receipt::Receipt;
use wb_core::scope::FeedScope;
use wb_core::sync::{
    Cursor, Directory, EnvelopesPage, FollowList, Follows, Heads, Policy, Pushed, Receipts,
    StaleReceipt, Standing, Standings, TurnAnswer, TurnCall, VouchesAsk, VouchesPage,
};
use wb_core::time::Timestamp;
use wb_core::want::Held;
use wb_hub::{
    CarryRefused, ChangesPage, CommentsAsk, Community, CommunityPlace, Decision, Effect,
    EnvelopeRefused, HubInvites, HubListings, HubNotices, HubStore, InviteRow, Keeping,
    KeepingLetter, Kept, LetterRefused, LinesPage, ListedComment, ListedRequest, MemberRow,
    NewInvite, NoticeRow, PageRefused, PushRefused, RegisterRefused, Registering, RequestsAsk,
    RequestsPage, RoomRow, SnapshotAsk, SnapshotStamp, SqliteHub, StoreLimits, Watched,
};
use wb_hub_pg::{Address, PgError, PgHub};
use wb_node::settings::StoreAddress;
use wb_node::{ErrorKind, Node, NodeError, entropy};
use wb_store::Home;
use wb_store::relay::Relay;

use crate::context::Context;
use crate::failure::Failure;

/// Beside the hub's keys, once its data are in a database: where, without the password.
const ELSEWHERE: &str = "hub.store";

/// Where the data of a hub are
#[derive(Debug, Args)]
pub struct StoreArg {
    /// Where the hub's data are, instead of a file in this folder: postgres://USER@HOST/DATABASE. With a password,
    /// give it in the file that WB_STORE_FILE names: others on this computer see a command's arguments
    #[arg(long, value_name = "ADDRESS")]
    store: Option<StoreAddress>,
}

/// The data of a hub.
#[derive(Debug, Clone)]
pub enum AnyHub {
    /// In a file.
    File(SqliteHub),
    /// In a database.
    Postgres(PgHub),
}

/// Whether a hub's data are made where there are none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opening {
    /// They are made, or brought up to date.
    Make,
    /// They are used as they are.
    Existing,
}

/// The address that is set, where the data are not in a file.
pub fn address(context: &Context, flag: &StoreArg) -> Result<Option<Address>> {
    let set = match &flag.store {
        Some(store) => Some(store.clone()),
        None => context.settings()?.hub_store,
    };
    set.map(|store| read(&store)).transpose()
}

/// Reads an address; what is wrong with it is said without it.
pub fn read(store: &StoreAddress) -> Result<Address> {
    let address = store.text().parse();
    address.map_err(|error: PgError| {
        Failure::usage(
            format!("the store of the hub: {error}"),
            "name it with --store, WB_STORE, or in the file that WB_STORE_FILE names; nothing was done",
        )
        .into()
    })
}

/// Opens the data of the hub of a folder.
pub async fn open(
    node: &Node,
    address: Option<&Address>,
    limits: StoreLimits,
    opening: Opening,
) -> Result<AnyHub> {
    let home = node.store().home();
    let Some(address) = address else {
        return open_file(home, limits, opening).map(AnyHub::File);
    };
    let hub = match opening {
        Opening::Make => PgHub::new(address, entropy::log_id()),
        Opening::Existing => PgHub::existing(address),
    };
    let hub = hub.map_err(failed)?.with_limits(limits);
    let log = hub.claim(node.own_id()).await.map_err(failed)?;
    if home.hub().exists() {
        let file = Relay::existing(&home.hub()).map_err(NodeError::from)?;
        if file.log() != log {
            return Err(Failure {
                message: format!(
                    "this folder has a hub in a file, and {address} has another one or none"
                ),
                kind: ErrorKind::Conflict,
                hint: Some(
                    "`wb hub move` brings a hub from a file into an empty database; leave the address away to go on with the file. Nothing \
                     was changed"
                        .to_owned(),
                ),
            }
            .into());
        }
    }
    if opening == Opening::Make {
        note_elsewhere(home, Some(address))?;
    }
    Ok(AnyHub::Postgres(hub))
}

/// Refuses where no hub was ever begun in a folder.
pub fn check_there(home: &Home) -> Result<()> {
    if home.hub().exists() || home.dir().join(ELSEWHERE).exists() {
        return Ok(());
    }
    Err(Failure::usage(
        format!("no hub in {}", home.dir().display()),
        "start one with `wb hub up`, or name its folder with --home",
    )
    .into())
}

fn open_file(home: &Home, limits: StoreLimits, opening: Opening) -> Result<SqliteHub> {
    if let Some(elsewhere) = noted_elsewhere(home) {
        return Err(Failure {
            message: format!("the data of this hub are in {elsewhere}"),
            kind: ErrorKind::Usage,
            hint: Some(
                "name that with --store, WB_STORE, or in the file that WB_STORE_FILE names; nothing was done"
                    .to_owned(),
            ),
        }
        .into());
    }
    let path = home.hub();
    let relay = match opening {
        Opening::Make => Relay::open(&path, entropy::log_id()),
        Opening::Existing => {
            check_there(home)?;
            Relay::existing(&path)
        }
    };
    Ok(SqliteHub::new(relay.map_err(NodeError::from)?).with_limits(limits))
}

/// Where the data of a folder's hub are, where they are not in it.
pub fn noted_elsewhere(home: &Home) -> Option<String> {
    let noted = std::fs::read_to_string(home.dir().join(ELSEWHERE)).ok()?;
    Some(crate::output::clean(noted.trim()))
}

/// Notes in a hub's folder where its data are; none: in the folder itself.
pub fn note_elsewhere(home: &Home, address: Option<&Address>) -> Result<()> {
    let path = home.dir().join(ELSEWHERE);
    match address {
        Some(address) => std::fs::write(&path, format!("{address}\n"))?,
        None if path.exists() => std::fs::remove_file(&path)?,
        None => {}
    }
    Ok(())
}

/// What the database said, with what to do.
#[expect(
    clippy::needless_pass_by_value,
    reason = "it takes what `map_err` gives"
)]
pub fn failed(error: PgError) -> anyhow::Error {
    let (kind, hint) = match &error {
        PgError::Newer { .. } => (
            ErrorKind::Skew,
            "install the newer program here as well; the hub's data are as they were",
        ),
        PgError::Absent => (
            ErrorKind::Usage,
            "start it with `wb hub up` once; nothing was done",
        ),
        PgError::Left(_) => (
            ErrorKind::Conflict,
            "name the store it was moved to, or leave the address away where that is the file; nothing was done",
        ),
        PgError::Unfinished(_) => (
            ErrorKind::Conflict,
            "the hub is still where it comes from: start it there, or run `wb hub move` again; nothing was done",
        ),
        PgError::Moving => (
            ErrorKind::Conflict,
            "wait until that command has ended; nothing was done",
        ),
        PgError::InUse(_) => (
            ErrorKind::Conflict,
            "stop every process of the hub first, on every machine; members try again by themselves until it is back. Nothing \
             was done",
        ),
        PgError::NotEmpty => (
            ErrorKind::Conflict,
            "name an empty database; nothing was changed",
        ),
        PgError::OfAnother(_) => (
            ErrorKind::Conflict,
            "each hub has a database of its own: name another one; nothing was changed",
        ),
        PgError::Address(_) => (
            ErrorKind::Usage,
            "name it with --store, WB_STORE, or in the file that WB_STORE_FILE names; nothing was done",
        ),
        _ => (
            ErrorKind::Failed,
            "look whether the server runs and may be reached from here with this address; nothing was done",
        ),
    };
    Failure {
        message: error.to_string(),
        kind,
        hint: Some(hint.to_owned()),
    }
    .into()
}

impl AnyHub {
    /// For threads that may block: a file is read where it is asked for.
    pub fn in_place(self) -> Self {
        match self {
            Self::File(hub) => Self::File(hub.in_place()),
            other @ Self::Postgres(_) => other,
        }
    }
}

/// Each call goes to the one or the other.
macro_rules! calls {
    ($(fn $name:ident($($value:ident: $type:ty),*) -> $given:ty;)*) => {$(
        async fn $name(&self, $($value: $type),*) -> Kept<$given> {
            match self {
                Self::File(hub) => hub.$name($($value),*).await,
                Self::Postgres(hub) => hub.$name($($value),*).await,
            }
        }
    )*};
}

impl HubStore for AnyHub {
    calls! {
        fn identity(id: InstanceId) -> Option<IdentityLog>;
        fn register(registering: Registering, policy: Policy, now: Timestamp) -> Result<Standings, RegisterRefused>;
        fn asked(id: InstanceId, now: Timestamp) -> ();
        fn standing(id: InstanceId, now: Timestamp) -> Option<Standings>;
        fn directory(after: Option<InstanceId>, limit: usize, now: Timestamp) -> Directory;
        fn vouches(ask: VouchesAsk, now: Timestamp) -> VouchesPage;
        fn put_follows(id: InstanceId, list: FollowList) -> Result<Follows, u64>;
        fn heads(id: InstanceId, after: Option<InstanceId>, now: Timestamp) -> Heads;
        fn changes(id: InstanceId, since: Cursor, now: Timestamp) -> Result<ChangesPage, PageRefused>;
        fn snapshot(ask: SnapshotAsk, now: Timestamp) -> Result<Vec<u8>, PageRefused>;
        fn lines(ask: LinesPage, now: Timestamp) -> Result<Vec<u8>, PageRefused>;
        fn own(id: InstanceId, scope: FeedScope, after: Option<Held>) -> Result<Vec<u8>, PageRefused>;
        fn own_head(id: InstanceId) -> Option<Vec<u8>>;
        fn turn(id: InstanceId, call: TurnCall, now: Timestamp) -> TurnAnswer;
        fn put_receipts(receipts: Vec<(Receipt, Vec<u8>)>, now: Timestamp) -> Vec<StaleReceipt>;
        fn receipts(id: InstanceId, after: u64, now: Timestamp) -> Receipts;
        fn keep_envelope(keeping: Keeping) -> Result<Vec<InstanceId>, EnvelopeRefused>;
        fn envelopes(id: InstanceId, after: u64, now: Timestamp) -> EnvelopesPage;
        fn envelopes_taken(id: InstanceId, hashes: Vec<Hash>) -> ();
        fn keep_letter(keeping: KeepingLetter) -> Result<bool, LetterRefused>;
        fn mail(id: InstanceId, after: u64, now: Timestamp) -> EnvelopesPage;
        fn mail_taken(id: InstanceId, hashes: Vec<Hash>) -> ();
        fn history(id: InstanceId, after: Option<String>) -> Result<Vec<u8>, PageRefused>;
        fn push(id: InstanceId, body: Vec<u8>, now: Timestamp) -> Result<Pushed, PushRefused>;
        fn members(standing: Option<Standing>, after: Option<InstanceId>, limit: usize, now: Timestamp) -> Vec<MemberRow>;
        fn find(name: String, id_start: Option<String>, limit: usize, now: Timestamp) -> Vec<MemberRow>;
        fn room(id: InstanceId) -> RoomRow;
        fn let_go() -> u64;
        fn standings(now: Timestamp) -> BTreeMap<&'static str, u64>;
        fn member(id: InstanceId, now: Timestamp) -> Option<MemberRow>;
        fn decide(id: InstanceId, decision: Decision, now: Timestamp) -> bool;
        fn forget_before(time: Timestamp) -> u64;
        fn end_suspensions(now: Timestamp) -> u64;
        fn notices_about(id: InstanceId, now: Timestamp) -> Vec<NoticeRow>;
        fn put_reply(notice: RecordId, origin: InstanceId, line: Vec<u8>, now: Timestamp) -> bool;
        fn watched(now: Timestamp) -> Watched;
        fn written_elsewhere() -> u64;
        fn snapshot_stamp(origin: InstanceId, scope: FeedScope, now: Timestamp) -> Option<SnapshotStamp>;
        fn check() -> ();
    }

    fn hears_itself(&self) -> bool {
        match self {
            Self::File(hub) => hub.hears_itself(),
            Self::Postgres(hub) => hub.hears_itself(),
        }
    }
}

impl HubInvites for AnyHub {
    calls! {
        fn put_invite(invite: NewInvite, now: Timestamp) -> Option<u64>;
        fn invites(below: Option<u64>, limit: usize, came_max: usize) -> Vec<InviteRow>;
        fn invite_off(n: u64, now: Timestamp) -> Option<bool>;
    }
}

impl HubNotices for AnyHub {
    calls! {
        fn own_heads(id: InstanceId) -> Vec<Held>;
        fn carry(hub: Registering, pages: Vec<Vec<u8>>, now: Timestamp) -> Result<(), CarryRefused>;
        fn notices(now: Timestamp) -> Vec<NoticeRow>;
        fn effect(subject: Subject, now: Timestamp) -> Option<Effect>;
    }
}

impl HubListings for AnyHub {
    calls! {
        fn communities(after: Option<CommunityPlace>, limit: usize, now: Timestamp) -> Vec<Community>;
        fn community(id: InstanceId, now: Timestamp) -> Option<Community>;
        fn requests(ask: RequestsAsk, now: Timestamp) -> RequestsPage;
        fn request(key: RecordRef, now: Timestamp) -> Option<ListedRequest>;
        fn comments(ask: CommentsAsk, now: Timestamp) -> Vec<ListedComment>;
    }
}
