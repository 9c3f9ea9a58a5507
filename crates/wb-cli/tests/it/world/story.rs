//! What happens in the world: what people write, what goes where, and what is taken back.

use rusqlite::Connection;
use serde_json::Value;

use super::canaries::{handle, mail, text as words};
use super::cast::World;
use super::places::Place;
use super::visitor::Visitor;
use crate::support::database;
use crate::support::instance::{Instance, text};
use crate::support::process::wait_until;

/// What is taken back later, by record.
pub struct Written {
    pub public: String,
    pub trusted: String,
    pub retracted: String,
    pub retracted_trusted: String,
    pub narrowed: String,
    pub mistaken: String,
}

impl World {
    /// Everything the table names, each by the way its owner would take.
    pub fn write(&self) -> Written {
        self.moved_over();
        self.members_of_north();
        let wren = handle("handle");
        let by_wren = |scope: &str, title: &str, description: &str| {
            ask(&self.north, &wren, scope, title, description)
        };
        by_wren("private", "private title", "private description");
        let trusted = by_wren("trusted_peers", "trusted title", "trusted description");
        let public = by_wren("public", "public title", "public description");
        let retracted = by_wren("public", "retracted title", "retracted description");
        let plain =
            |scope, title| ask_for(&self.north, &wren, scope, &words(title), "For Saturday.");
        let written = Written {
            trusted,
            retracted,
            retracted_trusted: plain("trusted_peers", "retracted trusted title"),
            narrowed: plain("public", "narrowed title"),
            mistaken: plain("public", "mistaken title"),
            public,
        };
        ask_for(
            &self.north,
            &handle("erased handle"),
            "private",
            &words("erased private title"),
            "Soon.",
        );
        let erased = handle("erased handle");
        ask_for(
            &self.north,
            &erased,
            "public",
            &words("erased title"),
            "Soon.",
        );
        for (about, of, scope) in [
            (&written.public, "public comment", "public"),
            (&written.public, "private comment", "private"),
            (&written.trusted, "trusted comment", "trusted_peers"),
            (&written.retracted, "retracted comment", "public"),
        ] {
            let words = words(of);
            self.north
                .ok(&["comment", "add", about, "--body", &words, "--scope", scope]);
        }
        // Somebody else, who is held against who writes in two scopes.
        for (scope, title) in [("public", "A saw"), ("trusted_peers", "A rake")] {
            ask_for(&self.north, "keeper", scope, title, "On Friday.");
        }
        self.invites();
        self.browsers();
        for (instance, of) in [(&self.east, "east e-mail"), (&self.south, "south e-mail")] {
            instance.ok(&["user", "add", "juniper", "--email", &mail(of)]);
        }
        ask_for(
            &self.south,
            "keeper",
            "private",
            &words("south private title"),
            "Please.",
        );
        written
    }

    /// A database of the Python program: what can be written by no other way any more.
    fn moved_over(&self) {
        let path = self.path("app.db");
        let like =
            std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/legacy/app.db");
        let old = Connection::open(&path).expect("the folder is there");
        for sql in database::texts(&like, "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL") {
            old.execute(&sql, ()).expect("a table");
        }
        let made = "2026-02-03 10:20:30.123456";
        for (sql, value) in [
            (
                "INSERT INTO users (id, username, is_admin, created_at, sync_scope) VALUES (1, ?2, 0, ?1, 'private')",
                "maple".to_owned(),
            ),
            (
                "INSERT INTO user_attributes (user_id, key, value, created_at, updated_at)
                 VALUES (1, 'note', ?2, ?1, ?1)",
                words("attribute"),
            ),
            (
                "INSERT INTO help_requests (id, title, description, status, contact_email, created_by_user_id,
                     created_at, updated_at, sync_scope)
                 VALUES (1, 'A lamp', 'For the hall', 'open', ?2, 1, ?1, ?1, 'public')",
                mail("e-mail of a request"),
            ),
        ] {
            old.execute(sql, [made, value.as_str()]).expect("the SQL runs");
        }
        drop(old);
        self.north
            .ok(&["import", "whiteballoon", &self.place("app.db")]);
        std::fs::remove_file(path).expect("it is ours");
    }

    fn members_of_north(&self) {
        let (wren, name, bio, email) = (
            handle("handle"),
            words("display name"),
            words("bio"),
            mail("e-mail"),
        );
        let profile = ["--display-name", &name, "--bio", &bio, "--email", &email];
        self.north
            .ok(&[&["user", "add", &wren], &profile[..]].concat());
        let (lark, bio, email) = (
            handle("erased handle"),
            words("erased bio"),
            mail("erased e-mail"),
        );
        let added = self
            .north
            .json(&["user", "add", &lark, "--bio", &bio, "--email", &email]);
        let share = [
            "record",
            "share",
            text(&added[0], "id"),
            "--scope",
            "public",
            "--fields",
            "handle,bio",
        ];
        self.north.ok(&[&["--as", &lark], &share[..]].concat());
    }

    /// One invitation that stays, with everything that can be said in one, and one that is shared.
    fn invites(&self) {
        let (suggested, bio) = (handle("suggested handle"), words("suggested bio"));
        let [gratitude, support, example, fun] = [
            "invite gratitude",
            "invite support",
            "invite example",
            "invite fun",
        ]
        .map(words);
        self.north.ok(&[
            "invite",
            "create",
            "--suggest-handle",
            &suggested,
            "--suggest-bio",
            &bio,
            "--gratitude",
            &gratitude,
            "--support",
            &support,
            "--example",
            &example,
            "--fun",
            &fun,
        ]);
        let shared = self
            .north
            .json(&["invite", "create", "--gratitude", &words("shared invite")]);
        self.north.ok(&[
            "record",
            "share",
            text(&shared[0], "id"),
            "--scope",
            "public",
        ]);
    }

    /// A member with a draft and a feed reader, and a browser that waits with a draft.
    fn browsers(&self) {
        let mut wren = self.browser_of(&handle("handle"));
        wren.open("/requests/new");
        let (title, description) = (words("draft title"), words("draft description"));
        let fields = [
            ("title", title.as_str()),
            ("description", &description),
            ("scope", "public"),
            ("draft", "yes"),
        ];
        wren.send("/requests/new", &fields);
        wren.open("/settings/feed");
        wren.send("/settings/feed", &[]);
        let mut waiting = Visitor::new(self.north_port());
        waiting.open("/login");
        waiting.send("/login", &[("handle", &handle("waiting handle"))]);
        let (title, description) = (
            words("waiting draft title"),
            words("waiting draft description"),
        );
        waiting.send(
            "/waiting/drafts",
            &[("title", &title), ("description", &description)],
        );
    }

    /// A browser of a member of North that is in.
    pub fn browser_of(&self, handle: &str) -> Visitor {
        let link = self.north.json(&["user", "login-link", handle]);
        let (_, secret) = text(&link[0], "link").rsplit_once('/').expect("a link");
        let path = format!("/login/link/{secret}");
        let mut browser = Visitor::new(self.north_port());
        browser.open(&path);
        browser.send(&path, &[]);
        browser
    }

    /// North and East meet without the hub, North and South share a folder.
    pub fn pair(&self) {
        let address = format!("http://127.0.0.1:{}", self.direct.port());
        let invited = self.north.json(&["peer", "invite", "--address", &address]);
        let link = text(&invited[0], "link");
        self.east
            .run(&["--yes", "peer", "accept", link, "--lan"])
            .ends(3);
        self.north.ok(&["--yes", "peer", "accept", "East"]);
        let stick = self.place("stick");
        self.north
            .run(&["--yes", "peer", "add", "--folder", &stick]);
        self.south.ok(&["--yes", "peer", "add", "--folder", &stick]);
        self.north.ok(&["--yes", "peer", "add", "--folder", &stick]);
    }

    /// What everybody says once everything is written: first by the stick, then by hub and between neighbours. Gives
    /// what lay on the stick when South took it.
    pub fn exchange(&self, written: &Written) -> Vec<Place> {
        self.north.ok(&["peer", "trust", "East", "--yes"]);
        self.north.ok(&["sync", &self.south.id()]);
        let stick = self.stick();
        self.south.ok(&["sync", &self.north.id()]);
        self.sync_all();
        let about = format!("{}/{}", self.north.id(), written.public);
        let answer = [
            "comment",
            "add",
            &about,
            "--body",
            &words("south comment"),
            "--scope",
            "public",
        ];
        self.south.ok(&answer);
        let about = format!("{}/{}", self.north.id(), written.trusted);
        for (row, how) in [
            ("east answer to a trusted request", ["--scope", "private"]),
            ("letter to North", ["--name", "Zoë"]),
            ("letter taken back", ["--name", "Zoë"]),
        ] {
            let body = words(row);
            let answer = ["--yes", "comment", "add", &about, "--body", &body];
            self.east.ok(&[&answer[..], &how].concat());
        }
        let contact = words("contact by letter");
        self.east
            .ok(&["--yes", "user", "contact", &about, "--text", &contact]);
        self.offers(written);
        self.sync_all();
        self.north
            .ok(&["bundle", "export", &self.place("carried/all.wbb"), "--zstd"]);
        self.north
            .ok(&["bundle", "want", &self.place("carried/north.want")]);
        self.north
            .ok(&["backup", &self.place("backups"), "--without-hub"]);
        stick
    }

    /// Everything that is taken back. South is away.
    pub fn take_back(&self, written: &Written) {
        let wren = handle("handle");
        let retract = |id: &str, reason: &str| {
            let retract = ["record", "retract", id, "--reason", reason, "--yes"];
            self.north.ok(&[&["--as", &wren], &retract[..]].concat());
        };
        retract(&written.retracted, "erase");
        retract(&written.retracted_trusted, "erase");
        retract(&written.mistaken, "mistake");
        let narrow = [
            "record",
            "share",
            &written.narrowed,
            "--scope",
            "trusted_peers",
        ];
        self.north.ok(&[&["--as", &wren], &narrow[..]].concat());
        self.north
            .ok(&["user", "erase", &handle("erased handle"), "--yes"]);
        let letters = self.east.json(&["comment", "list", &written.trusted]);
        let letter = letters
            .iter()
            .find(|letter| text(letter, "body") == words("letter taken back"))
            .expect("a letter that East wrote");
        let retract = ["record", "retract", text(letter, "id"), "--reason", "erase"];
        self.east.ok(&[&retract[..], &["--yes"]].concat());
        self.offer_is_taken_back();
        for one in [&self.north, &self.east, &self.crow, &self.north] {
            one.run(&["sync"]).ends(0);
        }
    }

    /// How a holder stands to a record in the public feed: its state.
    pub fn state_at(&self, record: &str, holder: &str) -> (String, bool) {
        let who = self.north.json(&["record", "who", record]).remove(0);
        let feeds = who["feeds"].as_array().expect("feeds");
        let feed = feeds
            .iter()
            .find(|feed| feed["scope"] == "public")
            .expect("it was public");
        let holders = feed["holders"].as_array().expect("holders");
        let found = holders.iter().find(|other| other["name"] == holder);
        let state = found.map_or_else(
            || panic!("{holder} is not named: {who}"),
            |found| text(found, "state"),
        );
        (state.to_owned(), feed["complete"] == Value::Bool(true))
    }

    /// Waits until nobody is named any more who may have something.
    pub fn until_complete(&self, record: &str) {
        wait_until("everybody says that it is gone", || {
            self.sync_all();
            // Who shares a folder says so in the folder: South takes what lies there, and North reads what it left.
            self.north.ok(&["sync", &self.south.id()]);
            self.south.ok(&["sync", &self.north.id()]);
            self.north.ok(&["sync", &self.south.id()]);
            self.state_at(record, "South").1
        });
    }
}

fn ask(instance: &Instance, by: &str, scope: &str, title: &str, description: &str) -> String {
    ask_for(instance, by, scope, &words(title), &words(description))
}

fn ask_for(instance: &Instance, by: &str, scope: &str, title: &str, description: &str) -> String {
    let words = [
        "--title",
        title,
        "--description",
        description,
        "--scope",
        scope,
    ];
    let asked = instance.json(&[&["--as", by, "request", "add"], &words[..]].concat());
    text(&asked[0], "id").to_owned()
}

/// The paths that a page leads to, without those that belong to nobody's words.
pub fn links(page: &str) -> Vec<String> {
    let mut links: Vec<String> = page
        .split("href=\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .filter(|link| link.starts_with('/') && !link.starts_with("/assets/"))
        .map(|link| link.replace("&#38;", "&").replace("&amp;", "&"))
        .collect();
    links.sort();
    links.dedup();
    links
}
