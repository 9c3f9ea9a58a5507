//! `wb hub list`, `show`, `approve` and `login-link`: what a hub's operator does. What is said in public is in
//! `hub_moderate`.
//!
//! They work on the hub's file, also while the hub runs: it notices within seconds.

use anyhow::Result;
use clap::{Args, ValueEnum};
use serde::Serialize;
use wb_core::id::InstanceId;
use wb_core::sync::{Standing, Visibility};
use wb_core::time::Timestamp;
use wb_hub::{HubStore, MemberRow, ModerateError, RoomRow, approve as let_in};
use wb_node::command::login_link::{LINK_MINUTES, login_link as make_login_link};
use wb_node::entropy;
use zeroize::Zeroizing;

use super::hub_up::{last_address, store_limits};
use crate::context::Context;
use crate::failure::Failure;
use crate::hub_store::{self, AnyHub, Opening, StoreArg};
use crate::output::{self, clean, count, heading};

/// Members read at once, and shown unless more are asked for.
const PAGE_MEMBERS: usize = 100;
/// Members that can be shown at once; protects memory and whoever reads them.
const LIST_MEMBERS_MAX: u32 = 10_000;
/// Members that a name or fragment may fit before it is not looked further.
const FITS_MAX: usize = 3;
/// Characters of an id that are enough to look for.
const FRAGMENT_CHARS_MIN: usize = 4;

/// List the members of the hub of this folder
#[derive(Debug, Args)]
pub struct List {
    /// Only those of one standing
    #[arg(long, value_enum)]
    standing: Option<StandingArg>,
    /// How many (default 100; with --json all of them)
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..=i64::from(LIST_MEMBERS_MAX)))]
    limit: Option<u32>,
    /// Only those after this id, as the page before says
    #[arg(long, value_name = "ID")]
    after: Option<InstanceId>,
    #[command(flatten)]
    store: StoreArg,
}

/// Where a registration stands.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum StandingArg {
    /// Waits for approval.
    Waiting,
    /// Is a member.
    Member,
    /// Is suspended.
    Suspended,
}

/// Show one member: its feeds, who follows it, what waits for it
#[derive(Debug, Args)]
pub struct Show {
    /// Name or id of the member, or the start of its id
    member: String,
    #[command(flatten)]
    store: StoreArg,
}

/// Let a registration in
#[derive(Debug, Args)]
pub struct Approve {
    /// Name or id of the member, or the start of its id
    member: String,
    #[command(flatten)]
    store: StoreArg,
}

/// Make a link that lets a moderator in once, on a browser of their choice
#[derive(Debug, Args)]
pub struct LoginLink {
    /// The moderator's handle, a steward or admin of the hub's own instance (default: yours)
    handle: Option<String>,
}

pub(super) fn parse_time(text: &str) -> Result<Timestamp, String> {
    let whole = if text.len() == 10 {
        format!("{text}T00:00:00.000Z")
    } else if let Some(seconds) = text.strip_suffix('Z').filter(|rest| rest.len() == 19) {
        format!("{seconds}.000Z")
    } else {
        text.to_owned()
    };
    whole.parse().map_err(|_| {
        "a day like 2026-12-31 or a time like 2026-12-31T12:00:00Z is needed".to_owned()
    })
}

#[derive(Serialize)]
struct Row {
    schema_version: u32,
    id: InstanceId,
    name: String,
    standing: &'static str,
    reason: Option<String>,
    until: Option<Timestamp>,
    listed: bool,
    visibility: Visibility,
    asks: Visibility,
    invite: Option<u64>,
    delisted: bool,
    revoked: bool,
    since: Timestamp,
    seen_at: Option<Timestamp>,
    records: u64,
    followers: u64,
    pending: u64,
}

#[derive(Serialize)]
struct Detail {
    #[serde(flatten)]
    row: Row,
    seen_n: u64,
    bytes: u64,
    bytes_max: u64,
    records_max: u64,
    feeds: Vec<FeedRow>,
    follows: Follows,
}

#[derive(Serialize)]
struct FeedRow {
    scope: &'static str,
    seq: u64,
    head: String,
    live: u64,
    kinds: std::collections::BTreeMap<String, u64>,
}

#[derive(Serialize)]
struct Follows {
    counter: u64,
    all: bool,
    follow: Vec<InstanceId>,
    except: Vec<InstanceId>,
}

fn row(member: &MemberRow) -> Row {
    Row {
        schema_version: 1,
        id: member.id,
        name: member.name.clone(),
        standing: member.standings.standing.as_str(),
        reason: member.standings.reason.clone(),
        until: member.standings.until,
        listed: member.listed,
        visibility: member.visibility,
        asks: member.asks,
        invite: member.invite,
        delisted: member.delisted,
        revoked: member.revoked,
        since: member.since,
        seen_at: member.seen_at,
        records: member.feeds.iter().map(|feed| feed.live).sum(),
        followers: member.followers,
        pending: member.pending,
    }
}

/// The hub of this folder, and a runtime to ask it.
pub(super) struct Operator {
    pub node: wb_node::Node,
    pub actor: wb_node::Actor,
    pub store: AnyHub,
    pub runtime: tokio::runtime::Runtime,
}

impl Operator {
    pub fn new(context: &Context, store: &StoreArg) -> Result<Self> {
        let (node, actor) = context.acting()?;
        let address = hub_store::address(context, store)?;
        let limits = store_limits(&context.settings()?);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let open = hub_store::open(&node, address.as_ref(), limits, Opening::Existing);
        let store = runtime.block_on(open)?;
        Ok(Self {
            node,
            actor,
            store,
            runtime,
        })
    }

    /// A page of members, and whether there are more.
    fn members(
        &self,
        standing: Option<Standing>,
        after: Option<InstanceId>,
        limit: usize,
    ) -> Result<(Vec<MemberRow>, bool)> {
        let one_more = limit.saturating_add(1);
        let asked = self
            .store
            .members(standing, after, one_more, entropy::now());
        let mut page = self.runtime.block_on(asked)?;
        let has_more = page.len() > limit;
        page.truncate(limit);
        Ok((page, has_more))
    }

    /// The one member of a name, or whose id begins so.
    pub fn find(&self, text: &str) -> Result<MemberRow> {
        let id_start = Some(text.to_owned()).filter(|text| text.len() >= FRAGMENT_CHARS_MIN);
        let asked = self
            .store
            .find(text.to_owned(), id_start, FITS_MAX, entropy::now());
        let mut members = self.runtime.block_on(asked)?;
        match members.len() {
            1 => Ok(members.remove(0)),
            0 => Err(Failure::usage(
                format!("no member `{}` is registered here", clean(text)),
                "`wb hub list` shows all of them",
            )
            .into()),
            n => Err(Failure::usage(
                format!("`{}` fits {} members", clean(text), fits(n)),
                "name one by more of its id: `wb hub list` shows them",
            )
            .into()),
        }
    }

    /// Notes in the log of the folder what was done.
    pub fn note(&self, act: &str, subject: &dyn std::fmt::Display, detail: String) -> Result<()> {
        let now = entropy::now();
        Ok(self.node.audit(now, &self.actor, act, subject, detail)?)
    }

    /// Runs what a hub's file is asked or told.
    pub(super) fn wait<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }
}

/// Why nothing was done, with what to do.
pub(super) fn refused(error: ModerateError) -> anyhow::Error {
    let message = clean(&error.to_string());
    let hint = match &error {
        ModerateError::IsSuspended(_) => "`wb hub reinstate` lets it in again",
        ModerateError::NeverLetIn(_) => "`wb hub approve` does that",
        ModerateError::NoReason(_) | ModerateError::LongReason => {
            "nothing was changed; say it with --reason"
        }
        ModerateError::Over(_) => {
            "nothing was changed; name a later time with --until, or leave it away"
        }
        ModerateError::NotAModerator => "act as one of them with --as HANDLE",
        ModerateError::TakesNoEnd => "nothing was changed; leave --until away",
        ModerateError::NothingToUndo(_) => "`wb hub notices` shows what is in force",
        ModerateError::NoRecord => {
            "`wb record list --json` at whoever holds it, and its page here, name it in full"
        }
        ModerateError::LongNote | ModerateError::BadUses => "nothing was made",
        ModerateError::NoInvite(_) => "`wb hub invite list` shows all of them",
        ModerateError::TooManyInvites => "nothing was made",
        ModerateError::Unknown => "`wb hub list` shows all of them",
        ModerateError::Store(_) | ModerateError::Log(_) => return error.into(),
    };
    Failure::usage(message, hint).into()
}

/// Lists the members.
pub fn list(context: &Context, args: &List) -> Result<()> {
    let operator = Operator::new(context, &args.store)?;
    let standing = args.standing.map(|standing| match standing {
        StandingArg::Waiting => Standing::Waiting,
        StandingArg::Member => Standing::Member,
        StandingArg::Suspended => Standing::Suspended,
    });
    if context.json() && args.limit.is_none() {
        return list_all(&operator, standing, args.after);
    }
    let limit = args.limit.map_or(Ok(PAGE_MEMBERS), usize::try_from)?;
    let (members, has_more) = operator.members(standing, args.after, limit)?;
    let rows: Vec<Row> = members.iter().map(row).collect();
    let columns = [
        "name",
        "id",
        "standing",
        "records",
        "followers",
        "waits for it",
        "seen",
    ];
    output::list(context, &rows, &columns, "Nobody is registered.", |row| {
        vec![
            row.name.clone(),
            row.id.short(),
            row.standing.to_owned(),
            row.records.to_string(),
            row.followers.to_string(),
            row.pending.to_string(),
            row.seen_at
                .map_or_else(|| "never".to_owned(), |at| at.to_string()),
        ]
    })?;
    if context.json() {
        return Ok(());
    }
    if let Some(last) = members.last().filter(|_| has_more) {
        context.say(format!(
            "There are more: `wb hub list --after {}`.",
            last.id
        ));
    }
    tell_waiting(context, &operator)
}

/// Prints one after the other, a page in memory at a time.
fn list_all(
    operator: &Operator,
    standing: Option<Standing>,
    mut after: Option<InstanceId>,
) -> Result<()> {
    loop {
        let (members, has_more) = operator.members(standing, after, PAGE_MEMBERS)?;
        members
            .iter()
            .map(row)
            .try_for_each(|row| output::json(&row))?;
        after = members.last().map(|member| member.id);
        if !has_more {
            return Ok(());
        }
    }
}

/// Says how many wait, and how many that waited made room for others.
fn tell_waiting(context: &Context, operator: &Operator) -> Result<()> {
    let standings = operator
        .runtime
        .block_on(operator.store.standings(entropy::now()))?;
    let waiting = standings
        .get(Standing::Waiting.as_str())
        .copied()
        .unwrap_or(0);
    if waiting > 0 {
        context.say(format!(
            "{} for `wb hub approve NAME`.",
            count(waiting, "registration waits", "registrations wait")
        ));
    }
    let let_go = operator.runtime.block_on(operator.store.let_go())?;
    if let_go > 0 {
        context.say(format!(
            "{} made room for later ones: as many as may were waiting, and who made room never asked again. Each \
             is told so when it comes, and can register anew.",
            count(let_go, "registration that waited", "registrations that waited")
        ));
    }
    Ok(())
}

/// A number of fits, of which some may not have been looked for.
fn fits(n: usize) -> String {
    if n < FITS_MAX {
        n.to_string()
    } else {
        format!("{FITS_MAX} or more")
    }
}

/// Shows one member.
pub fn show(context: &Context, args: &Show) -> Result<()> {
    let operator = Operator::new(context, &args.store)?;
    let member = operator.find(&args.member)?;
    let room = operator.runtime.block_on(operator.store.room(member.id))?;
    if context.json() {
        return output::json(&detail(&member, &room));
    }
    output::line(format!(
        "{}  {}",
        heading(context, &clean(&member.name)),
        member.id
    ))?;
    output::line(format!("standing   {}", standing_text(&member)))?;
    output::line(format!("since      {}", member.since))?;
    let shown = match (member.visibility, member.delisted) {
        (Visibility::Public, _) => "everybody",
        (Visibility::Members, _) => "members of this hub",
        (Visibility::Unlisted, true) => {
            "nobody but who knows its id: a notice keeps it out of lists"
        }
        (Visibility::Unlisted, false) => "nobody but who knows its id",
    };
    output::line(format!("shown to   {shown}"))?;
    if let Some(n) = member.invite {
        output::line(format!("came by    invitation {n}"))?;
    }
    for feed in &member.feeds {
        let kinds: Vec<String> = feed
            .kinds
            .iter()
            .map(|(kind, n)| format!("{n} {kind}"))
            .collect();
        output::line(format!(
            "feed       {} at {}, {} live: {}",
            feed.head.scope.as_str(),
            feed.head.seq,
            feed.live,
            kinds.join(", ")
        ))?;
    }
    output::line(format!("room       {}", room_text(&room)))?;
    output::line(format!("followers  {}", member.followers))?;
    output::line(format!("follows    {}", follows_text(&member)))?;
    let seen = member.seen_at.map_or_else(
        || "it never asked".to_owned(),
        |at| format!("it last asked at {at}"),
    );
    output::line(format!(
        "outbox     {} for it ({seen}, and has everything up to arrival {})",
        count(member.pending, "arrival waits", "arrivals wait"),
        member.seen_n
    ))
}

fn detail(member: &MemberRow, room: &RoomRow) -> Detail {
    let feeds = member.feeds.iter().map(|feed| FeedRow {
        scope: feed.head.scope.as_str(),
        seq: feed.head.seq,
        head: feed.head.hash.to_string(),
        live: feed.live,
        kinds: feed
            .kinds
            .iter()
            .map(|(kind, n)| (kind.to_string(), *n))
            .collect(),
    });
    Detail {
        row: row(member),
        seen_n: member.seen_n,
        bytes: room.bytes,
        bytes_max: room.quota.bytes,
        records_max: room.quota.records,
        feeds: feeds.collect(),
        follows: Follows {
            counter: member.follows.counter,
            all: member.follows.all,
            follow: member.follows.follow.clone(),
            except: member.follows.except.clone(),
        },
    }
}

/// What is kept of a member, and what may be.
fn room_text(room: &RoomRow) -> String {
    let mebibytes = |bytes: u64| bytes.div_ceil(1_024 * 1_024);
    format!(
        "{} of {} MiB, {} of {} records",
        mebibytes(room.bytes),
        mebibytes(room.quota.bytes),
        room.records,
        room.quota.records
    )
}

fn standing_text(member: &MemberRow) -> String {
    let held = &member.standings;
    match held.standing {
        Standing::Waiting => "waits for `wb hub approve`".to_owned(),
        Standing::Member => "member".to_owned(),
        Standing::Suspended => {
            let until = held.until.map_or_else(
                || "until `wb hub reinstate`".to_owned(),
                |until| format!("until {until}"),
            );
            let reason = held.reason.as_deref().map(clean).unwrap_or_default();
            let what = if member.revoked {
                "revoked"
            } else {
                "suspended"
            };
            format!("{what} {until}: {reason}")
        }
    }
}

fn follows_text(member: &MemberRow) -> String {
    let list = &member.follows;
    let named = count(
        list.follow.len() as u64,
        "member by name",
        "members by name",
    );
    match (list.all, list.except.len()) {
        (false, _) if list.follow.is_empty() => "nobody".to_owned(),
        (false, _) => named,
        (true, 0) => format!("every listed member, {named}"),
        (true, n) => format!("every listed member but {n}, {named}"),
    }
}

/// Lets a registration in.
pub fn approve(context: &Context, args: &Approve) -> Result<()> {
    let operator = Operator::new(context, &args.store)?;
    let id = operator.find(&args.member)?.id;
    let moderator = (operator.actor.user, operator.actor.role);
    let log = operator.node.store().private();
    let done = let_in(&operator.store, log, moderator, id, entropy::now());
    let after = operator.wait(done).map_err(refused)?;
    tell_decision(context, &after, "is a member; it can sync now")
}

/// Where the hub of this folder is asked, as far as that is known here.
pub(super) fn hub_base(context: &Context) -> Result<String> {
    let settings = context.settings()?;
    Ok(match settings.hub_hosts.first() {
        Some(host) => format!("https://{host}"),
        None => {
            let address = last_address(context.home()).unwrap_or(settings.hub_listen);
            format!("http://{address}")
        }
    })
}

#[derive(Serialize)]
struct Link<'a> {
    schema_version: u32,
    handle: &'a str,
    link: &'a str,
    minutes: i64,
}

/// Makes a link that lets a moderator in once.
pub fn login_link(context: &Context, args: &LoginLink) -> Result<()> {
    let (node, actor) = context.acting()?;
    hub_store::check_there(context.home())?;
    let handle = args.handle.as_deref().unwrap_or(&actor.handle);
    let secret = make_login_link(&node, &actor, handle)?;
    let base = hub_base(context)?;
    let link = Zeroizing::new(format!("{base}/login/link/{}", secret.as_str()));
    if context.json() {
        return output::json(&Link {
            schema_version: 1,
            handle,
            link: &link,
            minutes: LINK_MINUTES,
        });
    }
    output::line(link.as_str())?;
    context.say(format!(
        "It lets {} moderate this hub in one browser: open it within {LINK_MINUTES} minutes, while `wb hub up` runs. It \
         works once. Give it to nobody else.",
        clean(handle)
    ));
    Ok(())
}

pub(super) fn tell_decision(context: &Context, member: &MemberRow, what: &str) -> Result<()> {
    if context.json() {
        return output::json(&row(member));
    }
    output::line(format!("{} {what}.", clean(&member.name)))
}
