//! `wb offer done`: either side says that the help is over, with thanks. Ways to reach each other are hidden again.

use wb_core::id::RecordRef;
use wb_core::kinds::To;
use wb_core::leave::Helping;
use wb_core::letter::{Done, LetterBody};
use wb_store::{OfferRow, OfferState};

use super::offer_answer::{Side, as_it_was, of_actor};
use super::status_say::{home_event, put as put_status, say};
use crate::error::{NodeError, Result};
use crate::letters::{tell_within, would_tell_in};
use crate::node::{Actor, Node};
use crate::offers::{OFFER, author_of, hide, named, other, settle};
use crate::query::request_status;

/// Ends help that was agreed on. Said by the other side before, thanks can still be given, once. Returns the side it
/// was done by.
///
/// # Errors
/// That it was not agreed on, or is over, or what is wrong with the thanks.
pub fn offer_done(
    node: &Node,
    actor: &Actor,
    key: &RecordRef,
    thanks: Option<String>,
) -> Result<Side> {
    let (offer, side) = of_actor(node, actor, key)?;
    let said = match side {
        Side::Asker => &offer.asker_thanks,
        Side::Helper => &offer.helper_thanks,
    };
    match offer.state {
        OfferState::Accepted => {}
        OfferState::Done if said.is_none() && thanks.is_some() => {}
        OfferState::Done => {
            return Err(NodeError::Refused(
                "this is done already; nothing was changed".to_owned(),
            ));
        }
        _ => {
            return Err(NodeError::Refused(
                "this offer was not accepted, so there is nothing that could be done; nothing was changed"
                    .to_owned(),
            ));
        }
    }
    let body = LetterBody::Done(Done {
        request: offer.request,
        thanks: thanks.clone(),
    });
    body.check()
        .map_err(|(field, source)| NodeError::Text { field, source })?;
    let with = other(node, &offer);
    if let Some(with) = &with {
        let helping = match side {
            Side::Asker => Helping::Offered,
            Side::Helper => Helping::Accepted,
        };
        let told = would_tell_in(node, actor.user, *with, helping, &body, node.now())?;
        told.map_err(|why| NodeError::Refused(format!("nothing was changed: {}", why.sentence())))?;
    }
    let now = node.now();
    node.store.note_erasing()?;
    node.store.private().together(|private| {
        let held = as_it_was(private, &offer)?;
        let was_done = held.state == OfferState::Done;
        let held = match side {
            Side::Asker => OfferRow {
                asker_thanks: thanks,
                ..held
            },
            Side::Helper => OfferRow {
                helper_thanks: thanks,
                ..held
            },
        };
        let ended = hide(node, private, held, OfferState::Done, now)?;
        if let Some(with) = &with {
            return tell_within(private, actor.user, *with, ended.key.id, &body, now);
        }
        let whom = match side {
            Side::Asker => ended.helper,
            Side::Helper => author_of(node, &ended.request)?.map(|(author, _)| author),
        };
        if let Some(whom) = whom {
            let about = named(node, &ended.request)?;
            let words = if was_done {
                format!("You were thanked for {about}")
            } else {
                format!("The help with {about} is done, as the other side says")
            };
            private.put_notice(&whom, now, OFFER, &words, None)?;
        }
        Ok::<_, NodeError>(())
    })?;
    node.store.empty_logs()?;
    say_completed(node, actor, &offer, side)?;
    settle(node)?;
    node.audit(now, actor, "offer done", &offer.key.id, "")?;
    Ok(side)
}

/// Says of the request that help was given, where that is not said yet.
fn say_completed(node: &Node, actor: &Actor, offer: &OfferRow, side: Side) -> Result<()> {
    if offer.state != OfferState::Accepted {
        return Ok(());
    }
    let request = &offer.request;
    let is_home = request.origin == node.own_id();
    if is_home && side == Side::Helper {
        let now = node.now();
        let write = node.store.write_in_sight()?;
        let status = request_status(node, request)?;
        if status.value == To::Open && !status.contested {
            let event = home_event(request, &status, To::Completed, status.heard.clone())?;
            put_status(node, &write, event, Some(actor.user), now)?;
            write.commit()?;
        }
        return Ok(());
    }
    match say(node, actor, request, To::Completed, None) {
        // It is said already, or it is nothing for feeds: home hears of it by the letter.
        Ok(_) | Err(NodeError::Refused(_)) => Ok(()),
        Err(error) => Err(error),
    }
}
