//! Everything that can be asked for, and who may ask.

use http::Method;

use crate::answer::Answer;
use crate::pages::{
    accounts, address, agree, audit, code, conflicts, data, drafts, events, feed_link, feeds,
    found, home, hub_notices, inbox, invite, invites, keys, letters, login, members, notices,
    offers, pair, peers, picture, profile, request, request_edit, requests, retire, review,
    settings, share, share_all, shared, sharing, sync, trust, trusted, vouch, waiting,
};
use crate::visit::{Trouble, Visit};

/// Who may ask for something. Each stands for those after it as well, but for `Setup` and `Waiting`,
/// which are for a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Access {
    /// Whoever founds: nothing is here yet, and the link was printed on this computer.
    Setup,
    /// Anybody.
    Anyone,
    /// A browser that waits to be let in.
    Waiting,
    /// A member.
    Member,
    /// A steward.
    Steward,
    /// An admin.
    Admin,
}

impl Access {
    /// Who that is, in words.
    pub(crate) fn who(self) -> &'static str {
        match self {
            Self::Setup => "the link that was printed",
            Self::Anyone => "nobody in particular",
            Self::Waiting => "a browser that asked to be let in",
            Self::Member => "a member",
            Self::Steward => "a steward",
            Self::Admin => "an admin",
        }
    }
}

/// What answers.
pub type Handler = fn(&mut Visit<'_>) -> Result<Answer, Trouble>;

/// One thing that can be asked for.
#[derive(Debug, Clone)]
pub struct Route {
    /// How: what changes something is never a GET.
    pub method: Method,
    /// Where.
    pub path: &'static str,
    /// Who may.
    pub access: Access,
    /// Whether secrets or handles could be tried out here: such are granted more rarely.
    pub is_at_door: bool,
    pub(crate) handler: Handler,
}

const fn get(path: &'static str, access: Access, handler: Handler) -> Route {
    Route {
        method: Method::GET,
        path,
        access,
        is_at_door: false,
        handler,
    }
}

const fn post(path: &'static str, access: Access, handler: Handler) -> Route {
    Route {
        method: Method::POST,
        path,
        access,
        is_at_door: false,
        handler,
    }
}

const fn at_door(mut route: Route) -> Route {
    route.is_at_door = true;
    route
}

use Access::{Admin, Anyone, Member, Setup, Steward, Waiting};

/// The list.
pub const ROUTES: &[Route] = &[
    at_door(get("/setup/{token}", Setup, found::form)),
    at_door(post("/setup/{token}", Setup, found::found)),
    at_door(get("/founded/{token}", Admin, found::words)),
    at_door(post("/founded/{token}", Admin, found::confirm)),
    get("/", Anyone, home::home),
    get("/login", Anyone, login::form),
    at_door(post("/login", Anyone, login::ask)),
    at_door(get("/login/link/{token}", Anyone, login::link)),
    at_door(post("/login/link/{token}", Anyone, login::use_link)),
    get("/events", Waiting, events::events),
    post("/logout", Member, login::logout),
    get("/waiting", Waiting, waiting::page),
    post("/waiting/drafts", Waiting, waiting::draft),
    at_door(get("/invite/{token}", Anyone, invite::page)),
    at_door(post("/invite/{token}", Anyone, invite::take)),
    at_door(get("/code", Anyone, code::form)),
    at_door(get("/code/{token}", Anyone, code::page)),
    at_door(post("/code/{token}", Anyone, code::join)),
    get("/requests", Member, requests::list),
    get("/requests/new", Member, requests::new),
    post("/requests/new", Member, requests::create),
    get("/requests/{home}/{id}", Member, request::page),
    post("/requests/{home}/{id}/comment", Member, request::comment),
    post("/requests/{home}/{id}/publish", Member, letters::publish),
    post("/requests/{home}/{id}/contact", Member, letters::contact),
    post("/requests/{home}/{id}/contact/back", Member, letters::back),
    post("/requests/{home}/{id}/complete", Member, request::complete),
    post("/requests/{home}/{id}/reopen", Member, request::reopen),
    post("/requests/{home}/{id}/cancel", Member, request::cancel),
    post("/requests/{home}/{id}/settle", Member, request::settle),
    post("/requests/{home}/{id}/helper", Member, request::helper),
    get("/requests/{home}/{id}/edit", Member, request_edit::form),
    post("/requests/{home}/{id}/edit", Member, request_edit::edit),
    get("/requests/{home}/{id}/offer", Member, offers::form),
    post("/requests/{home}/{id}/offer", Member, offers::make),
    get("/things", Member, offers::things),
    post("/offers/{home}/{id}/accept", Member, offers::accept),
    post("/offers/{home}/{id}/decline", Member, offers::decline),
    post("/offers/{home}/{id}/done", Member, offers::done),
    get("/drafts", Member, drafts::list),
    get("/drafts/{id}", Member, drafts::page),
    post("/drafts/{id}", Member, drafts::change),
    post("/drafts/{id}/delete", Member, drafts::delete),
    get("/records/{id}/scope", Member, share::page),
    post("/records/{id}/scope", Member, share::scope),
    get("/agree", Member, agree::page),
    post("/agree", Member, agree::answer),
    get("/members", Member, members::list),
    get("/members/{home}/{id}", Member, members::page),
    get("/members/{home}/{id}/picture", Member, picture::file),
    post("/members/{home}/{id}/picture", Member, picture::show),
    post("/members/{home}/{id}/picture/away", Member, picture::away),
    get("/invites", Member, invites::list),
    post("/invites", Member, invites::create),
    get("/invites/{token}", Member, invites::card),
    get("/invites/{token}/picture.svg", Member, invites::picture),
    post("/invites/{token}/off", Member, invites::off),
    get("/review", Steward, review::queue),
    post("/review/account", Steward, review::account),
    post("/review/origin", Steward, review::origin),
    get("/conflicts", Steward, conflicts::list),
    post("/review/fallen", Steward, review::fallen),
    get("/hub-notices", Member, hub_notices::list),
    post("/hub-notices/answer", Steward, hub_notices::answer),
    post("/hub-notices/heed", Admin, hub_notices::heed),
    get("/inbox", Steward, inbox::list),
    get("/inbox/{key}", Steward, inbox::item),
    post("/inbox/{key}/dismiss", Steward, inbox::dismiss),
    get("/accounts", Steward, accounts::page),
    post("/accounts/approve", Steward, accounts::approve),
    post("/accounts/end", Steward, accounts::end),
    get("/accounts/{id}", Admin, data::page_of),
    post("/accounts/{id}/page", Admin, data::html_of),
    post("/accounts/{id}/json", Admin, data::json_of),
    post("/accounts/{id}/erase", Admin, data::erase_of),
    get("/shared", Steward, shared::list),
    post("/shared/{id}/narrow", Steward, shared::narrow),
    get("/shared/all", Steward, share_all::page),
    post("/shared/all", Steward, share_all::share),
    get("/trust", Member, trust::page),
    get("/trust/{home}", Member, trust::why),
    get("/trust/{home}/vouch", Admin, vouch::form),
    post("/trust/{home}/vouch", Admin, vouch::vouch),
    get("/trust/{home}/revoke", Admin, vouch::ask_revoke),
    post("/trust/{home}/revoke", Admin, vouch::revoke),
    get("/trusted", Member, trusted::list),
    get("/trusted/{home}", Admin, trusted::ask),
    post("/trusted/{home}", Admin, trusted::trust),
    get("/trusted/{home}/remove", Admin, trusted::ask_remove),
    post("/trusted/{home}/remove", Admin, trusted::remove),
    get("/audit", Member, audit::page),
    get("/sync", Steward, sync::dashboard),
    get("/sync/runs", Steward, sync::runs),
    get("/sync/runs/{run}", Steward, sync::run),
    get("/sync/peers", Steward, peers::list),
    get("/pair", Anyone, pair::opened),
    get("/sync/pair", Admin, pair::page),
    post("/sync/pair/invite", Admin, pair::invite),
    post("/sync/pair/ask", Admin, pair::ask),
    post("/sync/pair/accept", Admin, pair::accept),
    post("/sync/pair/confirm", Admin, pair::confirm),
    post("/sync/pair/refuse", Admin, pair::refuse),
    get("/sync/with/{home}", Steward, peers::page),
    post("/sync/with/{home}/show", Admin, peers::show_to),
    post("/sync/with/{home}/pause", Admin, peers::pause),
    post("/sync/with/{home}/resume", Admin, peers::resume),
    post("/sync/with/{home}/retry", Admin, peers::retry),
    get("/sync/with/{home}/block", Admin, peers::ask_block),
    post("/sync/with/{home}/block", Admin, peers::block),
    post("/sync/with/{home}/unblock", Admin, peers::unblock),
    get("/sync/with/{home}/forget", Admin, peers::ask_forget),
    post("/sync/with/{home}/forget", Admin, peers::forget),
    get("/sync/with/{home}/has", Steward, sync::has),
    get("/sync/with/{home}/lacks", Steward, sync::lacks),
    get(
        "/sync/with/{home}/taken-back",
        Steward,
        sync::lacks_retracts,
    ),
    post("/sync/now", Steward, sync::now),
    post("/sync/preview", Steward, sync::preview),
    post("/sync/keep", Steward, share::keep),
    get("/settings", Member, settings::page),
    post("/settings/sessions/approve", Member, settings::approve),
    post("/settings/sessions/end", Member, settings::end),
    post("/settings/sessions/refuse", Member, notices::refuse),
    post("/notices/seen", Member, notices::see),
    get("/settings/profile", Member, profile::form),
    post("/settings/profile", Member, profile::edit),
    get("/settings/sharing", Member, sharing::page),
    post("/settings/sharing", Member, sharing::choose),
    get("/settings/address", Admin, address::page),
    post("/settings/address", Admin, address::change),
    get("/settings/keys", Admin, keys::page),
    post("/settings/keys/rotate", Admin, keys::rotate),
    get("/settings/keys/recover", Admin, keys::choose),
    at_door(post("/settings/keys/recover", Admin, keys::begin)),
    post("/settings/keys/recovered", Admin, keys::recover),
    post("/settings/keys/void", Admin, keys::decide),
    get("/settings/retire", Admin, retire::page),
    post("/settings/retire", Admin, retire::retire),
    post("/settings/retire/undo", Admin, retire::undo),
    get("/settings/data", Member, data::page),
    post("/settings/data/page", Member, data::html),
    post("/settings/data/json", Member, data::json),
    post("/settings/data/erase", Member, data::erase),
    get("/settings/feed", Member, feed_link::page),
    post("/settings/feed", Member, feed_link::change),
    get("/feeds/{token}/requests.atom", Anyone, feeds::atom),
    get("/feeds/{token}/requests.rss", Anyone, feeds::rss),
];
