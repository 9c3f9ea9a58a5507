//! How commands for hubs end, by exit code and in JSON as docs/json.md says, with a real hub that does not
//! want them, is another, speaks another version, or whose answers were changed on the way.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use data_encoding::{BASE64, HEXLOWER_PERMISSIVE};
use ed25519_dalek::{Signer as _, SigningKey};
use rusqlite::Connection;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

use crate::support::database::dump_home;
use crate::support::hub::{Hub, ask};
use crate::support::instance::{Instance, text};

/// A hub, and North.
pub struct Two {
    folder: TempDir,
    pub hub: Hub,
    pub north: Instance,
}

impl Two {
    pub fn new(policy: &'static str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let hub = Hub::start(folder.path(), "Harbour", policy);
        let north = Instance::found(folder.path(), "North", "keeper");
        Self { folder, hub, north }
    }

    /// Runs a command with `--json`; gives its lines, or else the error.
    #[track_caller]
    fn json(&self, arguments: &[&str], code: i32) -> Vec<Value> {
        let run = self
            .north
            .run(&[&["--json"], arguments].concat())
            .ends(code);
        let lines = run.json();
        if lines.is_empty() {
            return vec![serde_json::from_str(&run.stderr).expect("one line of JSON")];
        }
        lines
    }

    /// Makes North look for the hub elsewhere.
    pub fn moves_to(&self, port: u16) {
        let database = Connection::open(self.north.file("wb.db")).expect("a database");
        let address = format!("http://127.0.0.1:{port}");
        let changed = database.execute("UPDATE peers SET address = ?1", [address]);
        assert_eq!(changed, Ok(1));
    }
}

/// The members of an object.
fn members(value: &Value) -> Vec<&str> {
    let object = value.as_object().expect("an object");
    object.keys().map(String::as_str).collect()
}

/// Members of what `hub register` prints, as docs/json.md lists them.
const REGISTERED: [&str; 13] = [
    "action",
    "address",
    "hub",
    "listed",
    "name",
    "policy",
    "reason",
    "registered",
    "schema_version",
    "sentence",
    "shown",
    "standing",
    "visibility",
];

#[test]
fn who_waits_for_approval_is_told_so() {
    let two = Two::new("approval");
    let link = two.hub.link();
    for command in ["join", "hub register"] {
        let words: Vec<&str> = command.split(' ').collect();
        let said = two.json(&[&words[..], &[&link]].concat(), 3).remove(0);
        let mut named = members(&said);
        named.sort_unstable();
        assert_eq!(named, REGISTERED);
        assert_eq!(
            (&said["registered"], text(&said, "standing")),
            (&json!(true), "waiting")
        );
    }
    let said = two.json(&["sync"], 3).remove(0);
    assert_eq!(
        (text(&said, "phase"), text(&said, "cause")),
        ("waiting", "approval")
    );
    let list = two.hub.instance.json(&["hub", "list"]).remove(0);
    assert_eq!(text(&list, "standing"), "waiting");
    let approved = two
        .hub
        .instance
        .json(&["hub", "approve", "North"])
        .remove(0);
    assert_eq!(text(&approved, "standing"), "member");
    let said = two.json(&["sync"], 0).remove(0);
    assert_eq!(
        (text(&said, "cause"), &said["detail"]),
        ("synced", &Value::Null)
    );
}

#[test]
fn who_is_suspended_is_told_why_and_is_not_served() {
    let two = Two::new("open");
    two.north.ok(&["join", &two.hub.link(), "--yes"]);
    let reason = "It looks taken over.";
    let suspend = ["hub", "suspend", "North", "--reason", reason];
    let said = two.hub.instance.json(&suspend).remove(0);
    assert_eq!(
        (text(&said, "standing"), text(&said, "reason")),
        ("suspended", reason)
    );
    ask(&two.north, "Soup");
    for arguments in [
        &["sync"][..],
        &["sync", "--push"],
        &["sync", "--pull"],
        &["sync", "--dry-run"],
    ] {
        let said = two.json(arguments, 5);
        let said = said.last().expect("an object");
        assert_eq!(
            (text(said, "phase"), text(said, "cause")),
            ("blocked", "suspended"),
            "{arguments:?}"
        );
        assert!(text(said, "detail").contains(reason), "{said}");
    }
    let said = two.json(&["hub", "register", &two.hub.link()], 5).remove(0);
    assert_eq!(
        (text(&said, "standing"), text(&said, "reason")),
        ("suspended", reason)
    );
    let shown = two.hub.instance.json(&["hub", "show", "North"]).remove(0);
    assert_eq!(shown["records"], 0);
    two.hub.instance.ok(&["hub", "reinstate", "North"]);
    let said = two.json(&["sync"], 0).remove(0);
    assert_eq!(said["pushed"]["records"], 2);
}

#[test]
fn a_hub_that_is_away_is_told_by_every_command_that_needs_it() {
    let mut two = Two::new("open");
    two.north.ok(&["join", &two.hub.link(), "--yes"]);
    let link = two.hub.link();
    two.hub.kill();
    let said = two.json(&["sync"], 6).remove(0);
    assert_eq!(
        (
            text(&said, "phase"),
            text(&said, "cause"),
            &said["run"].is_null()
        ),
        ("failing", "unreachable", &false)
    );
    for arguments in [["join", &link].as_slice(), &["hub", "register", &link]] {
        let said = two.json(arguments, 6).remove(0);
        assert_eq!(text(&said["error"], "code"), "peer_unreachable");
    }
}

#[test]
fn another_hub_than_expected_is_not_talked_to() {
    let two = Two::new("open");
    let other = Hub::start(two.folder.path(), "Lighthouse", "open");
    let before = dump_home(&two.north.home);
    let wrong = format!("{}#{}", two.hub.address(), other.id());
    for arguments in [
        ["join", &wrong].as_slice(),
        &["hub", "register", &wrong, "--yes"],
    ] {
        let said = two.json(arguments, 5).remove(0);
        assert_eq!(text(&said["error"], "code"), "conflict");
    }
    assert!(dump_home(&two.north.home) == before);
    assert!(two.hub.instance.json(&["hub", "list"]).is_empty());

    // One that was registered at, and another answers under its address: not with its key.
    two.north.ok(&["join", &two.hub.link(), "--yes"]);
    ask(&two.north, "Soup");
    two.moves_to(other.port());
    let said = two.json(&["sync"], 5).remove(0);
    assert_eq!(
        (text(&said, "phase"), text(&said, "cause")),
        ("held", "wrong_identity")
    );
    assert!(other.instance.json(&["hub", "list"]).is_empty());
}

#[test]
fn a_hub_of_another_protocol_is_told_as_such() {
    let mut two = Two::new("open");
    two.north.ok(&["join", &two.hub.link(), "--yes"]);
    let later = Later::of(&mut two.hub);
    let port = later.serve();
    let link = format!("http://127.0.0.1:{port}#{}", later.id);
    for arguments in [["join", &link].as_slice(), &["hub", "register", &link]] {
        let said = two.json(arguments, 7).remove(0);
        assert_eq!(text(&said["error"], "code"), "version_skew");
        assert!(text(&said["error"], "message").contains("2 to 3"), "{said}");
    }
    two.moves_to(port);
    let said = two.json(&["sync"], 7).remove(0);
    assert_eq!(
        (text(&said, "phase"), text(&said, "cause")),
        ("blocked", "version_skew")
    );
    let upgrade = "upgrade this program to one that speaks protocol 2";
    assert!(text(&said, "detail").starts_with(upgrade), "{said}");
    let listed = two.json(&["peer", "list"], 0).remove(0);
    assert!(text(&listed, "sentence").starts_with(upgrade), "{listed}");
}

#[test]
fn an_answer_that_was_changed_on_the_way_does_not_count() {
    let two = Two::new("open");
    two.north.ok(&["join", &two.hub.link(), "--yes"]);
    ask(&two.north, "Soup");
    two.north.ok(&["sync"]);
    // Whoever stands between changes one digit of a short answer, which is not packed.
    let forger = Forger::before(two.hub.port(), b"\"items\":0", b"\"items\":7");
    two.moves_to(forger.port);
    let said = two.json(&["sync"], 4).remove(0);
    assert!(forger.has_changed.load(Ordering::SeqCst), "{said}");
    assert_eq!(
        (text(&said, "phase"), text(&said, "cause")),
        ("failing", "answer_not_proved")
    );
    two.moves_to(two.hub.port());
    two.json(&["sync"], 0);
}

/// What a hub says of itself, said again with its own key and another protocol.
pub struct Later {
    id: String,
    answer: Vec<u8>,
}

impl Later {
    /// Ends a hub and takes its place.
    pub fn of(hub: &mut Hub) -> Self {
        let (port, id) = (hub.port(), hub.id().to_owned());
        let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("it listens");
        let request = "GET /.well-known/wb/node HTTP/1.1\r\nhost: hub\r\nconnection: close\r\n\r\n";
        stream.write_all(request.as_bytes()).expect("it reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("it answers");
        hub.kill();
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
        let field = |name: &str| {
            let found = head.lines().find_map(|line| line.strip_prefix(name));
            found.expect("a field").trim().to_owned()
        };
        let mut says: Value = serde_json::from_str(body).expect("JSON");
        says["protocol"] = json!({"min": 2, "max": 3});
        let body = says.to_string();
        let digest = format!("sha-256=:{}:", BASE64.encode(&Sha256::digest(&body)));
        let input = field("signature-input:");
        let parameters = input
            .strip_prefix("wb=")
            .expect("the name of the signature");
        let base = format!(
            "\"@status\": 200\n\"content-digest\": {digest}\n\"@signature-params\": {parameters}"
        );
        let key = std::fs::read(hub.instance.file("signing.key")).expect("a key");
        let seed = HEXLOWER_PERMISSIVE
            .decode(key.trim_ascii_end())
            .expect("hex");
        let key = SigningKey::from_bytes(&seed.try_into().expect("32 bytes"));
        let signature = BASE64.encode(&key.sign(base.as_bytes()).to_bytes());
        let answer = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\
             content-digest: {digest}\r\nsignature-input: {input}\r\nsignature: wb=:{signature}:\r\n\
             connection: close\r\n\r\n{body}",
            body.len()
        );
        Self {
            id,
            answer: answer.into_bytes(),
        }
    }

    /// Answers that to whoever asks who this is, and refuses everything else in words of its own. Ends
    /// with the test's process, as nobody waits for it.
    pub fn serve(&self) -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("it is bound").port();
        let answer = self.answer.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.expect("it comes");
                let asked = head_of(&mut stream);
                let is_who = asked.starts_with(b"GET /.well-known/wb/node ");
                let other =
                    b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
                // Whoever asked may be gone once it has seen enough.
                drop(stream.write_all(if is_who { &answer } else { other }));
            }
        });
        port
    }
}

fn head_of(stream: &mut TcpStream) -> Vec<u8> {
    let (mut asked, mut piece) = (Vec::new(), [0; 1_024]);
    while !asked.windows(4).any(|bytes| bytes == b"\r\n\r\n") {
        match stream.read(&mut piece) {
            Ok(read) if read > 0 => asked.extend_from_slice(&piece[..read]),
            _ => break,
        }
    }
    asked
}

/// Passes everything on, and changes some bytes of what is answered.
struct Forger {
    port: u16,
    has_changed: Arc<AtomicBool>,
}

impl Forger {
    fn before(hub: u16, from: &'static [u8], to: &'static [u8]) -> Self {
        assert_eq!(from.len(), to.len());
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("it is bound").port();
        let has_changed = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&has_changed);
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let client = client.expect("it comes");
                let server = TcpStream::connect(("127.0.0.1", hub)).expect("the hub listens");
                let (asked, asking) = (client.try_clone(), server.try_clone());
                let (asked, asking) = (asked.expect("a socket"), asking.expect("a socket"));
                std::thread::spawn(move || pass(asked, asking, |_| ()));
                let told = Arc::clone(&told);
                std::thread::spawn(move || {
                    pass(server, client, |bytes| {
                        let place = bytes.windows(from.len()).position(|part| part == from);
                        if let Some(place) = place {
                            bytes[place..place + to.len()].copy_from_slice(to);
                            told.store(true, Ordering::SeqCst);
                        }
                    });
                });
            }
        });
        Self { port, has_changed }
    }
}

/// Passes bytes one way until it ends.
fn pass(mut from: TcpStream, mut to: TcpStream, change: impl Fn(&mut [u8])) {
    let mut piece = vec![0; 1 << 16];
    while let Ok(read) = from.read(&mut piece) {
        change(&mut piece[..read]);
        if read == 0 || to.write_all(&piece[..read]).is_err() {
            break;
        }
    }
    // One that is gone already needs no end.
    drop(to.shutdown(std::net::Shutdown::Both));
}
