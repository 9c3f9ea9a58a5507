//! Who may open what is sealed: the hub's operator never, a member until it is removed, nobody by what they forge.
//!
//! Envelopes are taken from the hub's own file and tried with the `age` program and the keys that people have.

use data_encoding::{BASE64, HEXLOWER, HEXUPPER};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::caller::{Caller, open, seal};
use super::canaries::Zone;
use super::cast::World;
use super::judge::nowhere;
use crate::canary::needles::{Needle, Searcher};
use crate::support::database;
use crate::support::instance::{Instance, text};

const FIRST: &str = "Heron lanterns over the quiet boathouse";
const LATER: &str = "Kingfisher drums behind the old mill";

/// An envelope as the hub keeps it.
struct Envelope {
    line: String,
    body: Vec<u8>,
}

impl World {
    fn envelopes_at_the_hub(&self) -> Vec<Envelope> {
        let file = self.hub.file("hub.db");
        let lines = database::texts(
            &file,
            "SELECT CAST(line AS TEXT) FROM envelopes ORDER BY envelope_no",
        );
        let bodies = database::texts(
            &file,
            "SELECT hex(body) FROM envelopes ORDER BY envelope_no",
        );
        let body = |hex: &String| HEXUPPER.decode(hex.as_bytes()).expect("hex digits");
        lines
            .into_iter()
            .zip(bodies.iter().map(body))
            .map(|(line, body)| Envelope { line, body })
            .collect()
    }

    fn open(&self, secret: &str, envelope: &Envelope) -> Option<Vec<u8>> {
        open(&self.path("scratch"), secret, &envelope.body)
    }
}

/// The newest secret key that others seal to.
fn sealing_key(instance: &Instance, column: &str) -> String {
    let sql = format!("SELECT {column} FROM sealing_keys ORDER BY key_no DESC LIMIT 1");
    database::texts(&instance.file("private.db"), &sql).remove(0)
}

fn ask_trusted(instance: &Instance, title: &str) {
    let words = [
        "--title",
        title,
        "--description",
        "For Saturday.",
        "--scope",
        "trusted_peers",
    ];
    instance.ok(&[&["request", "add"], &words[..]].concat());
}

fn holds(bytes: &[u8], words: &str) -> bool {
    !Searcher::new([&Needle::text("words", words)])
        .find(bytes)
        .is_empty()
}

/// An envelope of somebody's own around a body.
fn envelope(of: &Caller, recipient: &str, expires: &str, body: &[u8]) -> String {
    let payload = json!({
        "type": "wb.envelope.v1", "schema_version": 1, "origin": of.id, "era": 0, "key": 0, "identity": of.entry,
        "recipients": [recipient], "expires": expires, "size": body.len(),
        "hash": HEXLOWER.encode(&Sha256::digest(body)),
    });
    of.line("wb.envelope.v1", &payload.to_string())
}

fn given(line: &str, body: &[u8]) -> Vec<u8> {
    json!({"schema_version": 1, "envelope": line, "body": BASE64.encode(body)})
        .to_string()
        .into_bytes()
}

#[test]
fn who_is_removed_reads_nothing_later_and_what_is_forged_is_refused() {
    let world = World::new();
    let (north, east, south, crow) = (&world.north, &world.east, &world.south, &world.crow);
    north.ok(&["peer", "trust", "East", "--yes"]);
    ask_trusted(north, FIRST);
    north.ok(&["sync"]);
    let [east_key, south_key] = [east, south].map(|one| sealing_key(one, "secret"));
    let opened = |key: &str, words: &str| -> Vec<bool> {
        let all = world.envelopes_at_the_hub();
        let says = |envelope| world.open(key, envelope).map(|plain| holds(&plain, words));
        all.iter().filter_map(says).collect()
    };
    assert_eq!(
        opened(&east_key, FIRST),
        [true],
        "whoever is in the audience reads it"
    );
    assert_eq!(opened(&south_key, FIRST), Vec::<bool>::new());
    world.sync_all();
    assert!(
        world.envelopes_at_the_hub().is_empty(),
        "everything was taken"
    );

    // East goes, South comes; East's key is the one that it always had.
    north.ok(&["peer", "untrust", "East", "--yes"]);
    north.ok(&["peer", "trust", "South", "--yes"]);
    ask_trusted(north, LATER);
    north.ok(&["sync"]);
    assert!(
        !opened(&east_key, LATER).contains(&true),
        "a former member reads on"
    );
    assert!(opened(&south_key, LATER).contains(&true));
    let all = world.envelopes_at_the_hub();
    let for_south = all
        .iter()
        .find(|envelope| world.open(&south_key, envelope).is_some());
    let for_south = for_south.expect("it was opened");
    let inner = world.open(&south_key, for_south).expect("it was opened");
    forged_and_refused(&world, for_south, &inner);
    world.sync_all();

    assert!(titles(south).contains(&LATER.to_owned()));
    let rules = database::texts(
        &crow.file("wb.db"),
        "SELECT rule FROM envelopes_in WHERE rule IS NOT NULL",
    );
    // What is signed inside the seal is North's, and the envelope is not.
    assert_eq!(
        rules,
        ["wrong_key"],
        "what a member sealed on came, and was refused"
    );
    let words = [FIRST, LATER].map(|words| Needle::text(words, words));
    let mut places = world.files();
    places.extend(world.wire(None));
    let elsewhere = [
        Zone::East,
        Zone::Crow,
        Zone::Hub,
        Zone::Proxy,
        Zone::Wire,
        Zone::Stranger,
    ];
    nowhere("outside the audience", &words, &places, &elsewhere);
    nowhere(
        "in memory",
        &words,
        &world.memory(),
        &[Zone::HubMemory, Zone::Proxy],
    );
    for one in world.members() {
        one.ok(&["doctor"]);
    }
}

/// What a member, a former one and a stranger can send: the hub refuses it, or whoever it is for.
fn forged_and_refused(world: &World, real: &Envelope, inner: &[u8]) {
    let [south, east, fox] = [&world.south, &world.east, &world.fox].map(Caller::of);
    let (port, hub, crow) = (world.front.port(), world.hub_id.as_str(), world.crow.id());
    let post = |by: &Caller, body: &[u8]| by.call(port, hub, "POST", "/sync/v1/envelopes", body);
    let line: Value = serde_json::from_str(&real.line).expect("JSON");
    let expires = text(&line["signed"], "expires");
    let to_crow = seal(
        &world.path("scratch"),
        &sealing_key(&world.crow, "recipient"),
        inner,
    );

    // Somebody else's envelope, as it is; in a name that is not the sender's; with another body; by a stranger.
    let mut broken = real.body.clone();
    *broken.last_mut().expect("bytes") ^= 1;
    let own = envelope(&south, &crow, expires, &to_crow);
    let in_norths_name = own.replace(&south.id, &world.north.id());
    for (what, answer) in [
        ("handed on", post(&east, &given(&real.line, &real.body))),
        (
            "in another's name",
            post(&south, &given(&in_norths_name, &to_crow)),
        ),
        ("broken", post(&south, &given(&own, &broken))),
        (
            "by a stranger",
            post(
                &fox,
                &given(&envelope(&fox, &crow, expires, &to_crow), &to_crow),
            ),
        ),
    ] {
        assert!(
            (400..500).contains(&answer.status),
            "{what}: {} {}",
            answer.status,
            answer.text()
        );
    }
    // A member may send in its own name what it likes. Whoever it is for finds whose it is and whom it was for.
    let taken = post(&south, &given(&own, &to_crow));
    assert_eq!(taken.status, 200, "{}", taken.text());
}

fn titles(instance: &Instance) -> Vec<String> {
    let requests = instance.json(&["request", "list"]);
    requests
        .iter()
        .map(|request| text(request, "title").to_owned())
        .collect()
}
