//! `wb user contact`: sends ways to reach a member to the author of a request elsewhere, in a letter.

use wb_core::id::{RecordId, RecordRef};
use wb_core::letter::{Contact, LetterBody};

use super::comment_send::{Sending, checked};
use crate::entropy;
use crate::error::{NodeError, Result};
use crate::letters::{take_back, tell};
use crate::node::{Actor, Node};

/// What its owner chose to send; nothing is sent that is not here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Chosen {
    /// The name.
    pub name: Option<String>,
    /// An e-mail address.
    pub email: Option<String>,
    /// A number.
    pub phone: Option<String>,
    /// Anything else.
    pub text: Option<String>,
}

/// What would be sent, to be shown before somebody says yes to it.
///
/// # Errors
/// That the request is of this instance or not shown here, or what is wrong with a field.
pub fn contact_sending(
    node: &Node,
    actor: &Actor,
    request: &RecordRef,
    chosen: Chosen,
) -> Result<Sending> {
    if request.origin == node.own_id() {
        return Err(NodeError::Refused(
            "this request is of your own community: write an answer, or speak to its author; nothing was sent".to_owned(),
        ));
    }
    let body = LetterBody::Contact(Contact {
        request: *request,
        name: chosen.name,
        email: chosen.email,
        phone: chosen.phone,
        text: chosen.text,
    });
    checked(node, actor, request, body)
}

/// Sends exactly what was shown. Returns the thread, by which it can be taken back.
///
/// # Errors
/// What is wrong with it; nothing is sent then.
pub fn contact_send(
    node: &Node,
    actor: &Actor,
    request: &RecordRef,
    shown: &Sending,
) -> Result<RecordId> {
    let LetterBody::Contact(contact) = &shown.body else {
        return Err(NodeError::Refused(
            "these are no contact details; nothing was sent".to_owned(),
        ));
    };
    let shown = checked(node, actor, request, LetterBody::Contact(contact.clone()))?;
    let now = node.now();
    let thread = entropy::record_id(now);
    tell(node, actor.user, shown.to, thread, &shown.body, now)?;
    let detail = format!("to {}", shown.to.short());
    node.audit(now, actor, "contact send", &thread, detail)?;
    Ok(thread)
}

/// Takes contact details back: the other instance is asked to erase them.
///
/// # Errors
/// That the actor sent nothing of that name.
pub fn contact_take_back(node: &Node, actor: &Actor, thread: &RecordId) -> Result<()> {
    let sent = node.store.private().letters_of_thread(thread)?;
    if !sent.iter().any(|letter| letter.owner == Some(actor.user)) {
        return Err(NodeError::unknown("letter of yours", thread.to_string()));
    }
    let now = node.now();
    node.store.note_erasing()?;
    take_back(node, thread, now)?;
    node.store.empty_logs()?;
    node.audit(now, actor, "contact take back", thread, String::new())
}
