//! Fetching the picture that a profile names, because a member asked to see it.

use wb_core::id::RecordRef;
use wb_net::fetch::{FileAddress, Web};

use crate::error::{NodeError, Result};
use crate::node::{Actor, Node};
use crate::picture::{NoPicture, rewrite};
use crate::query::picture::{named, picture_target};

/// Fetches the picture of a profile, writes it anew, and keeps that. Where it is kept already, nobody is asked.
///
/// Takes as long as the place does, up to the time-out of [`wb_net::fetch`].
///
/// # Errors
/// `Picture` with a sentence that says it all; then nothing was kept. That there is no such profile.
pub fn picture_show(node: &mut Node, actor: &Actor, key: &RecordRef, web: &Web) -> Result<()> {
    let address = named(node, actor, key)?.ok_or(NoPicture::NotNamed)?;
    if node.store.picture(key)?.is_some() {
        return Ok(());
    }
    let place = FileAddress::parse(&address).map_err(NoPicture::from)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| NodeError::Refused(format!("nothing can be fetched now: {error}")))?;
    let fetched = runtime.block_on(web.fetch(&place));
    // A resolver that does not answer is not waited for.
    runtime.shutdown_background();
    let picture = rewrite(&fetched.map_err(NoPicture::from)?)?;
    let now = node.now();
    let write = node.store.write()?;
    // Meanwhile it may have been taken back.
    if !write.keep_picture(key, &address, &picture, now)? {
        return Err(NoPicture::NotNamed.into());
    }
    write.commit()?;
    node.audit(
        now,
        actor,
        "picture show",
        &picture_target(node, key),
        place.host(),
    )
}
