//! What operators do with peers, by the real program: pausing, an interval of its own, refusing, forgetting;
//! what a program that watches reads; and the proof of a hub that is behind, checked by other code than ours.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use data_encoding::{BASE64, HEXLOWER};
use ed25519_dalek::{Signature, VerifyingKey};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::support::hub::{Hub, ask, titles};
use crate::support::instance::{Instance, text};
use crate::support::process::{Up, wait_until};

/// North and South, members of each hub; South shows what North shares.
struct World {
    folder: tempfile::TempDir,
    north: Instance,
    south: Instance,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let north = Instance::found(folder.path(), "North", "keeper");
        let south = Instance::found(folder.path(), "South", "ash");
        Self {
            folder,
            north,
            south,
        }
    }

    fn hub(&self, name: &str) -> Hub {
        let hub = Hub::start(self.folder.path(), name, "open");
        self.north.ok(&["hub", "register", &hub.link()]);
        self.north.ok(&["sync", name]);
        self.south.ok(&["join", &hub.link(), "--yes"]);
        hub
    }

    fn follow(&self) {
        self.south.ok(&["follow", &self.north.id()]);
    }

    fn peer(&self, name: &str) -> Value {
        self.south.json(&["peer", "show", name]).remove(0)
    }
}

fn up(instance: &Instance) -> (Up, String) {
    let up = Up::start(&mut instance.command(&["--json", "up", "--listen", "127.0.0.1:0"]));
    let started: Value = serde_json::from_str(&up.line("{")).expect("a line of JSON");
    let address = text(&started, "address");
    let address = address.strip_prefix("http://").expect("HTTP").to_owned();
    (up, address)
}

pub fn get(address: &str, host: &str, more: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).expect("it listens");
    let request =
        format!("GET /metrics HTTP/1.1\r\nhost: {host}\r\n{more}connection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("UTF-8");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    let status = head.split(' ').nth(1).expect("a status");
    (status.parse().expect("a number"), body.to_owned())
}

#[test]
fn a_peer_has_an_interval_of_its_own_that_outlives_restarts_and_a_pause_stops_it() {
    let world = World::new();
    let hub = world.hub("Harbour");
    world.follow();
    world.south.ok(&["sync"]);
    assert_eq!(text(&world.peer("Harbour")["auto"], "sentence"), "by hand");
    let resumed = world
        .south
        .ok(&["peer", "resume", "Harbour", "--every", "1"]);
    assert!(resumed.contains("which it does not now"), "{resumed}");
    ask(&world.north, "A ladder");
    world.north.ok(&["sync"]);

    // Started without any interval: this peer goes by its own.
    let (running, address) = up(&world.south);
    wait_until("South has it", || titles(&world.south) == ["A ladder"]);
    let auto = world.peer("Harbour")["auto"].clone();
    assert!(
        text(&auto, "sentence").starts_with("every minute, next at 20"),
        "{auto}"
    );
    // Without a token it is not there, from this computer neither.
    assert_eq!(get(&address, &address, "").0, 404);
    let token = world.south.file("metrics.token");
    std::fs::write(token, "a-token-that-is-long-enough\n").expect("a file");
    assert_eq!(get(&address, &address, "").0, 403);
    let wrong = "authorization: Bearer another-token-of-that-length\r\n";
    assert_eq!(get(&address, &address, wrong).0, 403);
    let shown = "authorization: Bearer a-token-that-is-long-enough\r\n";
    let (status, metrics) = get(&address, &address, shown);
    assert_eq!(status, 200);
    let id = hub.id();
    for line in [
        format!("wb_peer_lag_records{{peer=\"Harbour\",id=\"{id}\"}} 0"),
        format!("wb_peer_state{{peer=\"Harbour\",id=\"{id}\",state=\"idle\"}} 1"),
        format!("wb_peer_state{{peer=\"Harbour\",id=\"{id}\",state=\"failing\"}} 0"),
        "wb_outbox_records 0".to_owned(),
        "wb_verify_failures_total 0".to_owned(),
    ] {
        assert!(metrics.lines().any(|it| it == line), "{line}\n{metrics}");
    }
    assert!(metrics.contains("wb_peer_last_success_timestamp_seconds{peer=\"Harbour\""));
    running.kill();
    let after = text(&world.peer("Harbour")["auto"], "sentence").to_owned();
    assert!(after.contains("which it does not now"), "{after}");
    let (running, _) = up(&world.south);
    let auto = world.peer("Harbour")["auto"].clone();
    assert_eq!(
        (&auto["chosen_minutes"], &auto["every_minutes"]),
        (&Value::from(1), &Value::from(1))
    );
    running.kill();

    world.south.ok(&["peer", "pause", "Harbour"]);
    ask(&world.north, "A saw");
    world.north.ok(&["sync"]);
    let all = world.south.run(&["sync"]).ends(0);
    assert!(all.stderr.contains("paused or refused"), "{all:?}");
    let (running, _) = up(&world.south);
    std::thread::sleep(std::time::Duration::from_secs(2));
    assert_eq!(titles(&world.south), ["A ladder"]);
    running.kill();
    world.south.ok(&["sync", "Harbour"]);
    assert_eq!(titles(&world.south), ["A ladder", "A saw"]);
    let listed = world.south.ok(&["peer", "list"]);
    assert!(listed.contains("is paused here"), "{listed}");
    world.south.ok(&["peer", "resume", "Harbour", "--by-hand"]);
    assert_eq!(text(&world.peer("Harbour")["auto"], "sentence"), "by hand");
}

#[test]
fn a_peer_is_tried_again_refused_and_forgotten_by_name_and_only_when_somebody_says_yes() {
    let world = World::new();
    let mut hub = world.hub("Harbour");
    world.follow();
    ask(&world.north, "A ladder");
    world.north.ok(&["sync"]);
    world.south.ok(&["sync"]);
    hub.kill();
    world.south.run(&["peer", "retry", "Harbour"]).ends(6);
    assert_eq!(world.peer("Harbour")["failures"], 1);
    hub.back();
    let retried = world.south.ok(&["peer", "retry", "Harbour"]);
    assert!(retried.contains("synced with Harbour"), "{retried}");

    let north = world.north.id();
    world.south.run(&["peer", "block", "North"]).ends(3);
    assert_eq!(titles(&world.south), ["A ladder"], "nobody said yes");
    world.south.ok(&["peer", "block", "North", "--yes"]);
    assert!(titles(&world.south).is_empty());
    let blocked = world.south.json(&["peer", "list", "--blocked"]);
    assert_eq!(text(&blocked[0], "id"), north);
    assert_eq!(
        text(&blocked[0], "name"),
        "North",
        "the name is kept, its card is gone"
    );
    let by_name = world.south.run(&["follow", &north]).ends(1);
    assert!(by_name.stderr.contains("forget --refusal"), "{by_name:?}");
    world.south.ok(&["sync"]);
    assert!(titles(&world.south).is_empty());
    world.south.ok(&["peer", "forget", "--refusal", "North"]);
    world.south.ok(&["follow", &north]);
    world.south.ok(&["sync"]);
    assert_eq!(titles(&world.south), ["A ladder"]);

    let asked = world.south.run(&["peer", "forget", "Harbour"]).ends(3);
    assert!(
        asked.stderr.contains("The registration at Harbour stays"),
        "{asked:?}"
    );
    assert!(
        asked
            .stderr
            .contains("Only Harbour tells what these take back"),
        "{asked:?}"
    );
    let forgotten = world.south.json(&["peer", "forget", "Harbour", "--yes"]);
    assert_eq!(forgotten[0]["registered"], true);
    assert!(world.south.json(&["peer", "list"]).is_empty());
    assert_eq!(titles(&world.south), ["A ladder"]);
    world.south.run(&["peer", "forget", "North"]).ends(2);
}

#[test]
fn what_is_carried_by_a_hub_and_not_decided_about_is_suggested_with_who_suggests_it() {
    let world = World::new();
    let _hub = world.hub("Harbour");
    let east = Instance::found(world.folder.path(), "East", "fern");
    ask(&east, "A kettle");
    east.ok(&["join", &_hub.link(), "--yes"]);
    east.ok(&["sync"]);
    world.south.ok(&["sync"]);
    let suggested = world.south.json(&["peer", "list", "--suggested"]);
    let names: Vec<&str> = suggested.iter().map(|row| text(row, "name")).collect();
    assert!(names.contains(&"East"), "{suggested:?}");
    let row = suggested
        .iter()
        .find(|row| row["name"] == "East")
        .expect("East");
    assert_eq!(text(&row["by"][0], "name"), "Harbour");
    let peers = world.south.json(&["peer", "list"]);
    assert_eq!(peers.len(), 1, "nobody is added: {peers:?}");
    world.south.ok(&["peer", "block", &east.id(), "--yes"]);
    let suggested = world.south.json(&["peer", "list", "--suggested"]);
    assert!(
        suggested.iter().all(|row| text(row, "id") != east.id()),
        "{suggested:?}"
    );
}

/// The signing key in the last entry of an identity log.
fn key_of(log: &Value) -> VerifyingKey {
    let last = log.as_array().expect("lines").last().expect("an entry");
    let entry: Value = serde_json::from_str(last.as_str().expect("a line")).expect("JSON");
    let key = HEXLOWER.decode(text(&entry["signed"], "signing_key").as_bytes());
    VerifyingKey::from_bytes(&key.expect("hex").try_into().expect("32 bytes")).expect("a key")
}

/// What stands between two texts.
fn between<'t>(text: &'t str, start: &str, end: &str) -> &'t str {
    let (_, rest) = text.split_once(start).expect("it begins");
    rest.split_once(end).expect("it ends").0
}

fn verifies(key: &VerifyingKey, message: &str, base64: &str) {
    let bytes = BASE64.decode(base64.as_bytes()).expect("base64");
    let signature = Signature::from_slice(&bytes).expect("64 bytes");
    key.verify_strict(message.as_bytes(), &signature)
        .expect("it is signed so");
}

/// The proof is checked as RFC 9421 and the specification say, with nothing of this program: signature
/// bases are put together by hand.
#[test]
fn the_proof_of_a_hub_that_is_behind_holds_for_whoever_has_nothing_else() {
    let world = World::new();
    let _one = world.hub("One");
    let two = world.hub("Two");
    world.follow();
    ask(&world.north, "A ladder");
    world.north.ok(&["sync"]);
    world.south.ok(&["sync"]);
    ask(&world.north, "A saw");
    world.north.ok(&["sync", "One"]);
    world.south.ok(&["sync", "One"]);
    world.south.ok(&["sync", "Two"]);
    let doubts = world.south.json(&["peer", "show", "Two", "--proof"]);
    assert_eq!(doubts.len(), 1, "{doubts:?}");
    assert_eq!(
        (text(&doubts[0], "kind"), &doubts[0]["proved"]),
        ("stale", &Value::from(true))
    );
    let proof = &doubts[0]["proof"];
    let (asked, answered) = (&proof["exchange"]["asked"], &proof["exchange"]["answered"]);

    // The question: South's signature over method, path, query and recipient.
    assert_eq!(text(asked, "to"), two.id());
    let params = text(asked, "signature_input")
        .strip_prefix("wb=")
        .expect("its name");
    let query = asked["query"].as_str().unwrap_or_default();
    let base = format!(
        "\"@method\": GET\n\"@path\": /sync/v1/heads\n\"@query\": ?{query}\n\"wb-to\": {}\n\"@signature-params\": {params}",
        two.id()
    );
    let question = between(text(asked, "signature"), "wb=:", ":");
    verifies(&key_of(&proof["asker"]), &base, question);

    // The answer: Two's signature over status, digest and that very question.
    let body = BASE64
        .decode(text(answered, "body").as_bytes())
        .expect("base64");
    let digest = format!("sha-256=:{}:", BASE64.encode(&Sha256::digest(&body)));
    assert_eq!(text(answered, "content_digest"), digest);
    let params = text(answered, "signature_input")
        .strip_prefix("wb=")
        .expect("its name");
    assert!(
        params.contains(&format!("keyid=\"{}:", two.id())),
        "{params}"
    );
    let base = format!(
        "\"@status\": 200\n\"content-digest\": {digest}\n\"signature\";key=\"wb\";req: :{question}:\n\"@signature-params\": {params}"
    );
    verifies(
        &key_of(&proof["answerer"]),
        &base,
        between(text(answered, "signature"), "wb=:", ":"),
    );

    // The header: North's signature over a domain tag and the exact bytes.
    let header = text(proof, "header");
    let signed = header.split_once("\"signed\":").expect("a signed line").1;
    let signed = signed.strip_suffix('}').expect("it ends");
    let signature = HEXLOWER.decode(between(header, "{\"signature\":\"", "\"").as_bytes());
    let base = format!("wb.header.v1\n{signed}");
    verifies(
        &key_of(&proof["origin"]),
        &base,
        &BASE64.encode(&signature.expect("hex")),
    );

    // What both say contradicts: the same log, and a lower number in the later answer.
    let heads: Value = serde_json::from_slice(&body).expect("JSON");
    let head = &heads["feeds"][0]["head"];
    let header: Value = serde_json::from_str(signed).expect("JSON");
    assert_eq!(
        (&head["origin"], &head["log"]),
        (&header["origin"], &header["log"])
    );
    assert_eq!(text(&header, "origin"), world.north.id());
    let seq = |head: &Value| head["seq"].as_u64().expect("a number");
    assert_eq!(seq(head) + 1, seq(&header));
}
