//! What may leave, stated a second time: one condition for each cause of page 03, in its order.

use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use wb_core::id::{Hash, InstanceId, RecordId, RecordRef, Salt, Token};
use wb_core::kinds::{Body, Comment, Invite, Request, User};
use wb_core::leave::{
    Account, Author, Candidate, Content, Life, NodeSecret, Parent, ProfileShares, Stays, may_leave,
};
use wb_core::scope::{By, FeedScope, Scope};
use wb_core::time::Timestamp;
use zeroize::Zeroizing;

use super::entry::record_id;

const ORIGIN: InstanceId = InstanceId([0xaa; 32]);
const SCOPES: [Scope; 3] = [Scope::Private, Scope::TrustedPeers, Scope::Public];

fn secret() -> NodeSecret {
    NodeSecret::new(Zeroizing::new([5; 32]))
}

fn at() -> Timestamp {
    Timestamp::from_unix_ms(1_795_000_000_000).expect("in range")
}

/// A profile whose every field holds a text found nowhere else, with the switch of each.
fn profile() -> User {
    let inviter = RecordRef {
        origin: InstanceId([0xbb; 32]),
        id: RecordId::new(at(), [0xbc; 10]),
    };
    User {
        handle: Some("the-handle".to_owned()),
        display_name: Some("The Name".to_owned()),
        bio: Some("the bio".to_owned()),
        avatar: Some("https://example.org/the-picture".to_owned()),
        home: Some(InstanceId([0xcc; 32])),
        inviter: Some(inviter),
        attributes: Some([("the-key".to_owned(), "the value".to_owned())].into()),
    }
}

fn traces(shares: ProfileShares) -> [(bool, String); 7] {
    [
        (shares.handle, "the-handle".to_owned()),
        (shares.display_name, "The Name".to_owned()),
        (shares.bio, "the bio".to_owned()),
        (shares.avatar, "the-picture".to_owned()),
        (shares.home, "cc".repeat(32)),
        (shares.inviter, "bb".repeat(32)),
        (shares.attributes, "the value".to_owned()),
    ]
}

fn shares() -> impl Strategy<Value = ProfileShares> {
    any::<[bool; 7]>().prop_map(
        |[handle, display_name, bio, avatar, home, inviter, attributes]| ProfileShares {
            handle,
            display_name,
            bio,
            avatar,
            home,
            inviter,
            attributes,
        },
    )
}

fn content() -> impl Strategy<Value = Content> {
    let request = Body::Request(Request {
        title: "A ladder".to_owned(),
        description: String::new(),
        created_at: at(),
    });
    let comment = Body::Comment(Comment {
        request: RecordRef {
            origin: ORIGIN,
            id: RecordId::new(at(), [3; 10]),
        },
        body: "I have one.".to_owned(),
        created_at: at(),
    });
    let invite = Body::Invite(Invite {
        share_code: Token([4; 16]),
        max_uses: None,
        expires_at: None,
        auto_approve: false,
        suggested_handle: None,
        personalisation: None,
    });
    prop_oneof![
        shares().prop_map(|shares| Content::Profile {
            profile: profile(),
            shares
        }),
        any::<bool>().prop_map(move |open| Content::Invite {
            body: invite.clone(),
            open
        }),
        Just(Content::Record(request)),
        Just(Content::Record(comment)),
        Just(Content::Unfit),
        Just(Content::HomeOnly),
    ]
}

fn author() -> impl Strategy<Value = Author> {
    let accounts = select(vec![
        Account::Approved,
        Account::Approved,
        Account::Pending,
        Account::Provisional,
        Account::Gone,
    ]);
    let member =
        (record_id(), accounts, select(&SCOPES[..])).prop_map(|(user, account, profile)| {
            Author::Member {
                user,
                account,
                profile,
            }
        });
    let known = any::<[u8; 16]>().prop_map(|token| Author::Known(By::Pseudonym(Token(token))));
    prop_oneof![1 => Just(Author::Instance), 1 => known, 4 => member]
}

fn parent() -> impl Strategy<Value = Parent> {
    let scope = select(&SCOPES[..]).prop_map(Parent::Scope);
    prop_oneof![
        3 => Just(Parent::None),
        2 => scope,
        1 => select(vec![Parent::Unknown, Parent::TrustedElsewhere]),
    ]
}

fn mostly_public() -> impl Strategy<Value = Scope> {
    prop_oneof![3 => Just(Scope::Public), 1 => select(&SCOPES[..])]
}

fn candidate() -> impl Strategy<Value = Candidate> {
    let lives = prop_oneof![
        4 => Just(Life::Active),
        1 => select(vec![Life::Pending, Life::Deleted]),
    ];
    let left_by = option::of(prop_oneof![
        Just(By::Instance),
        record_id().prop_map(By::User),
        any::<[u8; 16]>().prop_map(|token| By::Pseudonym(Token(token))),
    ]);
    let rest = (
        lives,
        author(),
        parent(),
        left_by,
        option::of(any::<[u8; 16]>()),
        any::<bool>(),
    );
    (
        record_id(),
        content(),
        mostly_public(),
        mostly_public(),
        rest,
    )
        .prop_map(
            |(
                id,
                content,
                scope,
                ceiling,
                (life, author, parent, left_by, session, has_audience),
            )| {
                let kind = match &content {
                    Content::Profile { .. } => "user".parse().expect("a kind"),
                    Content::Invite { body, .. } | Content::Record(body) => body.kind(),
                    Content::Unfit => "request".parse().expect("a kind"),
                    Content::HomeOnly => "contact".parse().expect("a kind"),
                };
                // A profile is its owner's own record.
                let id = match (&content, author) {
                    (Content::Profile { .. }, Author::Member { user, .. }) => user,
                    _ => id,
                };
                Candidate {
                    id,
                    kind,
                    content,
                    scope,
                    ceiling,
                    life,
                    author,
                    parent,
                    has_audience,
                    at: at(),
                    left_by,
                    session: session.map(Token),
                }
            },
        )
}

/// Whether a record that leaves goes no further than the trusted audience.
fn is_trusted(c: &Candidate) -> bool {
    [c.scope, c.ceiling].contains(&Scope::TrustedPeers)
        || c.parent == Parent::Scope(Scope::TrustedPeers)
}

/// Whether a cause of page 03 applies, each by itself.
fn applies(cause: Stays, c: &Candidate) -> bool {
    let account = match c.author {
        Author::Instance | Author::Known(_) => None,
        Author::Member { account, .. } => Some(account),
    };
    match cause {
        Stays::KindStays => matches!(c.content, Content::HomeOnly),
        Stays::ScopePrivate => [c.scope, c.ceiling].contains(&Scope::Private),
        Stays::Deleted => c.life == Life::Deleted,
        Stays::NotApproved => c.life == Life::Pending,
        Stays::AuthorGone => account == Some(Account::Gone),
        Stays::AuthorPending => account == Some(Account::Pending),
        Stays::AuthorProvisional => account == Some(Account::Provisional),
        Stays::BodyUnfit => matches!(c.content, Content::Unfit),
        Stays::InviteClosed => matches!(c.content, Content::Invite { open: false, .. }),
        Stays::ParentStays => c.parent == Parent::Scope(Scope::Private),
        Stays::ParentUnknown => c.parent == Parent::Unknown,
        Stays::ParentTrustedElsewhere => c.parent == Parent::TrustedElsewhere,
        Stays::NoAudience => is_trusted(c) && !c.has_audience,
        // Decided where revisions are given, or for the whole instance, and not by the door.
        Stays::NumbersUsedUp | Stays::Retired => false,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_record_stays_by_the_first_cause_and_leaves_by_none(candidate in candidate()) {
        let first = Stays::ALL.into_iter().find(|cause| applies(*cause, &candidate));
        let decided = may_leave(&candidate, &secret());
        prop_assert_eq!(decided.as_ref().err().copied(), first);
        if let Ok(leaving) = decided {
            let trusted = leaving.scope() == FeedScope::TrustedPeers;
            prop_assert_eq!(trusted, is_trusted(&candidate));
        }
    }

    #[test]
    fn no_field_leaves_that_is_not_shared(candidate in candidate()) {
        if let Ok(leaving) = may_leave(&candidate, &secret()) {
            let line = leaving.line(ORIGIN, 1, None, Salt([6; 16]));
            let line = String::from_utf8(line).expect("a line is text");
            let shares = match candidate.content {
                Content::Profile { shares, .. } => shares,
                _ => ProfileShares::default(),
            };
            for (shared, trace) in traces(shares) {
                prop_assert_eq!(line.contains(&trace), shared, "{} in {}", trace, line);
            }
        }
    }

    #[test]
    fn an_author_whose_profile_stays_is_not_named(candidate in candidate()) {
        let Author::Member { user, profile, .. } = candidate.author else { return Ok(()) };
        let is_named = matches!(candidate.left_by, Some(By::User(_))) || candidate.id == user;
        let reach = if is_trusted(&candidate) { Scope::TrustedPeers } else { Scope::Public };
        if profile >= reach || is_named {
            return Ok(());
        }
        if let Ok(leaving) = may_leave(&candidate, &secret()) {
            let line = leaving.line(ORIGIN, 1, None, Salt([6; 16]));
            let line = String::from_utf8(line).expect("a line is text");
            prop_assert!(!line.contains(&user.to_string()), "{}", line);
            let pseudonym = secret().pseudonym(leaving.scope(), &user);
            prop_assert_eq!(leaving.by(), By::Pseudonym(pseudonym));
        }
    }

    #[test]
    fn pseudonyms_join_nothing(a in record_id(), b in record_id()) {
        let of = |scope, user| secret().pseudonym(scope, user);
        prop_assert_ne!(of(FeedScope::Public, &a), of(FeedScope::TrustedPeers, &a));
        prop_assert_eq!(of(FeedScope::Public, &a) == of(FeedScope::Public, &b), a == b);
        let other = NodeSecret::new(Zeroizing::new([6; 32]));
        prop_assert_ne!(of(FeedScope::Public, &a), other.pseudonym(FeedScope::Public, &a));
    }
}

#[test]
fn the_hash_of_a_line_gives_its_text_away_to_nobody() {
    let candidate = Candidate {
        id: RecordId::new(at(), [1; 10]),
        kind: "request".parse().expect("a kind"),
        content: Content::Record(Body::Request(Request {
            title: "A ladder".to_owned(),
            description: String::new(),
            created_at: at(),
        })),
        scope: Scope::Public,
        ceiling: Scope::Public,
        life: Life::Active,
        author: Author::Instance,
        parent: Parent::None,
        has_audience: false,
        at: at(),
        left_by: None,
        session: None,
    };
    let leaving = may_leave(&candidate, &secret()).expect("nothing keeps it");
    let hash = |salt| -> Hash { wb_core::hash::line(&leaving.line(ORIGIN, 1, None, Salt(salt))) };
    assert_ne!(
        hash([1; 16]),
        hash([2; 16]),
        "the salt is part of what is hashed"
    );
}
