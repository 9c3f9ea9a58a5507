//! `wb hub suspend`, `revoke`, `delist`, `withhold`, `reinstate`, `notices` and `audit`: what a hub decides about members
//! and records, said in public, and what moderators did.
//!
//! Each decision can be looked at before it is done (`--dry-run`). It is sealed into the hub's own feed and holds when the
//! command returns, also while the hub runs.

use anyhow::Result;
use clap::Args;
use serde::Serialize;
use wb_core::id::{Hash, InstanceId, RecordId, RecordRef};
use wb_core::kinds::{NoticeAct, Subject};
use wb_core::notice::Deciding;
use wb_core::scope::Kind;
use wb_core::time::Timestamp;
use wb_hub::{HubNotices, HubStore, NoticeRow, WouldDecide, would_decide};
use wb_node::entropy;
use wb_store::AuditLine;
use wb_web::hub::{DecideError, decide};

use super::hub_admin::{Operator, parse_time, refused, tell_decision};
use crate::context::Context;
use crate::failure::Failure;
use crate::hub_store::{self, StoreArg};
use crate::output::{self, clean};

/// Lines of the log that are shown unless more are asked for, and that are read at once.
const AUDIT_LINES: usize = 100;
/// The word that begins what moderators do in the log.
const WORD: &str = "hub";

/// Why, and what comes of it.
#[derive(Debug, Args)]
pub struct Said {
    /// Why; everybody reads it
    #[arg(long)]
    reason: String,
    /// More words, for everybody
    #[arg(long)]
    note: Option<String>,
    /// Say what would come of it, and do nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    store: StoreArg,
}

/// Leave a member out: it cannot sync here, and what it published is not handed on
#[derive(Debug, Args)]
pub struct Suspend {
    /// Name or id of the member, or the start of its id
    member: String,
    #[command(flatten)]
    said: Said,
    /// Until this day or time (2026-12-31, 2026-12-31T12:00:00Z); without it until `reinstate`
    #[arg(long, value_parser = parse_time, value_name = "TIME")]
    until: Option<Timestamp>,
}

/// Leave a member out for good; members hide what came of it by this hub alone
#[derive(Debug, Args)]
pub struct Revoke {
    /// Name or id of the member, or the start of its id
    member: String,
    #[command(flatten)]
    said: Said,
}

/// Keep a member out of directory, pages and `*`
#[derive(Debug, Args)]
pub struct Delist {
    /// Name or id of the member, or the start of its id
    member: String,
    #[command(flatten)]
    said: Said,
    /// Until this day or time; without it until `reinstate`
    #[arg(long, value_parser = parse_time, value_name = "TIME")]
    until: Option<Timestamp>,
}

/// Hand one record on to nobody
#[derive(Debug, Args)]
pub struct Withhold {
    /// The record: MEMBER/ID
    record: String,
    #[command(flatten)]
    said: Said,
    /// Until this day or time; without it until `reinstate`
    #[arg(long, value_parser = parse_time, value_name = "TIME")]
    until: Option<Timestamp>,
    /// Only as it is now: its next revision is handed on
    #[arg(long)]
    this_revision: bool,
}

/// Undo what was decided about a member or a record
#[derive(Debug, Args)]
pub struct Reinstate {
    /// Name or id of the member, or the record: MEMBER/ID
    subject: String,
    /// Why; everybody reads it
    #[arg(long, default_value = "undone")]
    reason: String,
    /// More words, for everybody
    #[arg(long)]
    note: Option<String>,
    /// Say what would come of it, and do nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    store: StoreArg,
}

/// List what this hub says in public about members and records
#[derive(Debug, Args)]
pub struct Notices {
    /// Only what is in force
    #[arg(long)]
    in_force: bool,
    #[command(flatten)]
    store: StoreArg,
}

/// List what moderators did, or write all of it out with --json
#[derive(Debug, Args)]
pub struct Audit {
    /// How many, the newest first (default 100; with --json all of them)
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    limit: Option<u32>,
}

#[derive(Serialize)]
struct EffectView {
    schema_version: u32,
    act: NoticeAct,
    subject: InstanceId,
    record: Option<RecordId>,
    name: String,
    followers: u64,
    followers_by_id: u64,
    records: u64,
    kinds: std::collections::BTreeMap<Kind, u64>,
    waits: u64,
    children: Option<u64>,
    sentences: Vec<String>,
}

#[derive(Serialize)]
struct NoticeView {
    schema_version: u32,
    n: u64,
    id: RecordId,
    act: NoticeAct,
    subject: InstanceId,
    record: Option<RecordId>,
    line: Option<Hash>,
    name: Option<String>,
    reason: String,
    note: Option<String>,
    until: Option<Timestamp>,
    issued_at: Timestamp,
    in_force: bool,
    replied: bool,
}

#[derive(Serialize)]
struct AuditView {
    schema_version: u32,
    number: u64,
    at: Timestamp,
    actor: Option<RecordId>,
    handle: Option<String>,
    act: String,
    target: String,
    detail: String,
}

impl Said {
    fn clone_about(&self, act: NoticeAct, subject: Subject) -> (Deciding, bool) {
        let deciding = Deciding {
            act,
            subject,
            line: None,
            reason: self.reason.clone(),
            until: None,
            note: self.note.clone(),
        };
        (deciding, self.dry_run)
    }
}

/// Leaves a member out.
pub fn suspend(context: &Context, args: &Suspend) -> Result<()> {
    let mut operator = Operator::new(context, &args.said.store)?;
    let subject = Subject::Instance(operator.find(&args.member)?.id);
    let (mut deciding, dry_run) = args.said.clone_about(NoticeAct::Suspend, subject);
    deciding.until = args.until;
    let done = "is suspended: it cannot sync here, and what it published is not handed on. \
                Copies that others took stay with them; `wb hub reinstate` undoes this";
    run(context, &mut operator, &deciding, dry_run, done)
}

/// Leaves a member out for good.
pub fn revoke(context: &Context, args: &Revoke) -> Result<()> {
    let mut operator = Operator::new(context, &args.said.store)?;
    let subject = Subject::Instance(operator.find(&args.member)?.id);
    let (deciding, dry_run) = args.said.clone_about(NoticeAct::Revoke, subject);
    let done = "is revoked: it cannot sync here, and whoever follows this hub's notices hides what came of it by this hub \
                alone; `wb hub reinstate` undoes this";
    run(context, &mut operator, &deciding, dry_run, done)
}

/// Keeps a member out of every list.
pub fn delist(context: &Context, args: &Delist) -> Result<()> {
    let mut operator = Operator::new(context, &args.said.store)?;
    let subject = Subject::Instance(operator.find(&args.member)?.id);
    let (mut deciding, dry_run) = args.said.clone_about(NoticeAct::Delist, subject);
    deciding.until = args.until;
    let done =
        "is delisted: whoever follows it by its id is served on; `wb hub reinstate` undoes this";
    run(context, &mut operator, &deciding, dry_run, done)
}

/// Hands one record on to nobody.
pub fn withhold(context: &Context, args: &Withhold) -> Result<()> {
    let mut operator = Operator::new(context, &args.said.store)?;
    let key = record_of(&operator, &args.record)?;
    let (mut deciding, dry_run) = args
        .said
        .clone_about(NoticeAct::Withhold, Subject::Record(key));
    deciding.until = args.until;
    if args.this_revision {
        let effect = operator.wait(operator.store.effect(deciding.subject, entropy::now()))?;
        deciding.line = effect.and_then(|effect| Some(effect.record?.line_hash));
    }
    let done =
        "has a record that is handed on to nobody now; `wb hub reinstate MEMBER/ID` undoes this";
    run(context, &mut operator, &deciding, dry_run, done)
}

/// Undoes what was decided.
pub fn reinstate(context: &Context, args: &Reinstate) -> Result<()> {
    let mut operator = Operator::new(context, &args.store)?;
    let (subject, done) = if args.subject.contains('/') {
        let key = record_of(&operator, &args.subject)?;
        (Subject::Record(key), "has its record handed on again")
    } else {
        let id = operator.find(&args.subject)?.id;
        let done = "is a member again; who follows it gets what came meanwhile";
        (Subject::Instance(id), done)
    };
    let deciding = Deciding {
        act: NoticeAct::Reinstate,
        subject,
        line: None,
        reason: args.reason.clone(),
        until: None,
        note: args.note.clone(),
    };
    run(context, &mut operator, &deciding, args.dry_run, done)
}

/// The record that MEMBER/ID names.
fn record_of(operator: &Operator, text: &str) -> Result<RecordRef> {
    let unknown = || {
        Failure::usage(
            format!("`{}` names no record", clean(text)),
            "a record is named by its member and its id: MEMBER/ID",
        )
    };
    let (member, id) = text.rsplit_once('/').ok_or_else(unknown)?;
    let id = id.parse().map_err(|_| unknown())?;
    Ok(RecordRef {
        origin: operator.find(member)?.id,
        id,
    })
}

fn run(
    context: &Context,
    operator: &mut Operator,
    deciding: &Deciding,
    dry_run: bool,
    done: &str,
) -> Result<()> {
    let now = entropy::now();
    let role = operator.actor.role;
    let looked = would_decide(&operator.store, role, deciding, now);
    let would = operator.wait(looked).map_err(refused)?;
    if dry_run {
        return tell_effect(context, &would, deciding);
    }
    let Operator {
        node,
        actor,
        store,
        runtime,
    } = operator;
    runtime
        .block_on(decide(store, node, actor, deciding, now))
        .map_err(undecided)?;
    let after = operator.wait(operator.store.member(deciding.subject.instance(), now))?;
    tell_decision(context, &after.unwrap_or(would.member), done)
}

fn undecided(error: DecideError) -> anyhow::Error {
    match error {
        DecideError::Moderate(error) => refused(error),
        DecideError::Node(error) => error.into(),
        DecideError::Store(_) | DecideError::Carry(_) => anyhow::Error::new(error).context(
            "the notice is sealed, and does not hold at this hub yet; the next decision or `wb hub up` carries it",
        ),
    }
}

fn tell_effect(context: &Context, would: &WouldDecide, deciding: &Deciding) -> Result<()> {
    let sentences = would.sentences(deciding);
    if context.json() {
        return output::json(&EffectView {
            schema_version: 1,
            act: deciding.act,
            subject: deciding.subject.instance(),
            record: match deciding.subject {
                Subject::Instance(_) => None,
                Subject::Record(key) => Some(key.id),
            },
            name: would.member.name.clone(),
            followers: would.effect.followers,
            followers_by_id: would.effect.by_id,
            records: would.effect.records(),
            kinds: would.effect.kinds.clone(),
            waits: would.effect.waits,
            children: would.effect.record.as_ref().map(|record| record.children),
            sentences,
        });
    }
    for sentence in sentences {
        output::line(clean(&sentence))?;
    }
    context.say("Nothing was changed; without --dry-run it is done.");
    Ok(())
}

/// Lists what this hub says in public.
pub fn notices(context: &Context, args: &Notices) -> Result<()> {
    let operator = Operator::new(context, &args.store)?;
    let mut rows = operator.wait(operator.store.notices(entropy::now()))?;
    rows.retain(|row| row.in_force || !args.in_force);
    let views: Vec<NoticeView> = rows.iter().map(view).collect();
    let columns = ["n", "what", "about", "because", "until", "in force"];
    output::list(
        context,
        &views,
        &columns,
        "This hub said nothing about anybody.",
        |view| {
            let name = view.name.clone();
            let name = name.unwrap_or_else(|| view.subject.short());
            vec![
                view.n.to_string(),
                view.act.as_str().to_owned(),
                view.record
                    .map_or_else(|| name.clone(), |id| format!("{name}/{id}")),
                view.reason.clone(),
                view.until
                    .map_or_else(|| "undone".to_owned(), |until| until.to_string()),
                if view.in_force { "yes" } else { "no" }.to_owned(),
            ]
        },
    )
}

fn view(row: &NoticeRow) -> NoticeView {
    let notice = &row.said.notice;
    NoticeView {
        schema_version: 1,
        n: notice.n,
        id: row.said.id,
        act: notice.act,
        subject: notice.subject,
        record: notice.record,
        line: notice.line,
        name: row.name.clone(),
        reason: notice.reason.clone(),
        note: notice.note.clone(),
        until: notice.until,
        issued_at: notice.issued_at,
        in_force: row.in_force,
        replied: row.reply.is_some(),
    }
}

/// Lists what moderators did.
pub fn audit(context: &Context, args: &Audit) -> Result<()> {
    let (node, _) = context.acting()?;
    hub_store::check_there(context.home())?;
    let private = node.store().private();
    let accounts = private.accounts()?.into_iter();
    let handles: std::collections::BTreeMap<RecordId, String> = accounts
        .map(|account| (account.user, account.handle))
        .collect();
    let whole = context.json() && args.limit.is_none();
    let wanted = args.limit.map_or(Ok(AUDIT_LINES), usize::try_from)?;
    let (mut before, mut views) = (None, Vec::new());
    loop {
        let read = if whole { AUDIT_LINES } else { wanted };
        let lines = private.audit_lines(WORD, before, read)?;
        before = lines.last().map(|line| line.number);
        let is_last = lines.len() < read || !whole;
        let page = lines.into_iter().map(|line| audited(line, &handles));
        if whole {
            // A page in memory at a time.
            page.into_iter().try_for_each(|view| output::json(&view))?;
        } else {
            views.extend(page);
        }
        if is_last {
            break;
        }
    }
    if whole {
        return Ok(());
    }
    let columns = ["when", "who", "what", "whom", "why"];
    output::list(
        context,
        &views,
        &columns,
        "No moderator did anything yet.",
        |view| {
            vec![
                view.at.to_string(),
                view.handle.clone().unwrap_or_default(),
                view.act.clone(),
                view.target.clone(),
                view.detail.clone(),
            ]
        },
    )
}

fn audited(line: AuditLine, handles: &std::collections::BTreeMap<RecordId, String>) -> AuditView {
    let row = line.row;
    AuditView {
        schema_version: 1,
        number: line.number,
        at: row.at,
        handle: row.actor.and_then(|actor| handles.get(&actor).cloned()),
        actor: row.actor,
        act: row.act,
        target: row.target,
        detail: row.detail,
    }
}
