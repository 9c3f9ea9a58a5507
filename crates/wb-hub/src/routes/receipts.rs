//! `POST` and `GET /sync/v1/receipts`

use std::sync::Arc;

use wb_core::id::InstanceId;
use wb_core::receipt::{RECEIPTS_PAGE_MAX, Receipt};
use wb_core::scope::FeedScope;
use wb_core::sync::{Cause, Problem, ReceiptsGiven, ReceiptsTaken, read_message};
use wb_net::signed::{JSON, Reply, Request};

use super::parsed;
use crate::problems::{Refusal, bad_request, not_found};
use crate::service::Hub;
use crate::store::HubStore;

/// Takes receipts of a member: each is its own, and verifies under its newest key.
pub async fn give<S: HubStore>(
    hub: &Arc<Hub<S>>,
    sender: InstanceId,
    body: &[u8],
) -> Result<Reply, Refusal> {
    let given: ReceiptsGiven = read_message(body).map_err(bad_request)?;
    if given.receipts.len() > RECEIPTS_PAGE_MAX {
        return Err(bad_request(format!(
            "at most {RECEIPTS_PAGE_MAX} receipts are taken at once"
        )));
    }
    let log = hub.kept(hub.store().identity(sender).await)?;
    let log = log.ok_or_else(|| not_found("identity log of the sender"))?;
    let mut receipts = Vec::new();
    for line in given.receipts {
        let receipt = Receipt::verify(line.as_bytes(), &log).map_err(|rule| match rule {
            wb_core::rule::Rule::WrongId => not_yours(),
            rule => bad_request(format!("a receipt breaks {rule}")),
        })?;
        if receipt.scope != FeedScope::Public {
            return Err(bad_request("a hub keeps receipts of public feeds"));
        }
        receipts.push((receipt, line.into_bytes()));
    }
    let stale = hub.kept(hub.store().put_receipts(receipts, hub.now()).await)?;
    let answer = ReceiptsTaken {
        schema_version: 1,
        stale,
    };
    Ok(Reply::ok(JSON, wb_core::signed::payload(&answer)))
}

fn not_yours() -> Refusal {
    Box::new(Problem::new(
        Cause::NotYours,
        "a receipt of another instance; nothing of the body counts",
        "send receipts of this instance only",
    ))
}

/// Gives an origin the receipts for its own feeds.
pub async fn page<S: HubStore>(
    hub: &Arc<Hub<S>>,
    sender: InstanceId,
    request: &Request,
) -> Result<Reply, Refusal> {
    let after: u64 = parsed(request, "after")?.unwrap_or(0);
    let page = hub.kept(hub.store().receipts(sender, after, hub.now()).await)?;
    Ok(Reply::ok(JSON, wb_core::signed::payload(&page)))
}
