//! Pairing with another node: a link to give away, a link that came, and who asks.
//!
//! Who is behind a link is asked before anything is agreed to, and the form that agrees carries the link
//! again: nothing is kept in between.

use askama::Template;
use qrcode::QrCode;
use qrcode::render::svg;
use wb_core::id::InstanceId;
use wb_core::pairing::PairLink;
use wb_core::time::Timestamp;
use wb_node::NodeError;
use wb_node::command::peer_accept::{Inviter, look, peer_accept, peer_confirm, peer_turn_down};
use wb_node::command::peer_invite::{INVITE_MINUTES, asking, peer_invite};
use wb_node::query::peers::peer_view;
use wb_node::view::PeerView;
use wb_store::PairState;

use crate::answer::Answer;
use crate::shell::Shell;
use crate::visit::{Trouble, Visit};

#[derive(Template)]
#[template(path = "pair.html")]
struct Page {
    shell: Shell,
    asks: Vec<PeerView>,
    made: Option<Made>,
    found: Option<Behind>,
    /// What was done, and whether all is well with it.
    said: Option<(String, bool)>,
    /// A link for the way back.
    back: Option<Made>,
    address: String,
    typed: String,
    lan: bool,
}

/// A link to give away. It is shown once.
struct Made {
    link: String,
    picture: String,
    ends_at: Option<Timestamp>,
    has_address: bool,
}

/// Who is behind a link.
struct Behind {
    id: InstanceId,
    name: String,
    address: Option<String>,
    trouble: Option<String>,
    words: String,
}

impl From<Inviter> for Behind {
    fn from(inviter: Inviter) -> Self {
        Self {
            id: inviter.id,
            name: inviter.name.unwrap_or_else(|| inviter.id.short()),
            address: inviter.address,
            trouble: inviter.trouble,
            words: inviter.words,
        }
    }
}

#[derive(Default)]
struct Shown {
    made: Option<Made>,
    found: Option<Behind>,
    said: Option<(String, bool)>,
    back: Option<Made>,
    typed: String,
    lan: bool,
}

/// Links, and who asks.
pub fn page(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    write(visit, Shown::default())
}

fn write(visit: &mut Visit<'_>, shown: Shown) -> Result<Answer, Trouble> {
    let node = visit.node()?;
    let mut asks = Vec::new();
    for pair in asking(node)? {
        if let Some(peer) = node.store().peer(&pair.id)? {
            asks.push(peer_view(node, &peer)?);
        }
    }
    let address = wb_node::query::address::address(node)?.unwrap_or_default();
    let page = Page {
        shell: visit.shell("Pair with a community"),
        asks,
        made: shown.made,
        found: shown.found,
        said: shown.said,
        back: shown.back,
        address,
        typed: shown.typed,
        lan: shown.lan,
    };
    Ok(Answer::page(page.render()?))
}

fn wrong(
    visit: &mut Visit<'_>,
    error: &NodeError,
    typed: String,
    lan: bool,
) -> Result<Answer, Trouble> {
    let said = Some((crate::words::failure(error), false));
    write(
        visit,
        Shown {
            said,
            typed,
            lan,
            ..Shown::default()
        },
    )
}

/// A link as text and as a picture.
fn made(link: &PairLink, ends_at: Option<Timestamp>) -> Result<Made, Trouble> {
    let text = link.to_string();
    let code = QrCode::new(&text).map_err(|_| Trouble::NotFound)?;
    let drawn = code
        .render::<svg::Color<'_>>()
        .min_dimensions(240, 240)
        .build();
    Ok(Made {
        picture: format!("data:image/svg+xml,{}", escaped(&drawn)),
        link: text,
        ends_at,
        has_address: !link.addresses.is_empty(),
    })
}

/// A drawing as part of an address.
fn escaped(drawing: &str) -> String {
    let mut text = String::with_capacity(drawing.len() * 2);
    for byte in drawing.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/=:;, ".contains(&byte) && byte != b' ' {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text
}

/// Makes a link.
pub fn invite(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    let actor = visit.actor()?;
    let given: Vec<String> = visit.form.word("address").into_iter().collect();
    let node = visit.node()?;
    match peer_invite(node, &actor, INVITE_MINUTES, &given) {
        Ok(invited) => {
            let shown = Shown {
                made: Some(made(&invited.link, Some(invited.ends_at))?),
                ..Shown::default()
            };
            write(visit, shown)
        }
        Err(error @ NodeError::Refused(_)) => wrong(visit, &error, String::new(), false),
        Err(error) => Err(error.into()),
    }
}

/// Waits for something on the network, on this thread, which may block.
pub(super) fn wait_for<T>(
    work: impl Future<Output = Result<T, NodeError>>,
) -> Result<T, NodeError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| NodeError::Refused(format!("nothing can be called: {error}")))?;
    let done = runtime.block_on(work);
    runtime.shutdown_background();
    done
}

/// Reads the link of a form, and asks who is behind it.
fn behind(visit: &mut Visit<'_>) -> Result<Result<Inviter, NodeError>, Trouble> {
    let (actor, lan) = (visit.actor()?, visit.form.has("lan"));
    let text = visit.form.word("link").unwrap_or_default();
    let link: PairLink = match text.parse() {
        Ok(link) => link,
        Err(error) => {
            let why = format!("{error}; nothing was sent");
            return Ok(Err(NodeError::Refused(why)));
        }
    };
    let node = visit.node()?;
    Ok(wait_for(look(node, &actor, &link, lan)))
}

/// Shows who is behind a link.
pub fn ask(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    let (typed, lan) = (visit.form.text("link"), visit.form.has("lan"));
    match behind(visit)? {
        Ok(inviter) => write(
            visit,
            Shown {
                found: Some(inviter.into()),
                typed,
                lan,
                ..Shown::default()
            },
        ),
        Err(error) => wrong(visit, &error, typed, lan),
    }
}

/// Agrees to a link.
pub fn accept(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    let (actor, typed, lan) = (
        visit.actor()?,
        visit.form.text("link"),
        visit.form.has("lan"),
    );
    let inviter = match behind(visit)? {
        Ok(inviter) => inviter,
        Err(error) => return wrong(visit, &error, typed, lan),
    };
    let node = visit.node()?;
    let accepted = match wait_for(peer_accept(node, &actor, &inviter, &[])) {
        Ok(accepted) => accepted,
        Err(error) => return wrong(visit, &error, typed, lan),
    };
    if accepted.pair.state == PairState::Paired {
        return Ok(Answer::see(format!("/sync/with/{}", accepted.peer.id)));
    }
    let back = accepted
        .way_back
        .map(|link| made(&link, None))
        .transpose()?;
    let state = wb_node::query::peers::peer_state(visit.node()?, &accepted.peer)?;
    let text = if back.is_some() {
        "Nobody answered there. Give this link to its operator: it is the way back, with the same eight words.".to_owned()
    } else {
        format!("{}. Next: {}.", state.sentence, state.action)
    };
    write(
        visit,
        Shown {
            said: Some((text, true)),
            back,
            ..Shown::default()
        },
    )
}

fn asked_id(visit: &Visit<'_>) -> Result<InstanceId, Trouble> {
    let id = visit.form.text("id");
    id.parse().map_err(|_| Trouble::NotFound)
}

/// Confirms who asked.
pub fn confirm(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    let (actor, id, lan) = (visit.actor()?, asked_id(visit)?, visit.form.has("lan"));
    match peer_confirm(visit.node()?, &actor, id, lan) {
        Ok(_) => Ok(Answer::see(format!("/sync/with/{id}"))),
        Err(NodeError::Unknown { .. }) => Err(Trouble::NotFound),
        Err(error) => wrong(visit, &error, String::new(), false),
    }
}

/// Turns down who asked.
pub fn refuse(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    let (actor, id) = (visit.actor()?, asked_id(visit)?);
    match peer_turn_down(visit.node()?, &actor, id) {
        Ok(()) => Ok(Answer::see("/sync/pair")),
        Err(NodeError::Unknown { .. }) => Err(Trouble::NotFound),
        Err(error) => Err(error.into()),
    }
}

#[derive(Template)]
#[template(path = "pair_link.html")]
struct Opened {
    shell: Shell,
}

/// Where a link leads that is opened in a browser: what it is for. Its secret was not sent here.
pub fn opened(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    visit.node()?;
    let page = Opened {
        shell: visit.shell("A link that pairs"),
    };
    Ok(Answer::page(page.render()?))
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn a_drawing_in_an_address_has_nothing_that_ends_it() {
        let text = escaped("<svg a=\"#fff\"> 'é");
        assert_eq!(text, "%3Csvg%20a=%22%23fff%22%3E%20%27%C3%A9");
    }
}
