//! The work-load W(N): 70 % comments, 25 % requests, 5 % users, the same in every run but for the keys.

use std::collections::BTreeMap;

use wb_core::id::{InstanceId, RecordId, RecordRef};
use wb_core::kinds::{Body, Comment, Request, User};
use wb_core::leave::{Life, ProfileShares};
use wb_core::scope::Scope;
use wb_core::time::Timestamp;
use wb_store::{Account, AccountState, LocalRecord, Role};

use crate::words::{CATEGORIES, Dice, PLACES, Writer, capitalised};

/// When the first record was written, in milliseconds since 1970.
const FIRST_AT_MS: i64 = 1_760_000_000_000;
/// The next one follows after so long.
const STEP_MS: i64 = 7_000;
/// A revision is written so long after the one before.
const REVISED_AFTER_MS: i64 = 86_400_000;
/// One record in so many is a user.
const USER_EVERY: u64 = 20;
/// A comment is about one of the requests so many records back, at most.
const ABOUT_THE_LAST: u64 = 400;
/// Records added by a change of 100.
pub const ADDED: u64 = 80;
/// Records revised by it.
pub const REVISED: u64 = 20;

// What dice are thrown for, so that no two uses meet.
const FOR_ID: u64 = 1;
const FOR_REFERENCES: u64 = 2;
const FOR_TEXT: u64 = 3;
const FOR_CHANGE: u64 = 4;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sort {
    User,
    Request,
    Comment,
}

fn sort_of(index: u64) -> Sort {
    match index % USER_EVERY {
        0 => Sort::User,
        rest if rest % 4 == 1 => Sort::Request,
        _ => Sort::Comment,
    }
}

/// Makes the records of one instance.
pub struct Workload {
    own: InstanceId,
    writer: Writer,
}

impl Workload {
    /// For the records of an instance.
    pub fn new(own: InstanceId) -> Self {
        Self {
            own,
            writer: Writer::default(),
        }
    }

    /// A record in one of its revisions, 1 first. Who wrote it and what it is about does not change.
    pub fn record(&self, index: u64, revision: u64) -> LocalRecord {
        let id = id_of(index);
        let created_at = written_at(index);
        let revisions = i64::try_from(revision - 1).expect("few revisions");
        let at = created_at.plus_ms(REVISED_AFTER_MS * revisions);
        let (author, body) = self.body(index, revision);
        LocalRecord {
            id,
            kind: body.kind(),
            author: Some(author),
            scope: Scope::Public,
            ceiling: Scope::Public,
            life: Life::Active,
            body: serde_json::to_string(&body).expect("a body has string keys and serialises"),
            shares: (sort_of(index) == Sort::User).then_some(ProfileShares {
                handle: true,
                display_name: true,
                bio: true,
                attributes: true,
                ..ProfileShares::default()
            }),
            parent: body.parent(self.own),
            created_at,
            at,
            edit: revision,
            sealed_edit: 0,
            rev: 0,
            left_by: None,
        }
    }

    /// The account behind a user; none for another record.
    pub fn account(&self, index: u64) -> Option<Account> {
        (sort_of(index) == Sort::User).then(|| Account {
            user: id_of(index),
            handle: self.handle(index),
            state: AccountState::Approved,
            role: Role::Member,
            created_at: written_at(index),
        })
    }

    fn handle(&self, index: u64) -> String {
        let mut dice = Dice::new(FOR_REFERENCES, index, 0);
        format!("{}{index}", self.writer.word(&mut dice))
    }

    fn body(&self, index: u64, revision: u64) -> (RecordId, Body) {
        let mut references = Dice::new(FOR_REFERENCES, index, 1);
        let mut dice = Dice::new(FOR_TEXT, index, revision);
        let author = id_of(USER_EVERY * references.below(index / USER_EVERY + 1));
        let created_at = written_at(index);
        match sort_of(index) {
            Sort::User => (id_of(index), self.user(index, &mut dice)),
            Sort::Request => {
                let title = self.writer.text(&mut dice, 40);
                let (category, place) = (dice.pick(&CATEGORIES), dice.pick(&PLACES));
                let text = self.writer.text(&mut dice, 135);
                let request = Request {
                    title: title.trim_end_matches('.').to_owned(),
                    description: format!("{category}, {place}: {text}"),
                    created_at,
                };
                (author, Body::Request(request))
            }
            Sort::Comment => {
                let back = 1 + references.below(ABOUT_THE_LAST);
                let comment = Comment {
                    request: RecordRef {
                        origin: self.own,
                        id: id_of(request_before(index, back)),
                    },
                    body: self.writer.text(&mut dice, 190),
                    created_at,
                };
                (author, Body::Comment(comment))
            }
        }
    }

    fn user(&self, index: u64, dice: &mut Dice) -> Body {
        let first = capitalised(self.writer.word(dice));
        let last = capitalised(self.writer.word(dice));
        let skills: Vec<&str> = (0..3).map(|_| dice.pick(&CATEGORIES)).collect();
        let attributes = [
            ("area", dice.pick(&PLACES).to_owned()),
            ("skills", skills.join(", ")),
            ("community", format!("node-{}.example", dice.below(40))),
        ];
        let attributes = attributes.map(|(key, value)| (key.to_owned(), value));
        Body::User(User {
            handle: Some(self.handle(index)),
            display_name: Some(format!("{first} {last}")),
            bio: Some(self.writer.text(dice, 175)),
            attributes: Some(BTreeMap::from(attributes)),
            ..User::default()
        })
    }
}

/// Which of N records the change of a number revises.
pub fn revised(n: u64, nth: u64) -> Vec<u64> {
    let mut dice = Dice::new(FOR_CHANGE, n, nth);
    let mut chosen = Vec::new();
    while (chosen.len() as u64) < REVISED.min(n) {
        let index = dice.below(n);
        if !chosen.contains(&index) {
            chosen.push(index);
        }
    }
    chosen
}

fn written_at(index: u64) -> Timestamp {
    let steps = i64::try_from(index).expect("the command line gives no such number");
    Timestamp::from_unix_ms(FIRST_AT_MS + STEP_MS * steps).expect("the year is about 2025")
}

/// The id of a record.
pub fn id_of(index: u64) -> RecordId {
    let mut dice = Dice::new(FOR_ID, index, 0);
    let mut entropy = [0; 10];
    entropy[..8].copy_from_slice(&dice.next().to_be_bytes());
    entropy[8..].copy_from_slice(&dice.next().to_be_bytes()[..2]);
    RecordId::new(written_at(index), entropy)
}

/// The last request so far back or farther.
pub fn request_before(index: u64, back: u64) -> u64 {
    let mut at = index.saturating_sub(back).max(1);
    while sort_of(at) != Sort::Request {
        at -= 1;
    }
    at
}
