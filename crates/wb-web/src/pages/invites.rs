//! Inviting: one's own invitations, each with its link, a picture of it, and how often it was used.

use askama::Template;
use qrcode::QrCode;
use qrcode::render::svg;
use wb_core::id::RecordRef;
use wb_core::kinds::Personalisation;
use wb_node::command::invite_create::{InviteCreate, invite_create};
use wb_node::command::invite_off::invite_off;
use wb_node::query::invites::invites;
use wb_node::view::InviteView;

use crate::answer::Answer;
use crate::shell::Shell;
use crate::visit::{Trouble, Visit};

/// Days that an invitation lasts unless another number is typed.
const DAYS: i64 = 14;
const DAYS_MAX: i64 = 365;
const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

struct Row {
    invite: InviteView,
    link: String,
}

#[derive(Template)]
#[template(path = "invites.html")]
struct Page {
    shell: Shell,
    rows: Vec<Row>,
    /// Invitations that other communities share; their codes let somebody in here.
    others: Vec<InviteView>,
    is_steward: bool,
    wrong: Option<String>,
}

/// The own invitations, newest first.
pub fn list(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    write(visit, None)
}

fn write(visit: &mut Visit<'_>, wrong: Option<String>) -> Result<Answer, Trouble> {
    let (actor, base) = (visit.actor()?, visit.address()?);
    let rows = invites(visit.node()?, &actor)?.into_iter().rev();
    let (mut rows, mut others): (Vec<_>, Vec<_>) = rows.partition(|invite| invite.base.local);
    rows.retain(|invite| invite.token.is_some());
    others.retain(|invite| invite.base.hidden.is_none());
    let row = |invite: InviteView| Row {
        link: format!(
            "{base}/invite/{}",
            invite.token.as_deref().unwrap_or_default()
        ),
        invite,
    };
    let page = Page {
        rows: rows.into_iter().map(row).collect(),
        others,
        shell: visit.shell("Invites"),
        is_steward: visit.is_steward(),
        wrong,
    };
    Ok(Answer::page(page.render()?))
}

/// Makes one.
pub fn create(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    let actor = visit.actor()?;
    let form = &visit.form;
    let number = |name: &str| form.word(name).and_then(|text| text.parse::<i64>().ok());
    let days = number("days").unwrap_or(DAYS).clamp(1, DAYS_MAX);
    let examples: Vec<String> = form
        .text("examples")
        .lines()
        .map(|line| line.trim().to_owned())
        .filter(|line| !line.is_empty())
        .collect();
    let face = Personalisation {
        photo: form.word("photo"),
        gratitude: form.word("gratitude"),
        support: form.word("support"),
        examples: (!examples.is_empty()).then_some(examples),
        fun: form.word("fun"),
    };
    let is_personal = face != Personalisation::default();
    let input = InviteCreate {
        max_uses: Some(
            number("uses")
                .and_then(|uses| u64::try_from(uses).ok())
                .unwrap_or(1)
                .max(1),
        ),
        expires_at: None,
        auto_approve: form.has("auto_approve") && visit.is_steward(),
        suggested_handle: form.word("suggested_handle"),
        suggested_bio: form.word("suggested_bio"),
        personalisation: is_personal.then_some(face),
    };
    let node = visit.node()?;
    let input = InviteCreate {
        expires_at: Some(node.now().plus_ms(days * DAY_MS)),
        ..input
    };
    match invite_create(node, &actor, &input) {
        Ok((_, token)) => Ok(Answer::see(format!("/invites/{token}"))),
        Err(error) => write(visit, Some(crate::words::failure(&error))),
    }
}

#[derive(Template)]
#[template(path = "invite_card.html")]
struct Card {
    shell: Shell,
    link: String,
    token: String,
    invite: InviteView,
}

/// One invitation to hand over: link, picture, and a card to print.
pub fn card(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    let invite = own(visit)?;
    let token = visit.param("token").to_owned();
    let page = Card {
        shell: visit.shell("An invitation"),
        link: format!("{}/invite/{token}", visit.address()?),
        token,
        invite,
    };
    Ok(Answer::page(page.render()?))
}

/// Switches one off.
pub fn off(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    let invite = own(visit)?;
    let actor = visit.actor()?;
    let key = RecordRef {
        origin: invite.base.origin,
        id: invite.base.id,
    };
    invite_off(visit.node()?, &actor, &key)?;
    Ok(Answer::see("/invites"))
}

/// The link as a picture.
pub fn picture(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    own(visit)?;
    let link = format!("{}/invite/{}", visit.address()?, visit.param("token"));
    let code = QrCode::new(link).map_err(|_| Trouble::NotFound)?;
    let drawn = code
        .render::<svg::Color<'_>>()
        .min_dimensions(240, 240)
        .build();
    Ok(Answer::file("image/svg+xml", drawn.into_bytes()))
}

fn own(visit: &mut Visit<'_>) -> Result<InviteView, Trouble> {
    let token = visit.param("token").to_owned();
    let actor = visit.actor()?;
    let found = invites(visit.node()?, &actor)?;
    found
        .into_iter()
        .find(|invite| invite.token.as_deref() == Some(token.as_str()))
        .ok_or(Trouble::NotFound)
}
