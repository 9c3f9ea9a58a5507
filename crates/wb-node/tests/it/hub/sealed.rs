//! What is shared with trusted peers only, through a hub: who reads it, who does not, and what a removed one keeps.

use std::path::Path;

use wb_core::bundle::Writer;
use wb_core::entry::Reason;
use wb_core::id::{InstanceId, RecordRef};
use wb_core::ndjson::put_line;
use wb_core::scope::{FeedScope, Scope};
use wb_core::sealed::Envelope;
use wb_core::sync::{Cause, EnvelopeBody, GivenEnvelope, Policy};
use wb_node::command::comment_add::comment_add;
use wb_node::command::peer_trust::{peer_trust, peer_untrust, would_show};
use wb_node::command::publish::publish_retracts;
use wb_node::command::record_retract::record_retract;
use wb_node::command::request_add::{RequestAdd, request_add};
use wb_node::query::audience::audience;
use wb_node::query::who::who;
use wb_store::GuardStanding;

use super::world::{HubUp, Member, key, titles};

const CANARY: &str = "A canary for trusted peers";

/// Whether some file in a folder holds these words.
fn holds(dir: &Path, words: &str) -> bool {
    let mut found = false;
    for entry in std::fs::read_dir(dir).expect("a folder") {
        let path = entry.expect("a file").path();
        found |= if path.is_dir() {
            holds(&path, words)
        } else {
            let bytes = std::fs::read(&path).unwrap_or_default();
            bytes
                .windows(words.len())
                .any(|window| window == words.as_bytes())
        };
    }
    found
}

pub(super) fn home_holds(member: &Member, words: &str) -> bool {
    holds(member.home().dir(), words)
}

pub(super) fn sync_all(hub: &HubUp, members: &mut [&mut Member]) {
    for member in members {
        let synced = member.sync(hub);
        assert_eq!(synced.end, None);
    }
}

/// North, South and East at one hub; each accepted the others and has their cards.
pub(super) fn three() -> (HubUp, Member, Member, Member) {
    let hub = HubUp::start("Harbour", Policy::Open);
    let mut members = ["North", "South", "East"].map(Member::found);
    for member in &mut members {
        member.register(&hub);
    }
    let ids: Vec<InstanceId> = members.iter().map(Member::id).collect();
    for member in &mut members {
        let others: Vec<InstanceId> = ids
            .iter()
            .copied()
            .filter(|id| *id != member.id())
            .collect();
        member.follow_all(&hub, &others);
    }
    let [mut north, mut south, mut east] = members;
    for _ in 0..2 {
        sync_all(&hub, &mut [&mut north, &mut south, &mut east]);
    }
    (hub, north, south, east)
}

pub(super) fn trust(member: &mut Member, id: InstanceId) {
    let (actor, shows) = (member.actor(), would_show(&member.node, id, None));
    let key = shows.expect("its card is here").key;
    peer_trust(&mut member.node, &actor, id, None, &key).expect("its card is here");
}

pub(super) fn untrust(member: &mut Member, id: InstanceId) {
    let actor = member.actor();
    peer_untrust(&mut member.node, &actor, id).expect("it is trusted");
}

pub(super) fn states(member: &Member) -> Vec<&'static str> {
    let views = audience(&member.node).expect("a store");
    views.into_iter().map(|view| view.state).collect()
}

pub(super) fn ask(member: &mut Member, title: &str) -> RecordRef {
    member.ask(title, Scope::TrustedPeers)
}

#[test]
fn what_is_for_trusted_peers_is_read_by_them_and_by_nobody_who_carries_it() {
    let (hub, mut north, mut south, mut east) = three();
    ask(&mut north, CANARY);
    // Nobody is trusted, so it stays home.
    sync_all(&hub, &mut [&mut north, &mut south]);
    assert_eq!(titles(&south), Vec::<String>::new());

    trust(&mut north, south.id());
    let synced = north.sync(&hub);
    assert_eq!((synced.end, synced.envelopes.given), (None, 1));
    // A hub hands it to nobody else who asks.
    let page = east.with_client(&hub, async |client, _| client.envelopes(None).await);
    assert_eq!(page.expect("an answer").envelopes, []);
    sync_all(&hub, &mut [&mut east, &mut south]);
    assert_eq!(titles(&south), [CANARY]);
    assert_eq!(titles(&east), Vec::<String>::new());
    assert!(home_holds(&south, CANARY) && home_holds(&north, CANARY));
    assert!(!home_holds(&east, CANARY), "it is not for East");
    assert!(
        !holds(hub.node().store().home().dir(), CANARY),
        "a hub cannot read it"
    );

    // The receipt goes back the same way, and nothing is given twice.
    sync_all(&hub, &mut [&mut north]);
    assert_eq!(states(&north), ["has_all"]);
    let idle = north.sync(&hub);
    assert_eq!(idle.envelopes.given + idle.envelopes.taken, 0);
    assert_eq!(hub_waits(&hub), 0);

    // What comes later goes as deltas, and what is taken back goes from there.
    let second = ask(&mut north, "A second canary");
    sync_all(&hub, &mut [&mut north, &mut south]);
    assert_eq!(titles(&south).len(), 2);
    north.take_back(&second);
    sync_all(&hub, &mut [&mut north, &mut south]);
    assert_eq!(titles(&south), [CANARY]);
    assert!(!home_holds(&south, "A second canary"));
    south.assert_sound();
    north.assert_sound();
}

/// Envelopes that wait at a hub.
fn hub_waits(hub: &HubUp) -> i64 {
    let file = rusqlite::Connection::open(hub.file()).expect("a file");
    file.query_row("SELECT count(*) FROM envelopes", [], |row| row.get(0))
        .expect("a table")
}

#[test]
fn a_removed_member_keeps_nothing_and_gets_nothing_more() {
    let (hub, mut north, mut south, mut east) = three();
    ask(&mut north, CANARY);
    for id in [south.id(), east.id()] {
        trust(&mut north, id);
    }
    sync_all(&hub, &mut [&mut north, &mut south, &mut east]);
    sync_all(&hub, &mut [&mut north]);
    assert_eq!(
        (titles(&south), titles(&east)),
        (vec![CANARY.to_owned()], vec![CANARY.to_owned()])
    );
    let before = south.copy();

    untrust(&mut north, south.id());
    ask(&mut north, "Said when South was gone");
    sync_all(&hub, &mut [&mut north, &mut south, &mut east]);
    assert_eq!(titles(&south), Vec::<String>::new());
    for words in [CANARY, "Said when South was gone"] {
        assert!(!home_holds(&south, words), "{words}");
    }
    let mut of_east = titles(&east);
    of_east.sort();
    assert_eq!(of_east, [CANARY, "Said when South was gone"]);
    sync_all(&hub, &mut [&mut north]);
    assert_eq!(states(&north), ["has_all"]);

    // A copy from before, with the key it had then, gets none of it either.
    south.become_copy(&before);
    let synced = south.sync(&hub);
    assert_eq!(synced.envelopes.taken, 0);
    assert!(!home_holds(&south, "Said when South was gone"));
    for member in [&mut north, &mut east] {
        member.assert_sound();
    }
}

#[test]
fn what_somebody_else_seals_or_hands_on_is_refused() {
    let (hub, mut north, mut south, mut east) = three();
    ask(&mut north, CANARY);
    trust(&mut north, east.id());
    north.sync(&hub);
    // East, who may read it, takes the envelope from the hub as it is.
    let page = east.with_client(&hub, async |client, _| client.envelopes(None).await);
    let waiting = page.expect("it waits").envelopes.remove(0);
    let (_, signer) = key(&east.node);
    let own = Envelope::read(waiting.envelope.as_bytes())
        .expect("an envelope")
        .0;

    // In the name of North: the hub does not carry it.
    let forged = GivenEnvelope {
        schema_version: 1,
        envelope: waiting.envelope.clone(),
        body: waiting.body.clone(),
    };
    let refused = east.with_client(&hub, async |client, _| client.give_envelope(&forged).await);
    assert_eq!(
        refused.err().and_then(|error| error.refusal()),
        Some(Cause::NotYours)
    );

    // In its own name, to South: South cannot even open it.
    let to_south = Envelope::new(
        east.node.identity(),
        vec![south.id()],
        own.expires,
        &waiting.body.0,
    );
    let handed_on = GivenEnvelope {
        schema_version: 1,
        envelope: String::from_utf8(to_south.sign(&signer)).expect("text"),
        body: EnvelopeBody(waiting.body.0.clone()),
    };
    let kept = east.with_client(&hub, async |client, _| {
        client.give_envelope(&handed_on).await
    });
    assert_eq!(
        kept.expect("it is signed by its sender").kept_for,
        [south.id()]
    );
    let synced = south.sync(&hub);
    assert_eq!(synced.envelopes.refused, ["not_for_us"]);
    assert_eq!(titles(&south), Vec::<String>::new());
    assert!(!home_holds(&south, CANARY));

    // A body that was changed on the way costs its envelope.
    let mut changed = waiting.body.0.clone();
    *changed.last_mut().expect("bytes") ^= 1;
    let mangled = GivenEnvelope {
        schema_version: 1,
        envelope: waiting.envelope,
        body: EnvelopeBody(changed),
    };
    let refused = north.with_client(&hub, async |client, _| client.give_envelope(&mangled).await);
    assert_eq!(
        refused.err().and_then(|error| error.refusal()),
        Some(Cause::BadRequest)
    );
    sync_all(&hub, &mut [&mut east]);
    assert_eq!(titles(&east), [CANARY]);
}

#[test]
fn records_from_before_a_from_date_bring_no_words() {
    let (hub, mut north, mut south, _east) = three();
    ask(&mut north, CANARY);
    std::thread::sleep(std::time::Duration::from_millis(20));
    let (actor, since) = (north.actor(), north.node.now());
    let key = would_show(&north.node, south.id(), None)
        .expect("its card")
        .key;
    let shows = peer_trust(&mut north.node, &actor, south.id(), Some(since), &key);
    let shows = shows.expect("its card");
    assert_eq!((shows.records, shows.before), (0, 1));
    std::thread::sleep(std::time::Duration::from_millis(20));
    ask(&mut north, "Said after the date");
    sync_all(&hub, &mut [&mut north, &mut south]);
    assert_eq!(titles(&south), ["Said after the date"]);
    assert!(!home_holds(&south, CANARY));

    // Without the date it is given what it lacks.
    let shows = peer_trust(&mut north.node, &actor, south.id(), None, &key).expect("its card");
    assert_eq!((shows.records, shows.is_in), (2, true));
    sync_all(&hub, &mut [&mut north, &mut south]);
    assert_eq!(titles(&south).len(), 2);
}

#[test]
fn a_sealing_key_that_changed_gets_earlier_records_only_after_somebody_said_so() {
    let (hub, mut north, mut south, _east) = three();
    ask(&mut north, CANARY);
    trust(&mut north, south.id());
    // South loses everything but its key, and another copy of it makes another sealing key.
    south.reopen_with(|dir| {
        let private = rusqlite::Connection::open(dir.join("private.db")).expect("a file");
        private
            .execute("DELETE FROM sealing_keys", [])
            .expect("a table");
    });
    sync_all(&hub, &mut [&mut south, &mut north]);
    assert_eq!(states(&north), ["new_key"]);
    std::thread::sleep(std::time::Duration::from_millis(20));
    ask(&mut north, "Said to the new key");
    sync_all(&hub, &mut [&mut north, &mut south]);
    assert_eq!(titles(&south), ["Said to the new key"]);
    assert!(!home_holds(&south, CANARY));

    trust(&mut north, south.id());
    sync_all(&hub, &mut [&mut north, &mut south]);
    assert_eq!(titles(&south).len(), 2);
    assert_eq!(north.node.store().guard(), GuardStanding::Sound);
}

#[test]
fn an_answer_to_a_foreign_trusted_record_stays_home() {
    let (hub, mut north, mut south, mut east) = three();
    let asked = ask(&mut north, CANARY);
    trust(&mut north, south.id());
    trust(&mut south, east.id());
    sync_all(&hub, &mut [&mut north, &mut south]);
    let actor = south.actor();
    let words = "An answer that East must not see";
    comment_add(&mut south.node, &actor, &asked, words, Scope::Public).expect("an answer");
    sync_all(&hub, &mut [&mut south, &mut east, &mut north]);
    for member in [&east, &north] {
        assert!(!home_holds(member, words));
    }
}

#[test]
fn a_trusted_feed_that_does_not_come_sealed_is_refused() {
    let (hub, mut north, mut south, _east) = three();
    ask(&mut north, CANARY);
    trust(&mut north, south.id());
    north.seal();
    // The hub got hold of the plain feed, and hands it on as a part of what arrived.
    let (origin, served) = (north.id(), north.node.store().served());
    let headers = served.all_headers(&origin, FeedScope::TrustedPeers);
    let headers = headers.expect("a store").expect("it was sealed here");
    let mut section = Vec::new();
    let items = headers.iter().map(|header| header.entries).sum();
    let count = headers.len() as u64;
    let first = Writer::deltas(origin, FeedScope::TrustedPeers, count, items);
    put_line(&mut section, &first);
    for header in &headers {
        put_line(&mut section, &header.line);
        for item in served.items(header).expect("a store") {
            put_line(&mut section, &item);
        }
    }
    hub.seam().lie_in_changes(move |mut page| {
        page.body.extend_from_slice(&section);
        page.has_news = true;
        page
    });
    south.sync(&hub);
    assert_eq!(titles(&south), Vec::<String>::new());
    assert!(!home_holds(&south, CANARY));
    hub.seam().be_honest();
    sync_all(&hub, &mut [&mut north, &mut south]);
    assert_eq!(titles(&south), [CANARY]);
}

#[test]
fn more_than_one_page_of_envelopes_is_taken() {
    let (hub, mut north, mut south, _east) = three();
    trust(&mut north, south.id());
    let long = "Long ".repeat(3_900);
    for part in 0..3 {
        for n in 0..130 {
            let actor = north.actor();
            let input = RequestAdd {
                title: &format!("Part {part}, {n}"),
                description: &long,
                scope: Scope::TrustedPeers,
            };
            request_add(&mut north.node, &actor, &input).expect("a request");
        }
        sync_all(&hub, &mut [&mut north]);
    }
    let page = south.with_client(&hub, async |client, _| client.envelopes(None).await);
    assert!(
        page.expect("an answer").next.is_some(),
        "it is more than a page"
    );
    let synced = south.sync(&hub);
    assert_eq!((synced.end, synced.envelopes.taken), (None, 3));
    assert_eq!(titles(&south).len(), 390);
    assert_eq!(hub_waits(&hub), 1, "its want alone waits");
}

/// Hubs and those who follow in public were told to have what is sealed for the trusted alone, and waiting until it was
/// gone never ended.
#[test]
fn who_has_what_is_for_trusted_peers_is_told_of_them_alone_and_becomes_complete() {
    let (hub, mut north, mut south, mut east) = three();
    trust(&mut north, south.id());
    let record = ask(&mut north, CANARY);
    let told = |north: &Member| {
        let moves = who(&north.node, &record).expect("an own record").moves;
        assert_eq!(moves.len(), 1);
        assert_eq!(moves[0].nameless, []);
        let holders = moves[0].holders.iter();
        let holders: Vec<String> = holders
            .map(|holder| format!("{}: {}", holder.name, holder.state.as_str()))
            .collect();
        (holders.join(", "), moves[0].is_complete())
    };
    sync_all(&hub, &mut [&mut north]);
    assert_eq!(told(&north), ("South: pending".to_owned(), false));
    sync_all(&hub, &mut [&mut east, &mut south, &mut north]);
    assert_eq!(told(&north), ("South: holds".to_owned(), true));

    let actor = north.actor();
    record_retract(&north.node, &actor, &record, Reason::Erase).expect("its own");
    publish_retracts(&mut north.node, &actor).expect("it seals");
    assert_eq!(told(&north), ("South: pending".to_owned(), false));
    sync_all(&hub, &mut [&mut north, &mut south]);
    sync_all(&hub, &mut [&mut north]);
    assert_eq!(told(&north), ("South: erased".to_owned(), true));
    assert!(!home_holds(&south, CANARY));
}
