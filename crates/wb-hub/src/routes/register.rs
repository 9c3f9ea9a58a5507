//! `POST /sync/v1/register`

use std::sync::Arc;

use wb_core::id::{Hash, InstanceId};
use wb_core::identity::{IdentityLog, Merge, merge, rotates_behind};
use wb_core::kinds::Card;
use wb_core::sync::signature::UnverifiedRequest;
use wb_core::sync::{Registration, Standing, read_message};
use wb_net::signed::{JSON, Reply, Request};

use crate::invites::code_hash;
use crate::problems::{
    Refusal, bad_request, invite_needed, of_invite, queue_full, registration_stale, rotated_behind,
};
use crate::service::Hub;
use crate::store::{HubStore, RegisterRefused, Registering};

/// Bytes of a card; protects whoever reads a page of the directory.
const CARD_BYTES_MAX: usize = 65_536;

/// Registers whoever brings an identity log and signs with its newest key.
pub async fn register<S: HubStore>(
    hub: &Arc<Hub<S>>,
    request: &Request,
    unverified: &UnverifiedRequest,
    held: Option<IdentityLog>,
    body: &[u8],
) -> Result<Reply, Refusal> {
    let registration: Registration = read_message(body).map_err(bad_request)?;
    let sender = unverified.key().instance;
    let offered = IdentityLog::verify(Some(sender), &registration.identity)
        .map_err(|error| bad_request(format!("the identity log: {error}")))?;
    // The newest entry known here is what counts: a retired key must not register anything.
    let identity = match &held {
        Some(held) => match merge(held, &offered) {
            Merge::Extend | Merge::Replace => &offered,
            Merge::Known | Merge::Stale | Merge::TwoRecovers | Merge::TwoRotates => held,
        },
        None => &offered,
    };
    hub.verify(unverified, identity)?;
    if let Some(held) = &held
        && let Some(head) = hub.kept(hub.store().own_head(sender).await)?
        && rotates_behind(held, &offered, &head)
    {
        return Err(rotated_behind(&hub.info().name));
    }
    if registration.card.get().len() > CARD_BYTES_MAX {
        return Err(bad_request(format!(
            "a card has at most {CARD_BYTES_MAX} bytes"
        )));
    }
    let card: Card = serde_json::from_str(registration.card.get())
        .map_err(|error| bad_request(format!("the card: {error}")))?;
    wb_core::kinds::check_name(&card.name)
        .map_err(|error| bad_request(format!("the name on the card: {error}")))?;
    if held.is_none() {
        hub.charges().registration(request, hub.now())?;
    }
    let visibility = registration.visibility();
    let code = match &registration.code {
        Some(code) => Some(code_of(hub, request, sender, code).await?),
        None => None,
    };
    let registering = Registering {
        identity: offered,
        name: card.name,
        card: registration.card.get().to_owned(),
        visibility,
        code,
        counter: registration.counter,
    };
    let taken = hub
        .store()
        .register(registering, hub.info().policy, hub.now())
        .await;
    let taken = hub.kept(taken)?;
    // Also of a stale one a longer identity log counts.
    hub.tell_arrival(&sender);
    let standings = taken.map_err(|refused| match refused {
        RegisterRefused::Stale(counter) => registration_stale(counter),
        RegisterRefused::QueueFull(waiting) => queue_full(waiting, &hub.info().name),
        RegisterRefused::InviteNeeded => invite_needed(&hub.info().name),
        RegisterRefused::Invite(refused) => of_invite(refused, &hub.info().name),
    })?;
    Ok(Reply::ok(JSON, wb_core::signed::payload(&standings)))
}

/// The hash of a code that was brought. Whoever is no member yet pays for each that it brings: nobody tries many.
async fn code_of<S: HubStore>(
    hub: &Arc<Hub<S>>,
    request: &Request,
    sender: InstanceId,
    code: &str,
) -> Result<Hash, Refusal> {
    let stands = hub.kept(hub.store().standing(sender, hub.now()).await)?;
    let was_let_in = stands.is_some_and(|stands| stands.standing != Standing::Waiting);
    if !was_let_in {
        hub.charges().code(request, hub.now())?;
    }
    Ok(code_hash(code))
}
