//! The pages of the real program over a real socket: founding by the printed link, a browser that is let in
//! from the command line, a link for whoever is locked out, and somebody who joins.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::runtime::Runtime;
use wb_core::id::PublicKey;
use wb_core::signed::Signer;
use wb_core::sync::Policy;
use wb_hub::{HubInfo, SqliteHub};
use wb_net::ServerLimits;
use wb_net::signed::{Clock, Responder};
use wb_node::service::clock;
use wb_node::sync::key_of;
use wb_node::{Node, entropy};
use wb_store::Home;
use wb_store::relay::Relay;
use zeroize::Zeroizing;

use crate::hub_ends::{Later, Two};
use crate::support::hub::{Hub, ask};
use crate::support::instance::{Instance, WB, text, wb};
use crate::support::process::{Up, wait_until};
use crate::support::several;

/// How often somebody asks before several processes that are killed now and then, and how soon again.
const TRIES: u32 = 5;
const REST: Duration = Duration::from_millis(200);

/// A browser: the cookies it was given, and the page it shows.
pub struct Browser {
    host: String,
    cookies: Vec<(String, String)>,
    pub status: u16,
    pub page: String,
}

impl Browser {
    pub fn new(address: &str) -> Self {
        let host = address.strip_prefix("http://").expect("an address");
        Self {
            host: host.to_owned(),
            cookies: Vec::new(),
            status: 0,
            page: String::new(),
        }
    }

    /// Opens a page, and goes on where it says.
    pub fn open(&mut self, path: &str) {
        self.ask("GET", path, "");
    }

    /// Sends the form of the page that is shown.
    pub fn send(&mut self, path: &str, fields: &str) {
        let token = self.between("name=\"form_token\" value=\"", "\"");
        self.ask("POST", path, &format!("form_token={token}&{fields}"));
    }

    fn ask(&mut self, method: &str, path: &str, body: &str) {
        let cookies: Vec<String> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\ncookie: {}\r\n\
             content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{body}",
            self.host,
            cookies.join("; "),
            body.len()
        );
        let answer = self.answer(&request);
        let (head, page) = answer.split_once("\r\n\r\n").expect("a head");
        let status = head.split(' ').nth(1).expect("a status");
        self.status = status.parse().expect("a number");
        self.page = page.to_owned();
        let mut next = None;
        for line in head.lines() {
            if let Some(cookie) = line.strip_prefix("set-cookie: ") {
                let pair = cookie.split(';').next().expect("a pair");
                let (name, value) = pair.split_once('=').expect("a pair");
                self.cookies.retain(|(held, _)| held != name);
                self.cookies.push((name.to_owned(), value.to_owned()));
            }
            next = next.or(line.strip_prefix("location: ").map(str::to_owned));
        }
        if let Some(next) = next {
            self.open(&next);
        }
    }

    /// What comes back. Where a process of several ended meanwhile, whoever sits before it asks again.
    fn answer(&self, request: &str) -> String {
        let asked = || {
            let mut stream = TcpStream::connect(&self.host)?;
            stream.write_all(request.as_bytes())?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer)?;
            Ok::<_, std::io::Error>(answer)
        };
        let tries = if several::is_wanted() { TRIES } else { 1 };
        for _ in 1..tries {
            match asked() {
                Ok(answer) if answer.contains("\r\n\r\n") => return answer,
                _ => std::thread::sleep(REST),
            }
        }
        asked().expect("it answers")
    }

    pub fn between(&self, before: &str, after: &str) -> String {
        let (_, rest) = self.page.split_once(before).expect(before);
        rest.split(after).next().expect(after).to_owned()
    }
}

pub fn up(home: &Path) -> (Up, Value) {
    let mut command = wb(home.parent().expect("a folder"));
    command
        .arg("--home")
        .arg(home)
        .args(["--json", "up", "--listen", "127.0.0.1:0"]);
    let up = Up::start(&mut command);
    let started = serde_json::from_str(&up.line("{")).expect("a line of JSON");
    (up, started)
}

#[test]
fn a_community_is_founded_in_a_browser_and_grows_by_an_invitation() {
    let folder = tempfile::tempdir().expect("a folder");
    let home = folder.path().join("Elm");
    let (up, started) = up(&home);
    let address = text(&started, "address");
    let link = text(&started, "setup_link");
    let setup = link.strip_prefix(address).expect("a link of this node");
    let mut ada = Browser::new(address);
    ada.open(setup);
    ada.send(setup, "name=Elm+Street&handle=ada");
    let words: Vec<String> = ada
        .page
        .split("<li>")
        .skip(1)
        .filter_map(|rest| rest.split("</li>").next())
        .filter(|word| word.chars().all(|letter| letter.is_ascii_lowercase()))
        .map(str::to_owned)
        .collect();
    assert_eq!(words.len(), 12);
    let asked: Vec<usize> = ada
        .page
        .split("Word number ")
        .skip(1)
        .filter_map(|rest| rest.split('<').next()?.parse().ok())
        .collect();
    let founded = format!("/founded/{}", setup.rsplit('/').next().expect("a token"));
    ada.send(&founded, "first=wrong&second=wrong");
    assert!(ada.page.contains("not the words asked for"), "{}", ada.page);
    let right = format!(
        "first={}&second={}",
        words[asked[0] - 1],
        words[asked[1] - 1]
    );
    ada.send(&founded, &right);
    assert!(ada.page.contains("What I write goes"), "{}", ada.page);
    ada.send("/settings/sharing", "scope=private&next=invites");
    assert!(ada.page.contains("Invite somebody"), "{}", ada.page);
    // The link is over, and so are the words.
    let mut late = Browser::new(address);
    late.open(setup);
    assert_eq!(late.status, 404);
    ada.open(&founded);
    // None stands there as it was shown. One alone may be a word of the page itself ("help" is), all twelve cannot.
    let shown = |word: &String| ada.page.contains(&format!("<li>{word}</li>"));
    assert!(!words.iter().any(shown), "{}", ada.page);
    let there = words.iter().filter(|word| ada.page.contains(*word));
    assert!(there.count() < words.len(), "{}", ada.page);

    ada.open("/invites");
    ada.send("/invites", "gratitude=For+the+soup&uses=1&days=3");
    let invitation = ada.between("/invites/", "/picture.svg");
    let path = format!("/invite/{invitation}");
    let mut nela = Browser::new(address);
    nela.open(&path);
    assert!(nela.page.contains("For the soup"), "{}", nela.page);
    nela.send(&path, "handle=nela");
    assert!(nela.page.contains("looks at your account"), "{}", nela.page);

    // What a steward decides at the command line counts in the browser.
    let elm = Instance::at(folder.path(), "Elm", Path::new(WB));
    assert!(elm.ok(&["review", "list"]).contains("nela"));
    elm.ok(&["review", "accept", "nela"]);
    nela.open("/requests");
    assert_eq!(nela.status, 200, "{}", nela.page);
    drop(up);
}

#[test]
fn browsers_are_let_in_from_the_command_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let north = Instance::found(folder.path(), "North", "keeper");
    let (up, started) = up(&north.home);
    let address = text(&started, "address");
    let mut second = Browser::new(address);
    second.open("/login");
    second.send("/login", "handle=keeper");
    let code = second.between("class=\"code\">", "<").replace(' ', "");
    assert!(north.ok(&["session", "list"]).contains("waits"));
    north
        .run(&["session", "approve", "keeper", "AAAAAA"])
        .ends(1);
    second.open("/requests");
    assert_eq!(second.status, 401);
    north.ok(&["session", "approve", "keeper", &code]);
    second.open("/waiting");
    second.open("/requests");
    assert_eq!(second.status, 200, "{}", second.page);

    let mut third = Browser::new(address);
    third.open("/login");
    third.send("/login", "handle=keeper");
    let code = third.between("class=\"code\">", "<");
    north.ok(&["session", "deny", "keeper", &code]);
    third.open("/waiting");
    assert_eq!(third.status, 401, "{}", third.page);

    let link = north.json(&["user", "login-link", "keeper"]).remove(0);
    let path = text(&link, "link")
        .rsplit_once("8000")
        .expect("the usual port")
        .1;
    let mut locked_out = Browser::new(address);
    // Programs look at links, too.
    locked_out.open(path);
    locked_out.open(path);
    locked_out.send(path, "");
    locked_out.open("/requests");
    assert_eq!(locked_out.status, 200, "{}", locked_out.page);
    locked_out.open(path);
    assert_eq!(locked_out.status, 404);
    drop(up);
}

/// Lets a browser of the keeper in.
pub fn keeper(north: &Instance, address: &str) -> Browser {
    let link = north.ok(&["user", "login-link", "keeper"]);
    let (_, link) = link.split_once("/login/link/").expect("a link");
    let secret = link.split_whitespace().next().expect("a link");
    let path = format!("/login/link/{secret}");
    let mut browser = Browser::new(address);
    browser.open(&path);
    browser.send(&path, "");
    browser
}

/// Presses the button, and waits until the sync that it started has ended.
fn sync_now(browser: &mut Browser) {
    browser.open("/sync");
    browser.send("/sync/now", "");
    wait_until("the sync ends", || {
        browser.open("/sync");
        !browser.page.contains("data-sync")
    });
}

#[test]
fn the_dashboard_says_where_it_stands_when_nobody_is_there_waits_answers_suspends_or_is_gone() {
    let folder = tempfile::tempdir().expect("a folder");
    let north = Instance::found(folder.path(), "North", "keeper");
    let (up, started) = up(&north.home);
    let mut browser = keeper(&north, text(&started, "address"));
    let says = |browser: &mut Browser, words: &[&str]| {
        browser.open("/sync");
        for word in words {
            assert!(browser.page.contains(word), "{word}: {}", browser.page);
        }
    };
    says(
        &mut browser,
        &[
            "0 hubs: nothing leaves this node.",
            "Nothing was exchanged yet",
        ],
    );

    let mut hub = Hub::start(folder.path(), "Harbour", "approval");
    let id = north.ok(&["--json", "status"]);
    let id: Value = serde_json::from_str(id.lines().next().expect("a line")).expect("JSON");
    let id = text(&id, "id").to_owned();
    north.run(&["hub", "register", &hub.link()]).ends(3);
    sync_now(&mut browser);
    says(&mut browser, &["Harbour", "waiting", "Next:"]);

    hub.instance.ok(&["hub", "approve", &id]);
    let asked = ask(&north, "A ladder");
    sync_now(&mut browser);
    says(
        &mut browser,
        &["Harbour", "idle", "as it confirmed", "2 given"],
    );
    let run = browser.between("href=\"/sync/runs/", "\"");
    browser.open(&format!("/sync/runs/{run}"));
    assert!(browser.page.contains("Exchange with"), "{}", browser.page);
    // Each number is that of the list it opens.
    let hub_id = hub.id().to_owned();
    let lists = |browser: &mut Browser, which: &str, records: &[&str]| {
        browser.open(&format!("/sync/with/{hub_id}/{which}"));
        assert_eq!(
            browser.page.matches("<li class=\"card\">").count(),
            records.len()
        );
        for record in records {
            assert!(browser.page.contains(record), "{record}: {}", browser.page);
        }
    };
    lists(&mut browser, "has", &["A ladder", "keeper"]);
    lists(&mut browser, "lacks", &[]);
    ask(&north, "A tent");
    north.ok(&["record", "unshare", asked.trim()]);
    north.ok(&["publish"]);
    says(
        &mut browser,
        &[
            ">1 records</a>, as it",
            ">1 records</a> and",
            ">1 taken back",
        ],
    );
    lists(&mut browser, "has", &["keeper"]);
    lists(&mut browser, "lacks", &["A tent"]);
    lists(&mut browser, "taken-back", &["A ladder"]);
    north.ok(&["record", "share", asked.trim(), "--scope", "public"]);
    north.ok(&["sync", "--yes"]);
    lists(&mut browser, "has", &["A ladder", "A tent", "keeper"]);
    browser.open("/shared?words=ladder");
    assert!(
        browser.page.contains(asked.trim()) && browser.page.contains(">out<"),
        "{}",
        browser.page
    );

    hub.instance
        .ok(&["hub", "suspend", &id, "--reason", "for now"]);
    sync_now(&mut browser);
    says(&mut browser, &["suspended", "for now"]);
    hub.kill();
    sync_now(&mut browser);
    says(
        &mut browser,
        &[
            "<span>Harbour cannot be reached",
            "check the network and the address, and try again",
            "Next try",
        ],
    );
    drop(up);
}

/// A hub with another clock, which serves until its runtime goes.
fn with_clock(hub: &mut Hub, seconds_ahead: i64) -> (u16, Runtime) {
    let home = Home::new(hub.instance.home.clone());
    hub.kill();
    let node = Node::open(&home).expect("it opens");
    let relay = Relay::open(&home.hub(), entropy::log_id()).expect("its file");
    let info = HubInfo {
        name: node.name().to_owned(),
        identity: node.identity().clone(),
        policy: Policy::Open,
    };
    let key = std::fs::read_to_string(home.signing_key()).expect("a key file");
    // A seed has the form of a public key.
    let seed: PublicKey = key.trim().parse().expect("64 hex digits");
    let signer = Arc::new(Signer::from_seed(&Zeroizing::new(seed.0)));
    let clock = clock();
    let clock: Clock = Arc::new(move || clock().saturating_add_signed(seconds_ahead));
    let responder = Responder::new(key_of(node.identity()), signer, clock);
    let times = Arc::new(entropy::now);
    let served = wb_hub::Hub::new(
        SqliteHub::new(relay),
        responder,
        info,
        times,
        Arc::new(|_| {}),
    );
    let runtime = Runtime::new().expect("threads");
    let listening = tokio::net::TcpListener::bind("127.0.0.1:0");
    let listener = runtime.block_on(listening).expect("a port");
    let port = listener.local_addr().expect("it is bound").port();
    runtime.spawn(wb_net::serve(
        listener,
        served.router(),
        ServerLimits::default(),
        std::future::pending(),
    ));
    (port, runtime)
}

#[test]
fn the_dashboard_says_what_to_do_when_clocks_differ_and_when_the_hub_speaks_only_something_newer() {
    let mut two = Two::new("open");
    two.north.ok(&["join", &two.hub.link(), "--yes"]);
    ask(&two.north, "A ladder");
    let (up, started) = up(&two.north.home);
    let mut browser = keeper(&two.north, text(&started, "address"));
    let later = Later::of(&mut two.hub);
    two.moves_to(later.serve());
    sync_now(&mut browser);
    for says in [
        "<span class=\"badge phase blocked\">blocked</span>",
        "upgrade this program to one that speaks protocol 2",
        "upgrade the older of both; nothing is lost, and everything waits",
    ] {
        assert!(browser.page.contains(says), "{says}: {}", browser.page);
    }
    for (ahead, way) in [(3_600, "seconds ahead of"), (-3_600, "seconds behind")] {
        two.hub.again();
        let (port, hub) = with_clock(&mut two.hub, ahead);
        two.moves_to(port);
        sync_now(&mut browser);
        for says in [
            "The clock of Harbour is ",
            way,
            "it worked. Set the clock of this computer; if it is right, tell the operator of Harbour",
            "<span class=\"badge phase idle\">idle</span>",
        ] {
            assert!(browser.page.contains(says), "{says}: {}", browser.page);
        }
        drop(hub);
    }
    drop(up);
}
