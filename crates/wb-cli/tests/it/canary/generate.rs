//! Another database of the Python program, with other words in it: every combination of what decides
//! whether a row may leave, filled with random words that stand nowhere else.

use std::path::Path;

use rusqlite::{Connection, params};

use crate::support::chance::Chance;
use crate::support::database;

const SCOPES: [&str; 2] = ["private", "public"];
const STATUSES: [&str; 4] = ["draft", "pending", "open", "completed"];
const MADE: &str = "2026-02-03 10:20:30.123456";
const ENDED: &str = "2026-02-04 10:20:30.000000";
const ENDS: &str = "2096-02-04 10:20:30.000000";

/// Users, two of each scope.
const USERS: [(i64, &str); 4] = [(1, "public"), (2, "private"), (3, "public"), (4, "private")];
/// Who made requests and invites: a user of each scope, nobody, and somebody who is not there.
const CREATORS: [Option<i64>; 4] = [Some(1), Some(2), None, Some(99)];
/// Who made comments; in that table there is always a number.
const COMMENTERS: [i64; 3] = [3, 4, 98];
/// A request that is not there.
const NO_REQUEST: i64 = 999;

/// Writes a database with the tables of `like`.
pub fn database(path: &Path, like: &Path, chance: &mut Chance) {
    let mut made = Generator {
        database: Connection::open(path).expect("the folder is there"),
        chance,
    };
    let tables = "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL";
    for sql in database::texts(like, tables) {
        made.run(&sql, ());
    }
    // As in the real program, where nothing keeps a reference from dangling.
    made.run("PRAGMA foreign_keys = OFF", ());
    made.run("BEGIN", ());
    made.users();
    let mut comment = 0;
    let mut request = 0;
    for scope in SCOPES {
        for status in STATUSES {
            for creator in CREATORS {
                request += 1;
                made.request(request, creator, scope, status);
                made.comments(request, &mut comment);
            }
        }
    }
    made.comments(NO_REQUEST, &mut comment);
    made.invites();
    made.run("COMMIT", ());
}

struct Generator<'c> {
    database: Connection,
    chance: &'c mut Chance,
}

impl Generator<'_> {
    fn run(&self, sql: &str, values: impl rusqlite::Params) {
        let ran = self.database.execute(sql, values);
        ran.unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    /// Some words that no other text has. Now and then they hold what has to be escaped somewhere.
    fn words(&mut self) -> String {
        let (one, two) = (self.chance.word(14), self.chance.word(7));
        let between = *self
            .chance
            .pick(&[" ", " ", " \"", "\n", "\\", " ü ", " 🎈", "\t", "' -- "]);
        format!("{one}{between}{two}")
    }

    /// A word for places that take no white space.
    fn word(&mut self) -> String {
        self.chance.word(16)
    }

    fn email(&mut self) -> String {
        format!("{}@{}.example", self.word(), self.chance.word(10))
    }

    fn users(&mut self) {
        for (id, scope) in USERS {
            let (name, email) = (self.word(), self.email());
            self.run(
                "INSERT INTO users (id, username, is_admin, contact_email, created_at, sync_scope)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                params![id, name, id == 1, email, MADE, scope],
            );
            let photo = format!("https://{}.example/{}.png", self.word(), self.word());
            for (key, value) in [("profile_photo_url", photo), ("note", self.words())] {
                self.run(
                    "INSERT INTO user_attributes (user_id, key, value, created_at, updated_at)
                     VALUES (?1, ?2, ?3, ?4, ?4)",
                    params![id, key, value, MADE],
                );
            }
            let (session, login, code) = (self.word(), self.word(), self.word());
            let (device, feed) = (self.words(), self.word());
            self.run(
                "INSERT INTO sessions (id, user_id, created_at, expires_at, is_fully_authenticated)
                 VALUES (?1, ?2, ?3, ?4, 1)",
                params![session, id, MADE, ENDS],
            );
            self.run(
                "INSERT INTO auth_requests
                     (id, user_id, status, created_at, expires_at, verification_code, device_info)
                 VALUES (?1, ?2, 'pending', ?3, ?4, ?5, ?6)",
                params![login, id, MADE, ENDS, code, device],
            );
            self.run(
                "INSERT INTO rss_feed_tokens (user_id, category, token, created_at)
                 VALUES (?1, 'open', ?2, ?3)",
                params![id, feed, MADE],
            );
            let (signature, other) = (self.words(), id % 4 + 1);
            self.run(
                "INSERT INTO vouches (voucher_user_id, subject_user_id, signature, created_at)
                 VALUES (?1, ?2, ?3, ?4)",
                params![id, other, signature, MADE],
            );
        }
    }

    fn request(&mut self, id: i64, creator: Option<i64>, scope: &str, status: &str) {
        let (title, description, email) = (self.word(), self.words(), self.email());
        let completed = (status == "completed").then_some(ENDED);
        self.run(
            "INSERT INTO help_requests (id, title, description, status, contact_email,
                 created_by_user_id, created_at, updated_at, completed_at, sync_scope)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7, ?8, ?9)",
            params![
                id,
                title,
                description,
                status,
                email,
                creator,
                MADE,
                completed,
                scope
            ],
        );
        let note = self.words();
        self.run(
            "INSERT INTO request_attributes (request_id, key, value, created_at, updated_at)
             VALUES (?1, 'note', ?2, ?3, ?3)",
            params![id, note, MADE],
        );
    }

    fn comments(&mut self, request: i64, id: &mut i64) {
        for scope in SCOPES {
            for deleted in [None, Some(ENDED)] {
                for author in COMMENTERS {
                    *id += 1;
                    let (body, note) = (self.words(), self.words());
                    self.run(
                        "INSERT INTO request_comments
                             (id, help_request_id, user_id, body, created_at, deleted_at, sync_scope)
                         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                        params![*id, request, author, body, MADE, deleted, scope],
                    );
                    self.run(
                        "INSERT INTO comment_attributes
                             (comment_id, key, value, created_at, updated_at)
                         VALUES (?1, 'note', ?2, ?3, ?3)",
                        params![*id, note, MADE],
                    );
                }
            }
        }
    }

    fn invites(&mut self) {
        for creator in CREATORS {
            self.invite(creator, "public", false, None, 0);
        }
        for scope in SCOPES {
            for disabled in [false, true] {
                for ends in [None, Some(ENDED), Some(ENDS)] {
                    for uses in [0, 2] {
                        self.invite(Some(1), scope, disabled, ends, uses);
                    }
                }
            }
        }
    }

    fn invite(
        &mut self,
        creator: Option<i64>,
        scope: &str,
        disabled: bool,
        ends: Option<&str>,
        uses: i64,
    ) {
        let (token, name, bio) = (self.word(), self.word(), self.words());
        self.run(
            "INSERT INTO invite_tokens (token, created_by_user_id, created_at, expires_at, max_uses,
                 use_count, disabled, auto_approve, suggested_username, suggested_bio, sync_scope)
             VALUES (?1, ?9, ?2, ?3, 2, ?4, ?5, 1, ?6, ?7, ?8)",
            params![token, MADE, ends, uses, disabled, name, bio, scope, creator],
        );
        let photo = match self.chance.below(2) {
            0 => format!("/static/uploads/{}.png", self.word()),
            _ => format!("https://photos.example/{}.png", self.word()),
        };
        let examples = format!("{}\n{}", self.word(), self.word());
        let (thanks, support, fun) = (self.words(), self.words(), self.words());
        self.run(
            "INSERT INTO invite_personalizations (token, photo_url, gratitude_note, support_message,
                 help_examples, fun_details, created_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            params![token, photo, thanks, support, examples, fun, MADE],
        );
    }
}
