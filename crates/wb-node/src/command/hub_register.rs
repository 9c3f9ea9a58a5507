//! `wb hub register` and the first steps of `wb join`: who answers, and becoming a member.

use std::sync::Arc;

use wb_core::id::InstanceId;
use wb_core::kinds::check_name;
use wb_core::protocol::{PROTOCOL, Skew};
use wb_core::scope::FeedScope;
use wb_core::sync::{
    Cause, FollowList, PeerCause, PeerEvent, PeerState, Registration, Role, Standing as Registered,
    Visibility,
};
use wb_net::HubClient;
use wb_net::network::{Internet, Network};
use wb_net::signed::{CallError, Identified};
use wb_store::{Peer, Standing};

use crate::card;
use crate::entropy;
use crate::error::{NodeError, Result};
use crate::node::{Actor, Node};
use crate::plan::reach;
use crate::sync::{SyncEnd, connect, connect_new};

/// A hub that answered, and is not yet registered at.
#[derive(Debug, Clone)]
pub struct Found {
    /// Who it is.
    pub identified: Identified,
    /// Its address, as it is kept.
    pub address: String,
    /// Whether that is inside the own network.
    pub lan: bool,
}

/// An address with the id that is expected there: a link to join ends with `#` and the hub's id.
///
/// # Errors
/// A part after `#` that is no id.
pub fn split_link(link: &str) -> Result<(&str, Option<InstanceId>)> {
    let Some((address, id)) = link.split_once('#') else {
        return Ok((link, None));
    };
    let id = id.parse().map_err(|_| NodeError::Address {
        address: link.to_owned(),
        what: "what follows `#` is not an instance id".to_owned(),
    })?;
    Ok((address, Some(id)))
}

/// Turns the early end of a sync into an error.
pub(crate) fn ended(name: &str) -> impl FnOnce(SyncEnd) -> NodeError {
    let name = name.to_owned();
    move |end| match end {
        SyncEnd::Local(error) => error,
        SyncEnd::NotFetched => NodeError::Refused("nothing was fetched".to_owned()),
        SyncEnd::Peer(cause, detail) => NodeError::Peer {
            name,
            cause,
            detail,
        },
    }
}

/// Asks who answers under an address.
///
/// # Errors
/// Why nobody does, or not a hub, or not one that speaks our protocol.
pub async fn find_hub(address: &str, lan: bool, expected: Option<InstanceId>) -> Result<Found> {
    find_hub_over(Arc::new(Internet), address, lan, expected).await
}

/// Asks who answers under an address, over a network of the caller's.
///
/// # Errors
/// As [`find_hub`].
pub async fn find_hub_over(
    network: Arc<dyn Network>,
    address: &str,
    lan: bool,
    expected: Option<InstanceId>,
) -> Result<Found> {
    let (identified, kept, lan) = connect_new(network, address, lan, expected)
        .await
        .map_err(ended(address))?;
    let says = &identified.says;
    if says.role != Role::Hub {
        return Err(NodeError::Refused(format!(
            "{} ({}) is a node and no hub; nothing was changed",
            says.name, says.id
        )));
    }
    // It is shown and kept, so it has to be a name.
    check_name(&says.name).map_err(NodeError::text("the name of the hub"))?;
    if PROTOCOL.newest_common(says.protocol).is_none() {
        let skew = Skew {
            name: &says.name,
            software: &says.software,
            theirs: says.protocol,
        };
        return Err(NodeError::Peer {
            name: says.name.clone(),
            cause: PeerCause::VersionSkew,
            detail: skew.to_string(),
        });
    }
    Ok(Found {
        identified,
        address: kept,
        lan,
    })
}

/// A hub as it is before anything is known of it but where it is.
fn unregistered(found: &Found, now: wb_core::time::Timestamp) -> Peer {
    let says = &found.identified.says;
    Peer {
        id: says.id,
        role: Role::Hub,
        address: found.address.clone(),
        lan: found.lan,
        name: says.name.clone(),
        follows: FollowList::default(),
        cursor: None,
        heads_at: None,
        acked: Vec::new(),
        paused: false,
        registered: None,
        counter: 0,
        state: state_text(&PeerState::new(now)),
        first_seen: now,
        last_ok: None,
    }
}

/// Notes a hub that was found and agreed to, before it is registered at.
///
/// # Errors
/// What the store reports.
pub(crate) fn note_hub(node: &mut Node, found: &Found) -> Result<()> {
    let now = node.now();
    let write = node.store.write()?;
    write.put_identity(&found.identified.identity, Standing::Waiting, now)?;
    write.put_peer(&unregistered(found, now))?;
    Ok(write.commit()?)
}

/// What is asked of a hub beside being a member.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asking {
    /// To whom to be shown; none: as the last registration there said, and to everybody with the first.
    pub visibility: Option<Visibility>,
    /// The code of an invitation of that hub.
    pub code: Option<String>,
}

impl Asking {
    /// To be shown to somebody.
    #[must_use]
    pub fn shown_to(visibility: Visibility) -> Self {
        Self {
            visibility: Some(visibility),
            code: None,
        }
    }
}

/// Registers at a hub that was found and agreed to. Registering again brings the newest card and
/// identity log, and keeps what is followed.
///
/// # Errors
/// Why it does not work; then nothing was changed here.
pub async fn hub_register(
    node: &mut Node,
    actor: &Actor,
    found: &Found,
    asking: &Asking,
) -> Result<Peer> {
    let now = node.now();
    let says = &found.identified.says;
    let known = node.store.peer(&says.id)?;
    let write = node.store.write()?;
    // Whom we talk to is not thereby a community whose records are shown.
    write.put_identity(&found.identified.identity, Standing::Waiting, now)?;
    write.commit()?;
    let mut peer = known.unwrap_or_else(|| unregistered(found, now));
    peer.address.clone_from(&found.address);
    peer.name.clone_from(&says.name);
    peer.lan = found.lan;
    register_at(node, actor, peer, asking).await
}

/// Registers again at a hub that is known, to be shown to others than before.
///
/// # Errors
/// Why it does not work; then nothing was changed here.
pub async fn hub_show_to(
    node: &mut Node,
    actor: &Actor,
    peer: Peer,
    visibility: Visibility,
) -> Result<Peer> {
    let asking = Asking::shown_to(visibility);
    register_at(node, actor, peer, &asking).await
}

async fn register_at(
    node: &mut Node,
    actor: &Actor,
    mut peer: Peer,
    asking: &Asking,
) -> Result<Peer> {
    let now = node.now();
    let visibility = match asking.visibility {
        Some(visibility) => visibility,
        None => {
            let asked = node.store.asked_visibility(&peer.id)?;
            asked.unwrap_or(Visibility::Public)
        }
    };
    let mut hub = connect(node, &peer)?;
    let mut registration = registration(node, visibility)?;
    registration.code.clone_from(&asking.code);
    registration.counter = peer.counter.saturating_add(1);
    let mut answered = hub.register(&registration).await;
    // An answer that was lost, or a folder put back from a copy: the hub holds a later one of ours.
    if let Some(held) = answered.as_ref().err().and_then(counter_held) {
        registration.counter = held.saturating_add(1);
        answered = hub.register(&registration).await;
    }
    let standings = answered.map_err(SyncEnd::from).map_err(ended(&peer.name))?;
    peer.counter = registration.counter;
    let mut state = state_of(&peer, now);
    match standings.standing {
        Registered::Member if state.phase() != wb_core::sync::Phase::Idle => {
            state.on(now, PeerEvent::Contacted, 0);
            state.cause = PeerCause::NeverSynced;
        }
        Registered::Member => {}
        Registered::Waiting => ended_as(&mut state, now, PeerCause::Approval),
        Registered::Suspended => ended_as(&mut state, now, PeerCause::Suspended),
    }
    peer.state = state_text(&state);
    let shown = standings.visibility;
    peer.registered = Some(standings);
    let write = node.store.write()?;
    write.put_peer(&peer)?;
    write.note_visibility(&peer.id, visibility, shown)?;
    write.commit()?;
    node.audit(now, actor, "hub register", &peer.id, peer.address.clone())?;
    Ok(peer)
}

/// Whether a call ended because the other side may not know the newest key: only one that was changed can
/// be unknown where this instance is a member.
pub(crate) fn may_lack_key(node: &Node, end: Option<&SyncEnd>) -> bool {
    let unknown = matches!(end, Some(SyncEnd::Peer(PeerCause::NotRegistered, _)));
    unknown && node.identity().entries().len() > 1
}

/// Brings a hub the longer identity log. Nothing else of the registration changes: it has the counter of the
/// one before, so that the hub takes the log and no more.
///
/// # Errors
/// Why the hub did not take it.
pub(crate) async fn tell_key(
    node: &Node,
    hub: &mut HubClient,
    peer: &Peer,
) -> std::result::Result<(), SyncEnd> {
    // Where it was not noted, nobody more is to see it by this.
    let asked = node.store.asked_visibility(&peer.id)?;
    let mut registration = registration(node, asked.unwrap_or(Visibility::Unlisted))?;
    registration.counter = peer.counter;
    match hub.register(&registration).await {
        Ok(_) => Ok(()),
        Err(error) if counter_held(&error).is_some() => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// The counter of the registration that a hub holds, where it refused ours as an older one.
fn counter_held(error: &CallError) -> Option<u64> {
    match error {
        CallError::Refused(problem) if problem.cause() == Some(Cause::RegistrationStale) => {
            problem.counter
        }
        _ => None,
    }
}

fn ended_as(state: &mut PeerState, now: wb_core::time::Timestamp, cause: PeerCause) {
    state.on(
        now,
        PeerEvent::Ended(cause, String::new()),
        entropy::chance(),
    );
    state.detail = None;
}

/// The state kept of a peer; one that cannot be read is one that was never synced.
pub(crate) fn state_of(peer: &Peer, now: wb_core::time::Timestamp) -> PeerState {
    serde_json::from_str(&peer.state).unwrap_or_else(|_| PeerState::new(now))
}

pub(crate) fn state_text(state: &PeerState) -> String {
    serde_json::to_string(state).expect("a state has string keys and serialises")
}

/// What is said at a registration: the identity log, and the card as it is kept here. It is not counted
/// yet.
pub(crate) fn registration(node: &Node, visibility: Visibility) -> Result<Registration> {
    let sealing_key = node.store.private().sealing_key()?.map(|(key, _)| key);
    let mut own_card = card::fresh(node.name(), sealing_key);
    for (record, kept) in card::kept(node)? {
        // One that its admins keep at home is not told: then only name and versions are.
        if reach(node, &record, node.now())? == Ok(FeedScope::Public) {
            own_card = kept;
        }
    }
    card::put_speaks(&mut own_card);
    let body = serde_json::to_string(&own_card).expect("a card has string keys and serialises");
    let lines = node.identity().entries().iter();
    Ok(Registration {
        schema_version: 1,
        identity: lines
            .map(|entry| String::from_utf8_lossy(&entry.line).into_owned())
            .collect(),
        card: serde_json::value::RawValue::from_string(body).expect("it was written as JSON"),
        listed: visibility == Visibility::Public,
        // What `listed` says is not said twice: a hub of any version reads it.
        visibility: (visibility == Visibility::Members).then_some(visibility),
        code: None,
        counter: 0,
    })
}
