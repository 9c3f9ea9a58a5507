//! What this instance replies to a hub that said something about it: one reply to each notice, signed.
//!
//! The hub is asked, because who is suspended there is given nothing else by it.

use serde::Serialize;
use wb_core::id::InstanceId;
use wb_core::kinds::Notice;
use wb_core::reply::{NoticeAbout, Reply, To};
use wb_store::Peer;

use super::hub_register::ended;
use super::peer_pause::must_be_admin;
use crate::error::{NodeError, Result};
use crate::node::{Actor, Node};
use crate::sync::connect;
use crate::view::SCHEMA_VERSION;

/// A notice about this instance, as its hub tells it.
#[derive(Debug, Clone, Serialize)]
pub struct AboutView {
    /// Version of this form.
    pub schema_version: u32,
    /// The hub.
    pub hub: InstanceId,
    /// Its name.
    pub hub_name: String,
    /// What it says.
    #[serde(flatten)]
    pub notice: Notice,
    /// Whether it is in force.
    pub in_force: bool,
    /// What was replied.
    pub reply: Option<String>,
}

/// What a hub says about this instance, the newest first.
///
/// # Errors
/// Why it gave no answer.
pub async fn notices_about_us(node: &Node, hub: &Peer) -> Result<Vec<AboutView>> {
    let found = ask(node, hub).await?.into_iter();
    Ok(found
        .map(|about| AboutView {
            schema_version: SCHEMA_VERSION,
            hub: hub.id,
            hub_name: hub.name.clone(),
            in_force: about.in_force,
            reply: about
                .reply
                .and_then(|line| Reply::kept(line.as_bytes()).ok())
                .map(|reply| reply.text),
            notice: about.notice,
        })
        .collect())
}

async fn ask(node: &Node, hub: &Peer) -> Result<Vec<NoticeAbout>> {
    let mut client = connect(node, hub)?;
    let about = client.notices().await;
    let mut about = about.map_err(|error| ended(&hub.name)(error.into()))?;
    // What is about somebody else was not asked for.
    let own = node.own_id();
    about.notices.retain(|about| about.notice.subject == own);
    Ok(about.notices)
}

/// Replies to a notice of a hub about this instance: to the one of a number, or to the only one that is in force.
///
/// # Errors
/// That there is none or several, that the text may not be said, that the actor may not, or why the hub took nothing.
pub async fn notice_reply(
    node: &Node,
    actor: &Actor,
    hub: &Peer,
    number: Option<u64>,
    text: &str,
) -> Result<Notice> {
    must_be_admin(actor, "reply in the name of this instance")?;
    let mut fits = ask(node, hub).await?;
    fits.retain(|about| match number {
        Some(number) => about.notice.n == number,
        None => about.in_force,
    });
    if fits.len() > 1 {
        return Err(NodeError::Ambiguous {
            what: "notices",
            name: hub.name.clone(),
            count: fits.len(),
        });
    }
    let about = fits
        .pop()
        .ok_or_else(|| NodeError::unknown("notice about this instance at", &hub.name))?;
    let to = To {
        hub: hub.id,
        notice: about.id,
        line: about.line,
    };
    let now = node.now();
    let reply = Reply::new(node.identity(), &to, text, now);
    if !reply.is_well_formed() {
        return Err(NodeError::Refused(format!(
            "a reply is text of 1 to {} characters; nothing was sent",
            wb_core::limits::NOTICE_REPLY_CHARS_MAX
        )));
    }
    let line = reply.sign(&node.signer()?);
    let line = String::from_utf8(line).expect("a signed line is text");
    let mut client = connect(node, hub)?;
    let given = client.reply(line).await;
    given.map_err(|error| ended(&hub.name)(error.into()))?;
    node.audit(now, actor, "notice reply", &hub.id, text)?;
    Ok(about.notice)
}
