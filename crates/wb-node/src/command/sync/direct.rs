//! Syncing with another node: its feed and its receipt by an exchange, the own feed by deliveries; over the
//! network or through a folder, with the same bundles.
//!
//! The order is that of syncing with a hub: take, then seal, then give. A rehearsal takes everything in one
//! transaction that is dropped.

mod by_folder;
mod rehearse;
mod watch;

use std::path::PathBuf;
use std::time::Duration;

use wb_core::hash;
use wb_core::id::{Hash, InstanceId};
use wb_core::limits::RETRIES_MAX;
use wb_core::ndjson::split_first;
use wb_core::scope::FeedScope;
use wb_core::sync::{Cause, ExchangeSection, Next, Notice, PeerCause, PeerState};
use wb_core::want::{Held, Want};
use wb_net::PeerClient;
use wb_net::signed::Caller;
use wb_store::{GuardStanding, Pair, PairState, Road, RunStart, Standing};

pub(crate) use self::watch::{to_watch, watch};
use super::{Running, SyncInput, Synced};
use crate::command::peer_accept::offer;
use crate::command::publish::publish;
use crate::direct::make::{Delivery, own_bundle, page};
use crate::direct::quota::{Quota, WAITING_BYTES_MAX};
use crate::direct::reach::{self, FOLDER};
use crate::direct::take::{NotTaken, Taker, Taking, Took};
use crate::direct::want::{confirmed, own_want};
use crate::error::Result;
use crate::node::{Actor, Node};
use crate::plan::plan;
use crate::sealed::To;
use crate::sealed::keys::note_keys;
use crate::sync::push::{Owed, lacking, refused};
use crate::sync::spool::Spool;
use crate::sync::{OnProgress, SetAside, SyncEnd, check_own, check_turn, take_turn};

/// Bundles taken in one sync; ends a peer that always has more.
const EXCHANGES_MAX: usize = 100_000;

type Ended<T> = std::result::Result<T, SyncEnd>;

/// Syncs with a node.
pub(super) async fn sync(
    mut run: Running,
    node: &mut Node,
    actor: &Actor,
    input: SyncInput,
    mut state: PeerState,
    progress: OnProgress<'_>,
) -> Result<Synced> {
    let mut client = None;
    let ended = run.run(node, actor, input, &mut client, progress).await;
    let ended = ended.and_then(|()| match run.done.tally.refused() {
        Some(detail) => Err(SyncEnd::Peer(PeerCause::BadAnswer, detail)),
        None => Ok(()),
    });
    if let Err(end) = ended {
        let end = match &mut client {
            Some(client) => explain_skew(&run, client, end).await,
            None => end,
        };
        run.fail(end);
    }
    if let Some(client) = &client {
        run.done.clock_offset = client.caller().clock_offset();
        run.done.traffic = client.traffic();
        run.done.round_trips = client.caller().round_trips();
    }
    // A wish that was not heard yet is no failure to sync.
    if let Some((PeerCause::PairAsked | PeerCause::CallsHere, _)) = &run.done.end {
        state.failures = 0;
    }
    let called: Option<&Caller> = client.as_ref().map(PeerClient::caller);
    run.finish(node, actor, input, state, called)
}

/// As with a hub: where nothing is understood, both programs are named, and who has to be upgraded.
async fn explain_skew(run: &Running, client: &mut PeerClient, end: SyncEnd) -> SyncEnd {
    let may_be_skew = matches!(
        &end,
        SyncEnd::Peer(PeerCause::BadAnswer | PeerCause::VersionSkew, _)
    );
    if !may_be_skew {
        return end;
    }
    match client.who_is_this().await {
        Ok(found) => run.skew_of(&found.says).unwrap_or(end),
        Err(_) => end,
    }
}

/// What an exchange answered, taken apart.
struct Answered {
    want: Want,
    /// What names it.
    hash: Hash,
    next: Option<Next>,
    name: String,
    bundle: Vec<u8>,
    /// Sealed envelopes that wait there.
    envelopes: u64,
    /// Letters that wait there.
    letters: u64,
}

impl Running {
    async fn run(
        &mut self,
        node: &mut Node,
        actor: &Actor,
        input: SyncInput,
        client: &mut Option<PeerClient>,
        progress: OnProgress<'_>,
    ) -> Ended<()> {
        let id = self.done.peer.id;
        check_not_blocked(node, &id)?;
        let Some(mut pair) = node.store.pair(&id)? else {
            return Err(SyncEnd::Peer(PeerCause::NotPaired, String::new()));
        };
        if pair.state == PairState::Asked {
            let words = format!("the words are: {}", pair.words);
            return Err(SyncEnd::Peer(PeerCause::PairAsked, words));
        }
        if let Some(path) = self.done.peer.address.strip_prefix(FOLDER) {
            // A folder is pointed at by a person here, and is paired with by that.
            if pair.state != PairState::Paired {
                return Err(SyncEnd::Peer(PeerCause::PairWaits, String::new()));
            }
            self.road = Road::Folder;
            let path = PathBuf::from(path);
            return self.by_folder(node, actor, input, &path, progress);
        }
        self.road = Road::Direct;
        if pair.state == PairState::Offered && !input.dry_run {
            offer(node, &mut self.done.peer, &mut pair).await?;
        }
        // A preview asks for nothing, and is answered where the other side agreed.
        if pair.state == PairState::Offered && !input.dry_run {
            return Err(SyncEnd::Peer(PeerCause::PairWaits, String::new()));
        }
        let before = self.done.peer.address.clone();
        let reached = self.begin(node, &mut pair, input.wait).await;
        self.keep_tried(node, &pair, input)?;
        let (reached, first) = reached?;
        *client = Some(reached);
        let client = client.as_mut().expect("it was put there");
        if before != self.done.peer.address {
            self.done.notices.insert(Notice::PeerMoved);
        }
        if input.dry_run {
            self.rehearse_direct(node, client, input, first, progress)
                .await
        } else {
            self.go_direct(node, actor, client, input, first, progress)
                .await
        }
    }

    /// Notes which address on its card was tried, and where it answered, before anything is taken.
    fn keep_tried(&self, node: &mut Node, pair: &Pair, input: SyncInput) -> Ended<()> {
        let held = node.store.pair(&pair.id)?;
        if input.dry_run || held.as_ref() == Some(pair) {
            return Ok(());
        }
        let write = node.store.write()?;
        write.put_pair(pair)?;
        write.put_peer(&self.done.peer)?;
        Ok(write.commit()?)
    }

    /// The first exchange, wherever the peer answers.
    async fn begin(
        &mut self,
        node: &Node,
        pair: &mut Pair,
        wait: Duration,
    ) -> Ended<(PeerClient, Vec<u8>)> {
        let want = self.want(node)?;
        let peer = &self.done.peer;
        let reached = reach::first_call(node, peer, pair, async |client| {
            client.exchange(want.clone(), None, wait).await
        })
        .await?;
        self.done.peer.address = reached.address;
        Ok((reached.client, reached.answer))
    }

    fn want(&self, node: &Node) -> Ended<Vec<u8>> {
        let theirs = self.done.peer.id;
        // Whoever says nothing of a feed is given all of it.
        let want = if node.asks_for_all() {
            own_want(node, &[theirs])?
        } else {
            own_want(node, &[node.own_id(), theirs])?
        };
        Ok(want.with_identity(node))
    }

    async fn go_direct(
        &mut self,
        node: &mut Node,
        actor: &Actor,
        client: &mut PeerClient,
        input: SyncInput,
        first: Vec<u8>,
        progress: OnProgress<'_>,
    ) -> Ended<()> {
        let mut answer = self.read(client, &first)?;
        self.note_answer(node, &answer);
        // After the exchange, which brought the newest key along; of two copies neither goes on.
        let is_suspect = node.store.guard() == GuardStanding::Suspect;
        let id = self.done.peer.id;
        let mut turn = None;
        if input.push && !is_suspect && !node.had_turn(&id) {
            turn = take_turn(node, client.as_hub(), id).await?;
        }
        if input.pull {
            let mut exchanges = 0;
            loop {
                check_not_blocked(node, &id)?;
                let before = head_of(node, &id)?;
                let spool = self.whole(node, client, &mut answer).await?;
                self.take_spool(node, spool, progress)?;
                exchanges += 1;
                // What came was taken, so the next want says so. Where nothing was taken it would come again.
                let more = matches!(answer.next, Some(Next::Deltas { .. }));
                if !more || exchanges >= EXCHANGES_MAX || head_of(node, &id)? == before {
                    break;
                }
                let want = self.want(node)?;
                let body = client.exchange(want, None, Duration::ZERO).await?;
                answer = self.read(client, &body)?;
                self.note_answer(node, &answer);
            }
        }
        note_keys(node)?;
        if input.pull && answer.envelopes > 0 {
            self.take_envelopes(node, client.as_hub()).await?;
        }
        if input.pull && answer.letters > 0 {
            self.take_letters(node, client.as_hub()).await?;
        } else if input.pull {
            self.no_letters_there(node)?;
        }
        if !input.push {
            return self.check_ahead();
        }
        // Now and then is enough while it gives nothing; before it seals, it asks again.
        if turn.is_none() && !is_suspect && !plan(node, node.now())?.is_empty() {
            turn = take_turn(node, client.as_hub(), id).await?;
        }
        turn.as_ref().map_or(Ok(()), check_turn)?;
        self.check_ahead()?;
        // Before anything is sealed: whether the peer holds more of us than we do.
        check_own(node, &self.done.peer.acked)?;
        self.done.published = publish(node, actor)?.1;
        self.deliver(node, client, answer.hash, progress).await?;
        self.give_envelopes(node, client.as_hub(), To::Node(id))
            .await?;
        self.give_letters(node, client.as_hub(), To::Node(id)).await
    }

    /// Whether more of the own feed came from there than is here.
    fn check_ahead(&self) -> Ended<()> {
        if !self.done.tally.own_is_ahead {
            return Ok(());
        }
        Err(SyncEnd::Peer(
            PeerCause::OwnIsAhead,
            "deltas of this instance came from there that are not here".to_owned(),
        ))
    }

    /// What a peer says it holds of us, and what it is called.
    fn note_answer(&mut self, node: &Node, answer: &Answered) {
        if wb_core::kinds::check_name(&answer.name).is_ok() {
            self.done.peer.name.clone_from(&answer.name);
        }
        let held = confirmed(&answer.want, &node.own_id());
        if wb_core::sync::lost_what_it_confirmed(&self.done.peer.acked, &held) {
            self.done.notices.insert(Notice::HubLostOurs);
        }
        self.done.peer.acked = held;
    }

    /// Takes an answer apart: the section, the peer's want, and the bundle.
    fn read(&self, client: &PeerClient, body: &[u8]) -> Ended<Answered> {
        let bad = |what: String| SyncEnd::Peer(PeerCause::BadAnswer, what);
        let (first, rest) = split_first(body);
        let (section, next) =
            ExchangeSection::read(first).map_err(|rule| bad(rule.as_str().to_owned()))?;
        let (want, bundle) = split_first(rest);
        let hash = hash::sha256(want);
        let identity = client.caller().identity().entries().iter();
        let mut signed = vec![want];
        signed.extend(identity.map(|entry| entry.line.as_slice()));
        let (want, _) = Want::read(&signed)
            .map_err(|(_, rule)| bad(format!("the want in its answer breaks {rule}")))?;
        if want.instance != self.done.peer.id {
            return Err(bad("the want in its answer is of another".to_owned()));
        }
        Ok(Answered {
            want,
            hash,
            next,
            name: section.name,
            envelopes: section.envelopes,
            letters: section.letters,
            bundle: bundle.to_vec(),
        })
    }

    /// The whole bundle of an answer that gives it in parts. Where the feed moves on meanwhile it is begun anew.
    async fn whole(
        &self,
        node: &Node,
        client: &mut PeerClient,
        answer: &mut Answered,
    ) -> Ended<Spool> {
        let dir = node.store.home().dir();
        let mut spool = Spool::new(dir)?;
        spool.put(&std::mem::take(&mut answer.bundle))?;
        let want = self.want(node)?;
        let mut begun = 0;
        while let Some(after @ Next::Lines { line, .. }) = answer.next {
            let body = match client
                .exchange(want.clone(), Some(after), Duration::ZERO)
                .await
            {
                Ok(body) => body,
                Err(error) if error.refusal() == Some(Cause::HeadGone) && begun < RETRIES_MAX => {
                    begun += 1;
                    let body = client.exchange(want.clone(), None, Duration::ZERO).await?;
                    *answer = self.read(client, &body)?;
                    spool = Spool::new(dir)?;
                    spool.put(&std::mem::take(&mut answer.bundle))?;
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
            let part = self.read(client, &body)?;
            let goes_on = match part.next {
                Some(Next::Lines { line: then, .. }) => then > line,
                _ => true,
            };
            if !goes_on || part.bundle.is_empty() {
                return Err(SyncEnd::Peer(
                    PeerCause::BadAnswer,
                    "a bundle in parts that does not go on".to_owned(),
                ));
            }
            spool.put(&part.bundle)?;
            if spool.bytes() > WAITING_BYTES_MAX {
                return Err(too_much());
            }
            answer.next = part.next;
        }
        Ok(spool)
    }

    fn taking(&self, node: &Node, run_no: Option<i64>) -> Taking {
        Taking {
            own: node.own_id(),
            from: self.done.peer.id,
            may_be_own: true,
            takes_own: node.takes_own(),
            run_no,
            now: node.now(),
        }
    }

    /// Takes a bundle in a transaction of its own.
    fn take_spool(&mut self, node: &Node, spool: Spool, progress: OnProgress<'_>) -> Ended<()> {
        self.take_with(node, |taker| {
            let mut number = 0;
            spool.each(|line| -> Ended<()> {
                number += 1;
                Ok(taker.push(line)?)
            })?;
            progress(number, number);
            Ok(())
        })
    }

    fn take_with(
        &mut self,
        node: &Node,
        push: impl FnOnce(&mut Taker<'_, '_>) -> Ended<()>,
    ) -> Ended<()> {
        let write = node.store.write_in_sight()?;
        write.remember_shown()?;
        let run_no = match self.done.run_no {
            Some(run_no) => run_no,
            None => write.start_run(&RunStart {
                peer: Some(self.done.peer.id),
                road: self.road,
                detail: &self.done.peer.address,
                at: self.started,
            })?,
        };
        let quota = Quota::begin(&write, self.done.peer.id)?;
        let mut taker = Taker::new(&write, self.taking(node, Some(run_no)));
        push(&mut taker)?;
        let took = taker.finish().map_err(not_taken)?;
        if let Some(over) = quota.check(&write)? {
            return Err(SyncEnd::Peer(
                PeerCause::BadAnswer,
                format!(
                    "this node keeps {} {} of one peer, and there would be {}; nothing of that page counts",
                    over.limit, over.counted, over.used
                ),
            ));
        }
        let changed = write.changed_since()?;
        if self.done.run_no.is_none() {
            if changed.is_empty() && took.is_known() {
                write.drop_run(run_no)?;
            } else {
                self.done.run_no = Some(run_no);
            }
        }
        self.done.tally.count(&changed);
        self.count(&took);
        write.commit()?;
        // Lines that were taken back must not stay behind in the log file.
        node.store
            .forget_dropped(changed.iter().map(|change| change.difference).max())?;
        Ok(())
    }

    fn count(&mut self, took: &Took) {
        let tally = &mut self.done.tally;
        tally.deltas += took.deltas + took.snapshots();
        tally.snapshots += took.snapshots();
        tally.own_is_ahead |= took.own_is_ahead;
        tally.recovered.extend(&took.recovered);
        self.done.own_back.extend(took.own_back.clone());
        for feed in took.feeds.iter().filter(|feed| !feed.is_good()) {
            tally.set_aside.push(SetAside {
                origin: feed.origin,
                scope: feed.scope,
                outcome: feed.outcome,
                rule: feed.rule.map(wb_core::rule::Rule::as_str),
            });
        }
    }

    /// Gives what the peer lacks of the own feed, a page at a time.
    async fn deliver(
        &mut self,
        node: &Node,
        client: &mut PeerClient,
        want: Hash,
        progress: OnProgress<'_>,
    ) -> Ended<()> {
        let served = node.store.served();
        let mut told_anew = false;
        loop {
            check_not_blocked(node, &self.done.peer.id)?;
            let acked = self.done.peer.acked.clone();
            self.done.pushed.acked.clone_from(&acked);
            let owed = lacking(node, served, FeedScope::Public, &acked)?;
            let (headers, is_whole) = match &owed {
                Owed::Deltas(headers) if headers.is_empty() => return Ok(()),
                // A later log may follow an earlier one, which whoever holds nothing does not have.
                Owed::Deltas(_) if acked.is_empty() && is_later_log(node)? => (&[][..], true),
                Owed::Deltas(headers) => (&headers[..page(served, headers)?], false),
                Owed::Whole => (&[][..], true),
            };
            let delivery = if is_whole {
                Delivery::Whole
            } else {
                Delivery::Deltas(headers)
            };
            let bundle = own_bundle(node, Some(want), &delivery)?;
            let moved = crate::query::peers::moved(node, headers)?;
            let answer = client.deliver(bundle).await?;
            let own = node.own_id();
            let mut held = answer.own;
            held.retain(|held| held.origin == own);
            self.done.peer.acked.clone_from(&held);
            self.done.pushed.acked = held;
            let outcome = answer.feeds.first();
            match outcome.map(|feed| feed.outcome.as_str()) {
                Some("append" | "take" | "duplicate") => {
                    self.done.pushed.deltas += (headers.len() as u64).max(u64::from(is_whole));
                    self.done.pushed.records += moved.puts.len() as u64;
                    self.done.pushed.retracts += moved.retracts.len() as u64;
                    if is_whole {
                        self.done.pushed.records += live(node)?;
                    }
                    let given = headers.iter().map(wb_store::StoredHeader::place);
                    self.done.pushed.sent.extend(given);
                    let done = self.done.pushed.records + self.done.pushed.retracts;
                    progress(done, done);
                    // What is not confirmed after it was taken would be given for ever.
                    if self.done.peer.acked == acked {
                        return Err(refused(outcome));
                    }
                }
                // It stands elsewhere than it said: told anew, once.
                Some("early" | "need_snapshot") if !told_anew => told_anew = true,
                _ => return Err(refused(outcome)),
            }
        }
    }
}

/// Whether a person here refused the peer meanwhile.
fn check_not_blocked(node: &Node, id: &InstanceId) -> Ended<()> {
    if node.store.standing(id)? != Some(Standing::Blocked) {
        return Ok(());
    }
    let why = "it is blocked here".to_owned();
    Err(SyncEnd::Peer(PeerCause::NotPaired, why))
}

/// The head of a peer's feed, as it is held.
fn head_of(node: &Node, id: &InstanceId) -> Ended<Option<Held>> {
    Ok(node.store.served().head(id, FeedScope::Public)?)
}

fn too_much() -> SyncEnd {
    SyncEnd::Peer(
        PeerCause::BadAnswer,
        format!("it gives more than {WAITING_BYTES_MAX} bytes before any of it can be taken"),
    )
}

/// Whether the own feed is in a log after its first.
fn is_later_log(node: &Node) -> Ended<bool> {
    let served = node.store.served();
    let head = served.head(&node.own_id(), FeedScope::Public)?;
    Ok(head.is_some_and(|head| head.generation > 0))
}

/// Records live in the own feed.
fn live(node: &Node) -> Ended<u64> {
    let own = node.own_id();
    let feeds = node.store.served().feeds()?;
    let feeds = feeds
        .iter()
        .filter(|feed| feed.held.origin == own && feed.held.scope == FeedScope::Public);
    Ok(feeds.map(|feed| feed.live_n).sum())
}

fn not_taken(why: NotTaken) -> SyncEnd {
    match why {
        NotTaken::Store(error) => SyncEnd::Local(error.into()),
        why => SyncEnd::Peer(PeerCause::BadAnswer, why.to_string()),
    }
}
