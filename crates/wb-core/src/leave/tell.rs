//! The only door to letters: who may be told what, and why the rest stays (spec: letters, who may be told).
//!
//! [`may_tell`] alone makes a [`Telling`], and a [`Telling`] is the only thing a letter can be composed from. What
//! is of a person passes only with that person's own act, which names the exact words and the one recipient.

use std::fmt;

use serde_json::value::RawValue;

use super::Account;
use crate::hash;
use crate::id::{Hash, InstanceId, RecordId};
use crate::identity::IdentityLog;
use crate::letter::{Composing, LetterBody, compose};
use crate::scope::Kind;
use crate::signed::Signer;
use crate::time::Timestamp;

/// Why a letter is not written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Untold {
    /// Its recipient is the instance itself.
    ToItself,
    /// A text is too long or empty, or holds what it cannot.
    BodyUnfit,
    /// The account of its owner is erased.
    AuthorGone,
    /// The account of its owner is not approved.
    AuthorPending,
    /// Its owner did not say that it may go.
    NoAct,
    /// What its owner said yes to is something else.
    AnotherAct,
    /// The request it is about is not its recipient's, or not known here.
    NotTheirs,
    /// The request it is about is not of this instance.
    NotOurs,
    /// Its recipient offered no help in this thread, or took that back.
    NoOffer,
    /// Its recipient did not accept the help that was offered in this thread.
    NotAgreed,
    /// What it answers is for everybody, and so is the answer.
    GoesByFeed,
}

impl Untold {
    /// Every cause.
    pub const ALL: [Self; 11] = [
        Self::ToItself,
        Self::BodyUnfit,
        Self::AuthorGone,
        Self::AuthorPending,
        Self::NoAct,
        Self::AnotherAct,
        Self::NotTheirs,
        Self::NotOurs,
        Self::NoOffer,
        Self::NotAgreed,
        Self::GoesByFeed,
    ];

    /// The name in the spec.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ToItself => "to_itself",
            Self::AuthorGone => "author_gone",
            Self::AuthorPending => "author_pending",
            Self::NoAct => "no_act",
            Self::AnotherAct => "another_act",
            Self::NotTheirs => "not_theirs",
            Self::NotOurs => "not_ours",
            Self::NoOffer => "no_offer",
            Self::NotAgreed => "not_agreed",
            Self::GoesByFeed => "goes_by_feed",
            Self::BodyUnfit => "body_unfit",
        }
    }

    /// The reason in words, after "nothing was sent: ".
    #[must_use]
    pub fn sentence(self) -> &'static str {
        match self {
            Self::ToItself => "that is this community itself",
            Self::AuthorGone => "the account of who wrote it is erased",
            Self::AuthorPending => "the account of who writes it is not approved yet",
            Self::NoAct => "who wrote it did not say that it may go",
            Self::AnotherAct => "who wrote it said yes to other words or to another community",
            Self::NotTheirs => "what it is about is not of that community, or not known here",
            Self::NotOurs => "the request it is about is not of this community",
            Self::NoOffer => "that community offers no help with this request, or not any more",
            Self::NotAgreed => "the help that was offered is not accepted",
            Self::GoesByFeed => {
                "what it answers is for everybody, so the answer is an ordinary comment"
            }
            Self::BodyUnfit => "its text is too long or empty, or holds what a letter cannot",
        }
    }
}

impl fmt::Display for Untold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// That somebody was shown exactly these words and their one recipient, and said yes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OwnersAct {
    /// Who said so.
    pub by: RecordId,
    /// For whom the words are.
    pub to: InstanceId,
    /// SHA-256 of the body that was shown.
    pub shown: Hash,
}

impl OwnersAct {
    /// Says yes to a body that was shown.
    #[must_use]
    pub fn to_say(by: RecordId, to: InstanceId, body: &RawValue) -> Self {
        Self {
            by,
            to,
            shown: hash::sha256(body.get().as_bytes()),
        }
    }
}

/// Of whom a letter is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Teller {
    /// The instance itself.
    Instance,
    /// A member.
    Member(RecordId, Account),
}

/// What is known here of the request a letter is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum About {
    /// It is about none.
    Nothing,
    /// It is not known here.
    Unknown,
    /// It is known, and of the instance that its reference names.
    Shared {
        /// Whether that shared it with its own audience only.
        trusted: bool,
    },
}

/// What came from a letter's recipient in its thread about help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Helping {
    /// Nothing that holds.
    Nothing,
    /// It offered help.
    Offered,
    /// It accepted the help that was offered to it.
    Accepted,
}

/// Everything that decides whether a letter is written.
#[derive(Debug, Clone)]
pub struct Untelling<'a> {
    /// Who writes.
    pub own: InstanceId,
    /// For whom.
    pub to: InstanceId,
    /// What it belongs to.
    pub thread: RecordId,
    /// Its number there.
    pub n: u64,
    /// What it is.
    pub kind: &'a Kind,
    /// Its exact words.
    pub body: &'a RawValue,
    /// Of whom it is.
    pub of: Teller,
    /// What its owner said yes to.
    pub act: Option<OwnersAct>,
    /// The request it is about.
    pub about: About,
    /// What its recipient said of help in this thread.
    pub helping: Helping,
    /// When it was written.
    pub at: Timestamp,
    /// After which nobody takes it.
    pub expires: Timestamp,
}

/// A letter that may be told to one instance.
#[derive(Debug, Clone)]
pub struct Telling {
    to: InstanceId,
    thread: RecordId,
    n: u64,
    kind: Kind,
    body: Box<RawValue>,
    at: Timestamp,
    expires: Timestamp,
}

impl Telling {
    /// For whom it is; it is sealed to nobody else.
    #[must_use]
    pub fn to(&self) -> InstanceId {
        self.to
    }

    /// After which nobody takes it.
    #[must_use]
    pub fn expires(&self) -> Timestamp {
        self.expires
    }

    /// The plaintext to be sealed: the signed line, and zero bytes.
    #[must_use]
    pub fn plaintext(&self, identity: &IdentityLog, signer: &Signer) -> Vec<u8> {
        let of = Composing {
            to: self.to,
            thread: self.thread,
            n: self.n,
            kind: &self.kind,
            at: self.at,
            expires: self.expires,
            body: &self.body,
        };
        compose(&of, identity, signer)
    }
}

/// Decides whether something may be told to one instance.
///
/// # Errors
/// Why not: the first cause in the order of the spec.
pub fn may_tell(letter: &Untelling<'_>) -> Result<Telling, Untold> {
    if letter.to == letter.own {
        return Err(Untold::ToItself);
    }
    let body = LetterBody::read(letter.kind, 1, letter.body.get());
    let Ok(Some(body)) = body else {
        return Err(Untold::BodyUnfit);
    };
    let is_of_a_person = !matches!(
        body,
        LetterBody::Closed(_) | LetterBody::Erase | LetterBody::Receipt(_)
    );
    if is_of_a_person {
        let Teller::Member(owner, account) = letter.of else {
            return Err(Untold::NoAct);
        };
        match account {
            Account::Approved => {}
            Account::Pending => return Err(Untold::AuthorPending),
            Account::Gone => return Err(Untold::AuthorGone),
        }
        let act = letter.act.ok_or(Untold::NoAct)?;
        if act != OwnersAct::to_say(owner, letter.to, letter.body) {
            return Err(Untold::AnotherAct);
        }
    }
    check_request(letter, &body)?;
    check_helping(letter.helping, &body)?;
    Ok(Telling {
        to: letter.to,
        thread: letter.thread,
        n: letter.n,
        kind: letter.kind.clone(),
        body: letter.body.to_owned(),
        at: letter.at,
        expires: letter.expires,
    })
}

/// Whether what a letter is about is of the side that it has to be of.
fn check_request(letter: &Untelling<'_>, body: &LetterBody) -> Result<(), Untold> {
    let Some(request) = body.request() else {
        return Ok(());
    };
    let is_known = matches!(letter.about, About::Shared { .. });
    let (is_theirs, is_ours) = (request.origin == letter.to, request.origin == letter.own);
    match body {
        // What is gone here is named to say that it is.
        LetterBody::Closed(_) if is_ours => Ok(()),
        LetterBody::Accept(_) | LetterBody::Decline(_) | LetterBody::Closed(_) if !is_ours => {
            Err(Untold::NotOurs)
        }
        LetterBody::Accept(_) | LetterBody::Decline(_) if !is_known => Err(Untold::NotOurs),
        LetterBody::Accept(_) | LetterBody::Decline(_) => Ok(()),
        LetterBody::Done(_) if is_ours && is_known => Ok(()),
        _ if !is_theirs || !is_known => Err(Untold::NotTheirs),
        LetterBody::Reply(_) if letter.about == (About::Shared { trusted: false }) => {
            Err(Untold::GoesByFeed)
        }
        _ => Ok(()),
    }
}

/// Whether the other side said what has to come before: nobody's ways to be reached go before there was an offer and a
/// yes to it.
fn check_helping(helping: Helping, body: &LetterBody) -> Result<(), Untold> {
    match (body, helping) {
        (LetterBody::Accept(_) | LetterBody::Decline(_), Helping::Nothing | Helping::Accepted)
        | (LetterBody::Done(_), Helping::Nothing) => Err(Untold::NoOffer),
        (LetterBody::Contacts(_), Helping::Nothing | Helping::Offered) => Err(Untold::NotAgreed),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::RecordRef;
    use crate::letter::{Contact, Reply};

    const OWN: InstanceId = InstanceId([1; 32]);
    const NORTH: InstanceId = InstanceId([2; 32]);
    const OAK: InstanceId = InstanceId([3; 32]);

    fn id(byte: u8) -> RecordId {
        let text = format!("019adf00-0000-7000-8000-0000000000{byte:02x}");
        text.parse().expect("an id")
    }

    fn reply(words: &str) -> LetterBody {
        LetterBody::Reply(Reply {
            request: RecordRef {
                origin: NORTH,
                id: id(9),
            },
            name: None,
            text: words.to_owned(),
        })
    }

    /// Asks for a letter that may be told, with one thing about it changed.
    fn ask(body: &LetterBody, change: impl FnOnce(&mut Untelling<'_>)) -> Result<Telling, Untold> {
        let (kind, raw) = (body.kind(), body.to_raw());
        let now = Timestamp::from_unix_ms(0).expect("a time");
        let mut letter = Untelling {
            own: OWN,
            to: NORTH,
            thread: id(1),
            n: 1,
            kind: &kind,
            body: &raw,
            of: Teller::Member(id(5), Account::Approved),
            act: Some(OwnersAct::to_say(id(5), NORTH, &raw)),
            about: About::Shared { trusted: true },
            helping: Helping::Nothing,
            at: now,
            expires: now,
        };
        change(&mut letter);
        may_tell(&letter)
    }

    #[test]
    fn what_is_of_a_person_is_told_by_that_persons_own_act_alone() {
        let body = reply("I can come");
        assert!(ask(&body, |_| ()).is_ok());
        let other = reply("I cannot come").to_raw();
        let acts = [
            (None, Untold::NoAct),
            (
                Some(OwnersAct::to_say(id(6), NORTH, &body.to_raw())),
                Untold::AnotherAct,
            ),
            (
                Some(OwnersAct::to_say(id(5), OAK, &body.to_raw())),
                Untold::AnotherAct,
            ),
            (
                Some(OwnersAct::to_say(id(5), NORTH, &other)),
                Untold::AnotherAct,
            ),
        ];
        for (act, cause) in acts {
            let told = ask(&body, |letter| letter.act = act);
            assert_eq!(told.err(), Some(cause), "{act:?}");
        }
        let told = ask(&body, |letter| letter.of = Teller::Instance);
        assert_eq!(told.err(), Some(Untold::NoAct));
    }

    #[test]
    fn each_cause_keeps_a_letter_home() {
        let body = reply("I can come");
        let told = ask(&body, |letter| letter.to = OWN);
        assert_eq!(told.err(), Some(Untold::ToItself));
        let told = ask(&reply(" "), |_| ());
        assert_eq!(told.err(), Some(Untold::BodyUnfit));
        for (account, cause) in [
            (Account::Pending, Untold::AuthorPending),
            (Account::Gone, Untold::AuthorGone),
        ] {
            let told = ask(&body, |letter| letter.of = Teller::Member(id(5), account));
            assert_eq!(told.err(), Some(cause));
        }
        for (about, cause) in [
            (About::Unknown, Untold::NotTheirs),
            (About::Nothing, Untold::NotTheirs),
            (About::Shared { trusted: false }, Untold::GoesByFeed),
        ] {
            let told = ask(&body, |letter| letter.about = about);
            assert_eq!(told.err(), Some(cause));
        }
        let raw = body.to_raw();
        let told = ask(&body, |letter| {
            letter.to = OAK;
            letter.act = Some(OwnersAct::to_say(id(5), OAK, &raw));
        });
        assert_eq!(told.err(), Some(Untold::NotTheirs));
    }

    #[test]
    fn ways_to_reach_somebody_go_about_any_request_and_taking_back_needs_no_act() {
        let contact = LetterBody::Contact(Contact {
            request: RecordRef {
                origin: NORTH,
                id: id(9),
            },
            name: None,
            email: Some("ann@east.example".to_owned()),
            phone: None,
            text: None,
        });
        let told = ask(&contact, |letter| {
            letter.about = About::Shared { trusted: false }
        });
        assert!(told.is_ok());
        let told = ask(&LetterBody::Erase, |letter| {
            letter.of = Teller::Instance;
            letter.act = None;
            letter.about = About::Nothing;
        });
        assert!(told.is_ok());
    }

    fn ways(request: RecordRef) -> Contact {
        Contact {
            request,
            name: None,
            email: Some("ann@east.example".to_owned()),
            phone: None,
            text: None,
        }
    }

    #[test]
    fn ways_to_reach_who_helps_and_who_asked_go_once_both_sides_agreed() {
        let theirs = RecordRef {
            origin: NORTH,
            id: id(9),
        };
        let ours = RecordRef {
            origin: OWN,
            ..theirs
        };
        // Whoever offered sends theirs after the other said yes, whoever asked after there was an offer.
        for (body, needs, cause) in [
            (
                LetterBody::Contacts(ways(theirs)),
                Helping::Accepted,
                Untold::NotAgreed,
            ),
            (
                LetterBody::Accept(ways(ours)),
                Helping::Offered,
                Untold::NoOffer,
            ),
        ] {
            for helping in [Helping::Nothing, Helping::Offered, Helping::Accepted] {
                let told = ask(&body, |letter| letter.helping = helping);
                let expected = (helping != needs).then_some(cause);
                assert_eq!(told.err(), expected, "{body:?} {helping:?}");
            }
            let told = ask(&body, |letter| {
                letter.helping = needs;
                letter.act = None;
            });
            assert_eq!(told.err(), Some(Untold::NoAct), "{body:?}");
        }
        let told = ask(&LetterBody::Accept(ways(theirs)), |letter| {
            letter.helping = Helping::Offered;
        });
        assert_eq!(told.err(), Some(Untold::NotOurs));
        let told = ask(&LetterBody::Contacts(ways(ours)), |letter| {
            letter.helping = Helping::Accepted;
        });
        assert_eq!(told.err(), Some(Untold::NotTheirs));
    }

    #[test]
    fn an_offer_its_answer_and_thanks_are_of_a_person_and_that_it_is_closed_is_not() {
        let theirs = RecordRef {
            origin: NORTH,
            id: id(9),
        };
        let ours = RecordRef {
            origin: OWN,
            ..theirs
        };
        let offer = LetterBody::Offer(crate::letter::Offer {
            request: theirs,
            name: None,
            text: Some("I have a cart".to_owned()),
        });
        let decline = LetterBody::Decline(crate::letter::Decline {
            request: ours,
            text: None,
        });
        let done = LetterBody::Done(crate::letter::Done {
            request: ours,
            thanks: None,
        });
        for body in [&offer, &decline, &done] {
            let told = ask(body, |letter| letter.helping = Helping::Offered);
            assert!(told.is_ok(), "{body:?}");
            let told = ask(body, |letter| {
                letter.helping = Helping::Offered;
                letter.act = None;
            });
            assert_eq!(told.err(), Some(Untold::NoAct), "{body:?}");
        }
        for body in [&decline, &done] {
            assert_eq!(ask(body, |_| ()).err(), Some(Untold::NoOffer), "{body:?}");
        }
        let told = ask(&offer, |letter| letter.about = About::Unknown);
        assert_eq!(told.err(), Some(Untold::NotTheirs));
        for (request, cause) in [(ours, None), (theirs, Some(Untold::NotOurs))] {
            let told = ask(
                &LetterBody::Closed(crate::letter::Closed { request }),
                |letter| {
                    letter.of = Teller::Instance;
                    letter.act = None;
                    letter.about = About::Unknown;
                },
            );
            assert_eq!(told.err(), cause);
        }
    }
}
