//! Invites across instances through a hub: who counts a newcomer, what is refused and why, what leaves of whom until then,
//! and that each redemption counts once.

use rusqlite::types::Value;
use wb_core::id::{InstanceId, RecordId, RecordRef, Token};
use wb_core::leave::{OwnersAct, Stays};
use wb_core::letter::{Contact, LetterBody, Redeem};
use wb_core::limits::{REDEMPTION_DAYS, REDEMPTIONS_PER_DAY_MAX, REDEMPTIONS_WAITING_MAX};
use wb_core::scope::Scope;
use wb_node::command::comment_add::comment_add;
use wb_node::command::invite_create::{InviteCreate, invite_create};
use wb_node::command::invite_off::invite_off;
use wb_node::command::invite_redeem::{InviteRedeem, invite_redeem, redeemable};
use wb_node::command::record_share::{record_share, record_unshare};
use wb_node::command::request_add::{RequestAdd, request_add};
use wb_node::command::review::{Decision, review_account};
use wb_node::plan::whole;
use wb_node::query::invited::isolated;
use wb_node::query::invites::invites;
use wb_node::query::review::review;
use wb_node::query::users::user;
use wb_node::view::{InviteView, UserView};
use wb_node::{Actor, entropy};
use wb_store::{AccountState, InviteUse, NewLetter, RedemptionState};

use super::sealed::{home_holds, sync_all, three, trust};
use super::world::{HubUp, Member, titles};

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// An invite that its author shares; its record, and the secret of its home link.
fn invite(member: &mut Member, input: &InviteCreate, scope: Scope) -> (RecordRef, String) {
    let actor = member.actor();
    let (id, token) = invite_create(&mut member.node, &actor, input).expect("an invite");
    let key = RecordRef {
        origin: member.id(),
        id,
    };
    record_share(&member.node, &actor, &key, scope, None).expect("it may go");
    (key, token)
}

fn of_many(uses: Option<u64>) -> InviteCreate {
    InviteCreate {
        max_uses: uses,
        ..InviteCreate::default()
    }
}

fn code(member: &Member, invite: &RecordRef) -> String {
    let all = invites(&member.node, &member.actor()).expect("a store");
    let found = all.iter().find(|row| row.base.id == invite.id);
    found.expect("it is shown").share_code.to_string()
}

fn seen(member: &Member, invite: &RecordRef) -> InviteView {
    let all = invites(&member.node, &member.actor()).expect("a store");
    let found = all.into_iter().find(|row| row.base.id == invite.id);
    found.expect("it is shown")
}

/// Comes by a code, as somebody who was shown what is sent and said yes.
fn redeem(member: &mut Member, code: &str, handle: &str) -> RecordId {
    let shown = redeemable(&member.node, code).expect("it is shown here");
    let input = InviteRedeem {
        code,
        shown: shown.shown(),
        handle,
        display_name: None,
        bio: None,
        email: None,
        default_scope: Scope::Public,
    };
    let (account, _) = invite_redeem(&mut member.node, &input).expect("it may be asked");
    assert_eq!(account.state, AccountState::Pending);
    account.user
}

/// The same by the code of an invite that is shown there.
fn come(member: &mut Member, invite: &RecordRef, handle: &str) -> RecordId {
    let code = code(member, invite);
    redeem(member, &code, handle)
}

/// What one gives arrives at the other, and the answer comes back.
fn there_and_back(hub: &HubUp, one: &mut Member, other: &mut Member) {
    sync_all(hub, &mut [&mut *one, &mut *other]);
    sync_all(hub, &mut [one]);
}

fn state(member: &Member, user: &RecordId) -> RedemptionState {
    let found = member.node.store().private().redemption_of(user);
    found.expect("a store").expect("it came by a code").state
}

fn refused(cause: &str) -> RedemptionState {
    RedemptionState::Refused(cause.to_owned())
}

fn shown_user(member: &Member, handle: &str) -> UserView {
    user(&member.node, &member.actor(), handle).expect("it is here")
}

fn accept(member: &Member, user: &RecordId) {
    review_account(&member.node, &member.actor(), user, Decision::Accept).expect("it waits");
}

fn in_private(member: &Member, sql: &str) {
    let file = member.home().dir().join("private.db");
    let file = rusqlite::Connection::open(file).expect("a file");
    file.execute_batch(sql).expect("it is sound");
}

/// Why each record of a member stays.
fn stays(member: &Member, id: &RecordId) -> Option<Stays> {
    let plan = whole(&member.node, entropy::now()).expect("a store");
    let found = plan.stays.iter().find(|stay| stay.id == *id);
    found.map(|stay| stay.cause)
}

fn shared() -> (HubUp, Member, Member, Member, RecordRef, String) {
    let (hub, mut north, mut south, mut east) = three();
    let (key, token) = invite(&mut north, &of_many(Some(2)), Scope::Public);
    sync_all(&hub, &mut [&mut north, &mut south, &mut east]);
    (hub, north, south, east, key, token)
}

#[test]
fn a_newcomer_is_counted_by_the_issuer_and_nothing_of_them_leaves_before() {
    let (hub, mut north, mut south, mut east, key, token) = shared();
    let code = code(&south, &key);
    assert_ne!(code, token);
    let nora = redeem(&mut south, &code, "nora");
    // A steward of South lets her in at once; what she writes stays until North counted her.
    accept(&south, &nora);
    let actor = Actor {
        user: nora,
        handle: "nora".to_owned(),
        ..member_actor(&south)
    };
    let ask = RequestAdd {
        title: "A bed for Friday",
        description: "Please.",
        scope: Scope::Public,
    };
    let request = request_add(&mut south.node, &actor, &ask).expect("a member asks");
    let about = RecordRef {
        origin: south.id(),
        id: request,
    };
    let founder = south.actor();
    let answer = comment_add(
        &mut south.node,
        &founder,
        &about,
        "I have one",
        Scope::Public,
    );
    let answer = answer.expect("a comment");
    assert_eq!(stays(&south, &request), Some(Stays::AuthorProvisional));
    assert_eq!(stays(&south, &answer), Some(Stays::ParentStays));
    sync_all(&hub, &mut [&mut south, &mut east]);
    assert_eq!(titles(&east), Vec::<String>::new());
    assert!(!home_holds(&east, "A bed for Friday"));
    assert_eq!(state(&south, &nora), RedemptionState::Asked);
    let told = shown_user(&south, "nora").invited.expect("by an invite");
    assert_eq!(
        told.sentence,
        "invited by a member at North; North did not count it yet"
    );

    sync_all(&hub, &mut [&mut north]);
    let uses = seen(&north, &key);
    assert_eq!((uses.uses, uses.open), (Some(1), Some(true)));
    assert_eq!(uses.elsewhere.len(), 1);
    assert_eq!(uses.elsewhere[0].sentence, "somebody joined South");
    // Nothing of her is at North: no name, and no id.
    for words in ["nora", &nora.to_string()] {
        assert!(!home_holds(&north, words), "{words}");
    }
    sync_all(&hub, &mut [&mut south]);
    assert_eq!(state(&south, &nora), RedemptionState::Counted);
    assert_eq!(stays(&south, &request), None);
    sync_all(&hub, &mut [&mut south, &mut east]);
    assert_eq!(titles(&east), ["A bed for Friday"]);
    // The secret of the home link is nowhere but at home.
    for member in [&south, &east] {
        assert!(!home_holds(member, &token));
    }
    let seen = hub.bytes();
    let raw: Token = token.parse().expect("digits");
    for bytes in [token.as_bytes(), raw.as_bytes()] {
        assert!(!seen.windows(bytes.len()).any(|part| part == bytes));
    }
    for member in [&mut north, &mut south] {
        member.assert_sound();
    }
}

fn member_actor(member: &Member) -> Actor {
    Actor {
        role: wb_store::Role::Member,
        ..member.actor()
    }
}

#[test]
fn of_two_that_ask_for_the_last_use_the_first_to_arrive_is_counted() {
    let (hub, mut north, mut south, mut east) = three();
    let (key, _) = invite(&mut north, &of_many(Some(1)), Scope::Public);
    sync_all(&hub, &mut [&mut north, &mut south, &mut east]);
    let code = code(&south, &key);
    let nora = redeem(&mut south, &code, "nora");
    let emil = redeem(&mut east, &code, "emil");
    // East asked later and arrives first.
    sync_all(&hub, &mut [&mut east, &mut south]);
    sync_all(&hub, &mut [&mut north]);
    sync_all(&hub, &mut [&mut east, &mut south]);
    assert_eq!(state(&east, &emil), RedemptionState::Counted);
    assert_eq!(state(&south, &nora), refused("used_up"));
    let uses = seen(&north, &key);
    assert_eq!((uses.uses, uses.open), (Some(1), Some(false)));
    let told: Vec<&str> = uses.elsewhere.iter().map(|use_| use_.state).collect();
    assert_eq!(told, ["counted", "refused"]);
    // Nobody is let in by it any more, and it is in nobody's list.
    sync_all(&hub, &mut [&mut north, &mut south]);
    assert!(redeemable(&south.node, &code).is_err());
    // What South decides about her is its own; a steward looks at it with the cause.
    let waits = review(&south.node).expect("a store").accounts;
    let why = waits[0].invited.as_ref().expect("by an invite");
    assert!(why.sentence.contains("as many came"), "{}", why.sentence);
    accept(&south, &nora);
    assert_eq!(
        shown_user(&south, "nora").invited.expect("an invite").state,
        "settled"
    );
    assert_eq!(stays(&south, &nora), Some(Stays::ScopePrivate));
}

#[test]
fn an_invite_that_is_over_off_or_not_shared_counts_nobody() {
    type Act = fn(&mut Member, &RecordRef);
    let acts: [(&str, Act); 4] = [
        ("expired", |north, _| {
            in_private(north, "UPDATE invites SET expires_at = 1");
        }),
        ("off", |north, key| {
            assert!(invite_off(&north.node, &north.actor(), key).expect("its own"));
        }),
        ("not_shared", |north, key| {
            record_unshare(&north.node, &north.actor(), key).expect("its own");
        }),
        // Shared anew it has another code, and the one that was out is dead.
        ("unknown", |north, key| {
            record_unshare(&north.node, &north.actor(), key).expect("its own");
            north.seal();
            record_share(&north.node, &north.actor(), key, Scope::Public, None).expect("its own");
        }),
    ];
    for (cause, act) in acts {
        let (hub, mut north, mut south, _east, key, _) = shared();
        let nora = come(&mut south, &key, "nora");
        sync_all(&hub, &mut [&mut south]);
        act(&mut north, &key);
        sync_all(&hub, &mut [&mut north, &mut south]);
        assert_eq!(state(&south, &nora), refused(cause), "{cause}");
        let uses = north.node.store().private().invite(&key.id);
        let uses = uses.expect("a store").expect("it is there").uses;
        assert_eq!(uses, 0, "{cause}");
        let told = seen(&north, &key).elsewhere;
        assert_eq!(told[0].cause.as_deref(), Some(cause));
    }
}

#[test]
fn what_comes_twice_is_answered_again_and_counted_once() {
    let (hub, mut north, mut south, _east, key, _) = shared();
    let nora = come(&mut south, &key, "nora");
    sync_all(&hub, &mut [&mut south]);
    let mail = |sql: &str| {
        let file = rusqlite::Connection::open(hub.file()).expect("a file");
        let mut statement = file.prepare(sql).expect("a query");
        let columns = statement.column_count();
        let rows = statement
            .query_map([], |row| {
                (0..columns).map(|at| row.get::<_, Value>(at)).collect()
            })
            .expect("a table");
        rows.collect::<rusqlite::Result<Vec<Vec<Value>>>>()
            .expect("rows")
    };
    let given = mail("SELECT origin, recipient, hash, line, body, expires FROM mail");
    assert_eq!(given.len(), 1);
    sync_all(&hub, &mut [&mut north]);
    // The hub brings it again, and loses the answer.
    let file = rusqlite::Connection::open(hub.file()).expect("a file");
    file.execute("DELETE FROM mail", []).expect("a table");
    for row in given {
        let sql = "INSERT INTO mail (origin, recipient, hash, line, body, expires) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
        file.execute(sql, rusqlite::params_from_iter(row))
            .expect("a row");
    }
    drop(file);
    in_private(&north, "UPDATE letters_given SET at = at - 86400001");
    there_and_back(&hub, &mut north, &mut south);
    assert_eq!(state(&south, &nora), RedemptionState::Counted);
    let uses = seen(&north, &key);
    assert_eq!((uses.uses, uses.elsewhere.len()), (Some(1), 1));
}

#[test]
fn where_nobody_answers_for_so_many_days_a_steward_decides() {
    let (hub, mut north, mut south, _east, key, _) = shared();
    let nora = come(&mut south, &key, "nora");
    accept(&south, &nora);
    let waits = |south: &Member| review(&south.node).expect("a store").accounts.len();
    assert_eq!(waits(&south), 0, "it is North's turn");
    let early = review_account(&south.node, &south.actor(), &nora, Decision::Accept);
    assert!(early.is_err());
    let age = REDEMPTION_DAYS * DAY_MS;
    let sql = format!("UPDATE redemptions SET at = at - {age}");
    in_private(&south, &sql);
    assert_eq!(waits(&south), 1);
    let queue = review(&south.node).expect("a store");
    assert!(queue.accounts[0].is_in);
    accept(&south, &nora);
    assert_eq!(waits(&south), 0);
    let told = shown_user(&south, "nora").invited.expect("an invite");
    assert_eq!(told.state, "settled");
    let roots = isolated(&south.node, &south.actor()).expect("a store");
    assert_eq!(
        roots.iter().map(|r| r.handle.as_str()).collect::<Vec<_>>(),
        ["nora"]
    );
    // Her profile may leave now. The answer comes after all, and joins her to who invited.
    assert_ne!(stays(&south, &nora), Some(Stays::AuthorProvisional));
    there_and_back(&hub, &mut south, &mut north);
    let told = shown_user(&south, "nora").invited.expect("an invite");
    assert_eq!(told.state, "counted");
    let roots = isolated(&south.node, &south.actor()).expect("a store");
    assert_eq!(roots, []);
}

#[test]
fn who_is_turned_away_before_the_letter_came_is_never_counted() {
    let (hub, mut north, mut south, _east, key, _) = shared();
    let nora = come(&mut south, &key, "nora");
    sync_all(&hub, &mut [&mut south]);
    review_account(&south.node, &south.actor(), &nora, Decision::Refuse).expect("it waits");
    there_and_back(&hub, &mut south, &mut north);
    assert_eq!(seen(&north, &key).uses, Some(0));
    let gone = south.node.store().private().redemption_of(&nora);
    assert_eq!(gone.expect("a store"), None);
}

#[test]
fn a_code_for_trusted_peers_makes_a_member_by_the_answer_and_is_worth_nothing_to_others() {
    let (hub, mut north, mut south, mut east) = three();
    trust(&mut north, south.id());
    let input = InviteCreate {
        auto_approve: true,
        ..of_many(None)
    };
    let (key, _) = invite(&mut north, &input, Scope::TrustedPeers);
    sync_all(&hub, &mut [&mut north, &mut south, &mut east]);
    let code = code(&south, &key);
    assert!(redeemable(&east.node, &code).is_err(), "East never saw it");
    let nora = redeem(&mut south, &code, "nora");
    // Somebody at East was told the code, and their program asks all the same.
    let body = LetterBody::Redeem(Redeem {
        invite: key,
        code: code.parse().expect("a code"),
    });
    let thread = entropy::record_id(entropy::now());
    ask_by_hand(&east, north.id(), thread, &body);
    sync_all(&hub, &mut [&mut east]);
    there_and_back(&hub, &mut south, &mut north);
    assert_eq!(state(&south, &nora), RedemptionState::Counted);
    let account = south.node.store().private().account_of(&nora);
    let account = account.expect("a store").expect("an account");
    assert_eq!(account.state, AccountState::Approved, "without a steward");
    let decided = north.node.store().private().invite_use(&east.id(), &thread);
    let decided = decided.expect("a store").expect("it was decided");
    assert_eq!(decided.refused.as_deref(), Some("unknown"));
    assert_eq!(seen(&north, &key).uses, Some(1));

    // In a public feed the same words let nobody in without a steward.
    let (open, _) = invite(&mut north, &input, Scope::Public);
    sync_all(&hub, &mut [&mut north, &mut south]);
    let olga = come(&mut south, &open, "olga");
    there_and_back(&hub, &mut south, &mut north);
    assert_eq!(state(&south, &olga), RedemptionState::Counted);
    let account = south.node.store().private().account_of(&olga);
    let account = account.expect("a store").expect("an account");
    assert_eq!(account.state, AccountState::Pending);
}

/// Asks an issuer past the checks of the own program.
fn ask_by_hand(member: &Member, issuer: InstanceId, thread: RecordId, body: &LetterBody) {
    let now = entropy::now();
    let owner = member.actor().user;
    let (raw, kind) = (body.to_raw(), body.kind());
    let letter = NewLetter {
        recipient: issuer,
        thread,
        is_receipt: false,
        n: 1,
        kind: kind.as_str(),
        body: raw.get(),
        owner: Some(owner),
        request: None,
        act: Some(OwnersAct::to_say(owner, issuer, &raw)),
        at: now,
        expires: now.plus_ms(DAY_MS),
    };
    let private = member.node.store().private();
    private.put_letter(&letter).expect("a store");
}

#[test]
fn an_answer_takes_the_place_of_nothing_that_a_member_told() {
    let (hub, mut north, mut south, _east, key, _) = shared();
    let thread = entropy::record_id(entropy::now());
    let body = LetterBody::Redeem(Redeem {
        invite: key,
        code: code(&south, &key).parse().expect("a code"),
    });
    // Somebody at North told something in a thread that South knows, and South asks in that.
    let contact = LetterBody::Contact(Contact {
        request: key,
        name: None,
        email: Some("ann@north.example".to_owned()),
        phone: None,
        text: None,
    });
    ask_by_hand(&north, south.id(), thread, &contact);
    ask_by_hand(&south, north.id(), thread, &body);
    there_and_back(&hub, &mut south, &mut north);
    let private = north.node.store().private();
    let told = private.letter_out(&south.id(), &thread, false);
    let told = told.expect("a store").expect("it is there");
    assert_eq!((told.kind.as_str(), told.n), ("contact", 1));
    assert_eq!(seen(&north, &key).uses, Some(0));
}

#[test]
fn who_was_turned_away_is_not_let_in_by_an_answer_that_comes_late() {
    let (hub, mut north, mut south, _east) = three();
    trust(&mut north, south.id());
    let input = InviteCreate {
        auto_approve: true,
        ..of_many(None)
    };
    let (key, _) = invite(&mut north, &input, Scope::TrustedPeers);
    sync_all(&hub, &mut [&mut north, &mut south]);
    let nora = come(&mut south, &key, "nora");
    accept(&south, &nora);
    let age = REDEMPTION_DAYS * DAY_MS;
    in_private(&south, &format!("UPDATE redemptions SET at = at - {age}"));
    review_account(&south.node, &south.actor(), &nora, Decision::Refuse).expect("it is due");
    there_and_back(&hub, &mut south, &mut north);
    assert_eq!(state(&south, &nora), RedemptionState::Counted);
    let account = south.node.store().private().account_of(&nora);
    let account = account.expect("a store").expect("an account");
    assert_eq!(account.state, AccountState::Pending);
}

#[test]
fn so_many_wait_and_so_many_are_decided_in_a_day() {
    let (hub, mut north, mut south, mut east) = three();
    let (key, _) = invite(&mut north, &of_many(None), Scope::Public);
    sync_all(&hub, &mut [&mut north, &mut south, &mut east]);
    let code = code(&south, &key);
    for n in 0..REDEMPTIONS_WAITING_MAX {
        redeem(&mut south, &code, &format!("n{n}"));
    }
    let shown = redeemable(&south.node, &code).expect("it is shown");
    let input = InviteRedeem {
        code: &code,
        shown: shown.shown(),
        handle: "more",
        display_name: None,
        bio: None,
        email: None,
        default_scope: Scope::Public,
    };
    let more = invite_redeem(&mut south.node, &input).expect_err("no more");
    assert!(more.to_string().contains("newcomers wait here"), "{more}");

    let now = entropy::now();
    for _ in 0..REDEMPTIONS_PER_DAY_MAX {
        let used = InviteUse {
            origin: east.id(),
            thread: entropy::record_id(now),
            invite: key.id,
            at: now,
            refused: Some("unknown".to_owned()),
        };
        let private = north.node.store().private();
        private.put_invite_use(&used).expect("a store");
    }
    let emil = redeem(&mut east, &code, "emil");
    there_and_back(&hub, &mut east, &mut north);
    assert_eq!(state(&east, &emil), refused("too_many"));
    // What others asked for is theirs.
    sync_all(&hub, &mut [&mut south, &mut north]);
    let counted = u64::try_from(REDEMPTIONS_WAITING_MAX).expect("few");
    assert_eq!(seen(&north, &key).uses, Some(counted));
}

#[test]
fn nobody_is_asked_where_somebody_else_was_shown_or_the_code_is_of_no_community_that_is_accepted() {
    let (hub, mut north, mut south, _east, key, token) = shared();
    let code = code(&south, &key);
    let shown = redeemable(&south.node, &code).expect("it is shown");
    let mut input = InviteRedeem {
        code: &code,
        shown: wb_core::hash::sha256(b"other words"),
        handle: "nora",
        display_name: None,
        bio: None,
        email: None,
        default_scope: Scope::Public,
    };
    assert!(invite_redeem(&mut south.node, &input).is_err());
    input.shown = shown.shown();
    input.handle = "alice";
    let taken = invite_redeem(&mut south.node, &input).expect_err("it is taken");
    assert!(taken.to_string().contains("taken"), "{taken}");
    for code in [&token, "x", &"0".repeat(32), ""] {
        assert!(redeemable(&south.node, code).is_err(), "{code}");
    }
    let own = redeemable(&north.node, &code).expect_err("its own");
    assert!(own.to_string().contains("its link does"), "{own}");
    let whole = format!("https://south.example/code/{code}/");
    assert!(redeemable(&south.node, &whole).is_ok());
    let actor = south.actor();
    let blocked = wb_node::command::review::review_origin(
        &mut south.node,
        &actor,
        north.id(),
        Decision::Refuse,
    );
    blocked.expect("it may be refused");
    assert!(redeemable(&south.node, &code).is_err());
    sync_all(&hub, &mut [&mut south, &mut north]);
    assert_eq!(seen(&north, &key).elsewhere, []);
}

#[test]
fn no_time_in_what_the_issuer_is_told_is_that_of_the_profile() {
    let (_hub, _north, mut south, _east, key, _) = shared();
    let nora = come(&mut south, &key, "nora");
    let private = south.node.store().private();
    let asked = private.redemption_of(&nora).expect("a store");
    let thread = asked.expect("she came by a code").thread;
    let told = private.letter_out(&key.origin, &thread, false);
    let told = told.expect("a store").expect("it is told");
    let ms = |id: &RecordId| {
        let digits: String = id.to_string().replace('-', "");
        i64::from_str_radix(&digits[..12], 16).expect("digits")
    };
    // All of it says the day alone.
    for told in [ms(&thread), told.at.unix_ms(), told.expires.unix_ms()] {
        assert_eq!(told % DAY_MS, 0, "{told}");
    }
    assert_eq!(told.expires, told.at.plus_ms(30 * DAY_MS));
    assert_eq!(ms(&thread), ms(&nora) - ms(&nora) % DAY_MS);
}
