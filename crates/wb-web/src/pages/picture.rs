//! The picture that a profile names: fetched when a member asks to see it, shown from here, put away again.

use wb_net::rates::RetryAfter;
use wb_node::command::picture_away::picture_away;
use wb_node::command::picture_show::picture_show;
use wb_node::query::picture::{named, picture};
use wb_node::{NodeError, entropy};
use wb_store::PictureFormat;

use super::members;
use crate::answer::Answer;
use crate::limits::PICTURE_WAIT_SECONDS;
use crate::visit::{Trouble, Visit};

/// Where the member's page is.
fn back(visit: &Visit<'_>) -> String {
    format!("/members/{}/{}", visit.param("home"), visit.param("id"))
}

/// The picture itself.
pub fn file(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    let (key, actor) = (visit.record()?, visit.actor()?);
    let kept = picture(visit.node()?, &actor, &key)?.ok_or(Trouble::NotFound)?;
    let kind = match kept.picture.format {
        PictureFormat::Jpeg => "image/jpeg",
        PictureFormat::Png => "image/png",
    };
    Ok(Answer::foreign(kind, kept.picture.bytes))
}

/// Fetches it. Where it cannot be shown, the page says why.
pub fn show(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    let (key, actor, site) = (visit.record()?, visit.actor()?, visit.site);
    if named(visit.node()?, &actor, &key)?.is_none() {
        return Err(Trouble::NotFound);
    }
    let charged = site.charges.picture(actor.user, entropy::now());
    charged.map_err(|RetryAfter(seconds)| Trouble::TooOften(seconds))?;
    let under_way = site.pictures.begin();
    let _under_way = under_way.ok_or(Trouble::TooOften(PICTURE_WAIT_SECONDS))?;
    match picture_show(visit.node()?, &actor, &key, site.pictures.web()) {
        Ok(()) => Ok(Answer::see(back(visit))),
        Err(NodeError::Picture(why)) => members::page_saying(visit, Some(why.to_string())),
        Err(error) => Err(error.into()),
    }
}

/// Puts it away.
pub fn away(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    let (key, actor) = (visit.record()?, visit.actor()?);
    named(visit.node()?, &actor, &key)?;
    picture_away(visit.node()?, &actor, &key)?;
    Ok(Answer::see(back(visit)))
}
