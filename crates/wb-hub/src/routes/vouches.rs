//! `GET /sync/v1/vouches`

use std::sync::Arc;

use wb_core::sync::VouchesAsk;
use wb_net::signed::{JSON, Reply, Request};

use super::parsed;
use crate::problems::{Refusal, bad_request};
use crate::service::Hub;
use crate::store::HubStore;

/// Gives the vouches of one issuer, or for one subject, one by one.
pub async fn vouches<S: HubStore>(hub: &Arc<Hub<S>>, request: &Request) -> Result<Reply, Refusal> {
    let ask = VouchesAsk {
        issuer: parsed(request, "issuer")?,
        subject: parsed(request, "subject")?,
        after: parsed(request, "after")?,
    };
    if ask.issuer.is_none() && ask.subject.is_none() {
        return Err(bad_request(
            "the query names neither an `issuer` nor a `subject`",
        ));
    }
    let page = hub.kept(hub.store().vouches(ask, hub.now()).await)?;
    Ok(Reply::ok(JSON, wb_core::signed::payload(&page)))
}
