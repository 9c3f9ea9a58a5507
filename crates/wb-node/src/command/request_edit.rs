//! `wb request edit`: changes the words of an own request.

use wb_core::id::RecordRef;
use wb_core::kinds::{Body, check_text, check_title};

use crate::error::{NodeError, Result};
use crate::node::{Actor, Node};
use crate::query::{own_record, own_words};

/// Changes a request's title, description or both; only its author can.
///
/// # Errors
/// What is wrong with the texts, that the request is another instance's, or that the actor may not.
pub fn request_edit(
    node: &Node,
    actor: &Actor,
    request: &RecordRef,
    title: Option<&str>,
    description: Option<&str>,
) -> Result<()> {
    // Read and written in one transaction: nobody's mark is lost.
    let write = node.store.write_in_sight()?;
    let mut record = own_record(node, request, "request")?;
    if record.author != Some(actor.user) {
        return Err(NodeError::Forbidden {
            actor: actor.handle.clone(),
            act: "edit this request",
            why: "only its author changes its words",
        });
    }
    let words = own_words(
        &record.kind,
        node.own_id(),
        &record.body,
        |body| match body {
            Body::Request(request) => Some(request),
            _ => None,
        },
    );
    let Some(mut body) = words else {
        return Err(NodeError::Refused(
            "the request was erased; there are no words to change".to_owned(),
        ));
    };
    if let Some(title) = title {
        check_title(title).map_err(NodeError::text("title"))?;
        title.clone_into(&mut body.title);
    }
    if let Some(description) = description {
        check_text(description).map_err(NodeError::text("description"))?;
        description.clone_into(&mut body.description);
    }
    let now = node.now();
    record.body = serde_json::to_string(&body).expect("a body has string keys and serialises");
    record.at = now;
    record.edit += 1;
    write.put_local(&record)?;
    write.commit()?;
    node.audit(now, actor, "request edit", &record.id, "")
}
