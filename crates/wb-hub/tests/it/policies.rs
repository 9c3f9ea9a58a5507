//! What every store of a hub promises of who may come in and who may be seen, as one suite for any of them.

use std::collections::BTreeSet;

use wb_core::id::InstanceId;
use wb_core::sync::{FollowList, Policy, Standing, Standings, Visibility};
use wb_hub::{
    CommentsAsk, Decision, HubListings, HubStore, InviteRefused, NewInvite, RegisterRefused,
    Registering, RequestOrder, RequestsAsk, code_hash,
};

use super::conformance::{
    body, changes, cursor, decide, first_page, later, publish, put_follows, register, registration,
    snapshot, standing, start,
};
use super::origin::{Do, Origin, now};

/// Runs everything, each part on a store of its own.
pub async fn suite<S: HubStore + HubListings>(make: impl Fn() -> S) {
    nobody_comes_without_a_code(make()).await;
    a_code_lets_in_as_many_as_it_says(make()).await;
    an_invitation_ends(make()).await;
    who_waits_comes_in_by_a_code(make()).await;
    of_two_the_last_use_lets_in_one(make()).await;
    everybody_sees_who_is_public(make()).await;
    members_see_who_is_for_members(make()).await;
    who_changes_its_mind_is_shown_otherwise(make()).await;
    a_notice_narrows_and_what_was_asked_for_holds_after_it(make()).await;
}

async fn invite<S: HubListings>(store: &S, code: &str, uses_max: Option<u64>) -> u64 {
    let invite = NewInvite {
        code: code_hash(code),
        note: format!("for {code}"),
        uses_max,
        until: None,
    };
    let made = store.put_invite(invite, now()).await.expect("a store");
    made.expect("there is room")
}

async fn come<S: HubStore>(
    store: &S,
    origin: &Origin,
    code: Option<&str>,
    counter: u64,
    policy: Policy,
) -> Result<Standings, RegisterRefused> {
    let registering = Registering {
        code: code.map(code_hash),
        counter,
        ..registration(origin)
    };
    let came = store.register(registering, policy, now()).await;
    came.expect("a store")
}

async fn used<S: HubListings>(store: &S, n: u64) -> u64 {
    let rows = store.invites(None, 100, 100).await.expect("a store");
    let row = rows.into_iter().find(|row| row.n == n);
    row.expect("an invitation").used
}

fn is_member(came: Result<Standings, RegisterRefused>) {
    assert_eq!(came.map(|came| came.standing), Ok(Standing::Member));
}

async fn nobody_comes_without_a_code<S: HubStore + HubListings>(store: S) {
    let north = Origin::new(1);
    let needed = come(&store, &north, None, 1, Policy::Invite).await;
    assert_eq!(needed, Err(RegisterRefused::InviteNeeded));
    let unknown = Err(RegisterRefused::Invite(InviteRefused::Unknown));
    for policy in [Policy::Invite, Policy::Approval, Policy::Open] {
        let came = come(&store, &north, Some("guessed"), 1, policy).await;
        assert_eq!(came, unknown, "{policy:?}");
    }
    // Nothing of it is kept.
    assert_eq!(standing(&store, &north, now()).await, None);
    assert_eq!(store.identity(north.id()).await.expect("a store"), None);
}

async fn a_code_lets_in_as_many_as_it_says<S: HubStore + HubListings>(store: S) {
    let (north, south, east, west) = (
        Origin::new(1),
        Origin::new(2),
        Origin::new(3),
        Origin::new(4),
    );
    let (one, two) = (
        invite(&store, "one", Some(1)).await,
        invite(&store, "two", Some(2)).await,
    );
    assert_eq!((one, two), (1, 2));
    is_member(come(&store, &north, Some("one"), 1, Policy::Invite).await);
    let second = come(&store, &south, Some("one"), 1, Policy::Invite).await;
    let used_up = |uses_max| Err(RegisterRefused::Invite(InviteRefused::UsedUp { uses_max }));
    assert_eq!(second, used_up(1));
    is_member(come(&store, &south, Some("two"), 1, Policy::Invite).await);
    is_member(come(&store, &east, Some("two"), 1, Policy::Invite).await);
    let third = come(&store, &west, Some("two"), 1, Policy::Invite).await;
    assert_eq!(third, used_up(2));

    // Who was let in is never asked again, and what it brings is not looked at.
    for (code, counter) in [
        (Some("one"), 1),
        (None, 2),
        (Some("guessed"), 3),
        (Some("two"), 4),
    ] {
        is_member(come(&store, &north, code, counter, Policy::Invite).await);
    }
    let suspended = Decision::Suspend {
        reason: "noise".to_owned(),
        until: None,
    };
    decide(&store, &north, suspended).await;
    let any = invite(&store, "any", None).await;
    let came = come(&store, &north, Some("any"), 5, Policy::Invite).await;
    assert_eq!(came.map(|came| came.standing), Ok(Standing::Suspended));
    assert_eq!(used(&store, any).await, 0);

    let rows = store.invites(None, 100, 1).await.expect("a store");
    let told: Vec<_> = rows
        .iter()
        .map(|row| (row.n, row.note.as_str(), row.used, row.came.len()))
        .collect();
    assert_eq!(
        told,
        [
            (3, "for any", 0, 0),
            (2, "for two", 2, 1),
            (1, "for one", 1, 1)
        ]
    );
    let below = store.invites(Some(3), 1, 9).await.expect("a store");
    let came: BTreeSet<InstanceId> = below[0].came.iter().map(|(id, _)| *id).collect();
    assert_eq!(came, BTreeSet::from([south.id(), east.id()]));
    let row = store.member(south.id(), now()).await.expect("a store");
    assert_eq!(row.expect("a member").invite, Some(2));
}

async fn an_invitation_ends<S: HubStore + HubListings>(store: S) {
    let until = later(60);
    let ends = NewInvite {
        code: code_hash("ends"),
        note: String::new(),
        uses_max: None,
        until: Some(until),
    };
    store.put_invite(ends, now()).await.expect("a store");
    let off = invite(&store, "off", None).await;
    let at = async |origin: &Origin, code: &str, at| {
        let registering = Registering {
            code: Some(code_hash(code)),
            ..registration(origin)
        };
        let came = store.register(registering, Policy::Invite, at).await;
        came.expect("a store").map(|came| came.standing)
    };
    let (north, south) = (Origin::new(1), Origin::new(2));
    let just_before = until.plus_ms(-1);
    assert_eq!(at(&north, "ends", just_before).await, Ok(Standing::Member));
    let ended = RegisterRefused::Invite(InviteRefused::Ended { until });
    assert_eq!(at(&south, "ends", until).await, Err(ended));

    assert_eq!(
        store.invite_off(off, now()).await.expect("a store"),
        Some(true)
    );
    assert_eq!(
        store.invite_off(off, now()).await.expect("a store"),
        Some(false)
    );
    assert_eq!(store.invite_off(99, now()).await.expect("a store"), None);
    let switched_off = RegisterRefused::Invite(InviteRefused::SwitchedOff);
    assert_eq!(at(&south, "off", now()).await, Err(switched_off));
    assert_eq!(standing(&store, &south, now()).await, None);
}

async fn who_waits_comes_in_by_a_code<S: HubStore + HubListings>(store: S) {
    let (north, south) = (Origin::new(1), Origin::new(2));
    register(&store, &south).await;
    let n = invite(&store, "one", Some(1)).await;
    let waits = come(&store, &north, None, 5, Policy::Approval).await;
    assert_eq!(waits.map(|came| came.standing), Ok(Standing::Waiting));
    let before = cursor(&store, &south).await;
    // What is stale uses nothing.
    let stale = come(&store, &north, Some("one"), 4, Policy::Approval).await;
    assert_eq!(stale, Err(RegisterRefused::Stale(5)));
    assert_eq!(used(&store, n).await, 0);
    is_member(come(&store, &north, Some("one"), 6, Policy::Approval).await);
    assert_eq!(
        standing(&store, &north, now()).await,
        Some(Standing::Member)
    );
    assert!(cursor(&store, &south).await.n > before.n, "it arrives");
    assert_eq!(used(&store, n).await, 1);
}

async fn of_two_the_last_use_lets_in_one<S: HubStore + HubListings>(store: S) {
    for round in 0..4_u8 {
        let code = format!("last {round}");
        let n = invite(&store, &code, Some(1)).await;
        let (one, other) = (Origin::new(10 + 2 * round), Origin::new(11 + 2 * round));
        let (first, second) = tokio::join!(
            come(&store, &one, Some(&code), 1, Policy::Invite),
            come(&store, &other, Some(&code), 1, Policy::Invite),
        );
        assert!(first.is_ok() != second.is_ok(), "{first:?} {second:?}");
        assert_eq!(used(&store, n).await, 1);
    }
}

/// A public community, one for members and one that is unlisted, each with a request, and each with a comment on that of
/// the first; and a member that follows everybody.
struct Bay {
    north: Origin,
    south: Origin,
    east: Origin,
    reader: Origin,
}

async fn bay<S: HubStore + HubListings>(store: &S) -> Bay {
    let mut bay = Bay {
        north: Origin::new(1),
        south: Origin::new(2),
        east: Origin::new(3),
        reader: Origin::new(4),
    };
    let all = [
        (&bay.north, Visibility::Public),
        (&bay.south, Visibility::Members),
        (&bay.east, Visibility::Unlisted),
        (&bay.reader, Visibility::Public),
    ];
    for (origin, visibility) in all {
        let shown = show(store, origin, visibility, 1).await;
        assert_eq!(shown, visibility);
    }
    let list = FollowList {
        counter: 1,
        all: true,
        ..FollowList::default()
    };
    put_follows(store, &bay.reader, list).await.expect("newer");
    publish(store, &mut bay.north, &[Do::Put(1)]).await;
    publish(store, &mut bay.south, &[Do::Put(1)]).await;
    publish(store, &mut bay.east, &[Do::Put(1)]).await;
    bay
}

async fn show<S: HubStore>(
    store: &S,
    origin: &Origin,
    visibility: Visibility,
    counter: u64,
) -> Visibility {
    let registering = Registering {
        visibility,
        counter,
        ..registration(origin)
    };
    let shown = store.register(registering, Policy::Open, now()).await;
    let shown = shown.expect("a store").expect("it is newer").visibility;
    let asked = store.standing(origin.id(), now()).await.expect("a store");
    assert_eq!(asked.expect("a member").visibility, shown);
    shown.expect("a store says it")
}

/// Whom everybody sees, by everything that pages are made from.
async fn public<S: HubListings>(store: &S, bay: &Bay) -> BTreeSet<InstanceId> {
    let communities = store.communities(None, 100, now()).await.expect("a store");
    let listed: BTreeSet<InstanceId> = communities.iter().map(|one| one.id).collect();
    let ask = |home| RequestsAsk {
        home,
        words: None,
        order: RequestOrder::OpenFirst,
        after: None,
        limit: 100,
    };
    let rows = store.requests(ask(None), now()).await;
    let seen: BTreeSet<InstanceId> = rows
        .expect("a store")
        .rows
        .iter()
        .map(|row| row.key.origin)
        .collect();
    for origin in [&bay.north, &bay.south, &bay.east] {
        let is_listed = listed.contains(&origin.id());
        assert_eq!(seen.contains(&origin.id()), is_listed);
        let one = store.community(origin.id(), now()).await.expect("a store");
        assert_eq!(one.is_some(), is_listed);
        let of_it = store.requests(ask(Some(origin.id())), now()).await;
        assert_eq!(!of_it.expect("a store").rows.is_empty(), is_listed);
        let key = wb_core::id::RecordRef {
            origin: origin.id(),
            id: origin.record(1),
        };
        let request = store.request(key, now()).await.expect("a store");
        assert_eq!(request.is_some(), is_listed);
    }
    listed
}

/// Whom a member sees in the directory, with those that are said to be for members.
async fn directory<S: HubStore>(store: &S) -> Vec<(InstanceId, Option<Visibility>)> {
    let page = store.directory(None, 100, now()).await.expect("a store");
    let rows = page.members.iter();
    let mut rows: Vec<_> = rows.map(|row| (row.id, row.visibility)).collect();
    rows.sort_unstable();
    rows
}

/// Of whom a member that follows everybody is given anything.
async fn given<S: HubStore>(store: &S, bay: &Bay) -> BTreeSet<InstanceId> {
    let heads = store.heads(bay.reader.id(), None, now()).await;
    let feeds = heads.expect("a store").feeds;
    let by_heads: BTreeSet<InstanceId> = feeds.iter().map(|feed| feed.head.origin).collect();
    let told = changes(store, &bay.reader, start(store, &bay.reader).await)
        .await
        .told
        .join(" ");
    for origin in [&bay.north, &bay.south, &bay.east] {
        let is_told = told.contains(&origin.id().short());
        assert_eq!(is_told, by_heads.contains(&origin.id()), "{told}");
    }
    by_heads
}

async fn everybody_sees_who_is_public<S: HubStore + HubListings>(store: S) {
    let mut bay = bay(&store).await;
    let (north, reader) = (bay.north.id(), bay.reader.id());
    assert_eq!(public(&store, &bay).await, BTreeSet::from([north, reader]));
    let request = wb_core::id::RecordRef {
        origin: north,
        id: bay.north.record(1),
    };
    // What those say who are not for everybody is on no page either.
    let commented = |origin: &mut Origin| {
        let body = format!(
            r#"{{"request":{{"origin":"{north}","id":"{}"}},"body":"a word","created_at":"{}"}}"#,
            request.id,
            now()
        );
        origin.seal_bodies(&[(2, "comment", body)])
    };
    for origin in [&mut bay.south, &mut bay.east, &mut bay.reader] {
        let delta = commented(origin);
        super::conformance::push(&store, origin, &[&delta])
            .await
            .expect("it counts");
    }
    let ask = CommentsAsk {
        request,
        after: None,
        limit: 100,
    };
    let comments = store.comments(ask, now()).await.expect("a store");
    let by: Vec<InstanceId> = comments.iter().map(|comment| comment.key.origin).collect();
    assert_eq!(by, [reader]);
    // No cache on the way keeps what not everybody may see.
    for (origin, for_everybody) in [(&bay.north, true), (&bay.south, false), (&bay.east, false)] {
        let scope = wb_core::scope::FeedScope::Public;
        let stamp = store.snapshot_stamp(origin.id(), scope, now()).await;
        if let Some(stamp) = stamp.expect("a store") {
            assert_eq!(stamp.for_everybody, for_everybody);
        }
    }
}

async fn members_see_who_is_for_members<S: HubStore + HubListings>(store: S) {
    let bay = bay(&store).await;
    let (north, south, east, reader) = (
        bay.north.id(),
        bay.south.id(),
        bay.east.id(),
        bay.reader.id(),
    );
    let mut wanted = vec![
        (north, None),
        (south, Some(Visibility::Members)),
        (reader, None),
    ];
    wanted.sort_unstable();
    assert_eq!(directory(&store).await, wanted);
    assert_eq!(given(&store, &bay).await, BTreeSet::from([north, south]));
    // Whoever knows its id is served all the same.
    for origin in [&bay.south, &bay.east] {
        snapshot(&store, first_page(origin)).await.expect("a page");
    }
    let list = FollowList {
        counter: 2,
        all: true,
        follow: vec![east],
        ..FollowList::default()
    };
    put_follows(&store, &bay.reader, list).await.expect("newer");
    let all = BTreeSet::from([north, south, east]);
    assert_eq!(given(&store, &bay).await, all);
    for (origin, visibility) in [
        (&bay.south, Visibility::Members),
        (&bay.east, Visibility::Unlisted),
    ] {
        let row = store.member(origin.id(), now()).await.expect("a store");
        let row = row.expect("a member");
        assert_eq!(
            (row.visibility, row.asks, row.followers),
            (visibility, visibility, 1)
        );
    }
}

async fn who_changes_its_mind_is_shown_otherwise<S: HubStore + HubListings>(store: S) {
    let mut bay = bay(&store).await;
    let (north, south, east, reader) = (
        bay.north.id(),
        bay.south.id(),
        bay.east.id(),
        bay.reader.id(),
    );
    // From everybody to members: off the pages, and still given to who follows everybody.
    show(&store, &bay.north, Visibility::Members, 2).await;
    assert_eq!(public(&store, &bay).await, BTreeSet::from([reader]));
    assert_eq!(given(&store, &bay).await, BTreeSet::from([north, south]));
    publish(&store, &mut bay.north, &[Do::Put(5)]).await;
    // A later one that says nothing of members, as an earlier version sends it, is what counts.
    show(&store, &bay.north, Visibility::Unlisted, 3).await;
    assert_eq!(given(&store, &bay).await, BTreeSet::from([south]));
    // From nobody to members: what it has is given from now on.
    let before = cursor(&store, &bay.reader).await;
    show(&store, &bay.east, Visibility::Members, 2).await;
    let told = changes(&store, &bay.reader, before).await.told.join(" ");
    assert!(
        told.contains("again") && told.contains(&east.short()),
        "{told}"
    );
    assert_eq!(given(&store, &bay).await, BTreeSet::from([south, east]));
    assert_eq!(public(&store, &bay).await, BTreeSet::from([reader]));
    // And to everybody.
    show(&store, &bay.east, Visibility::Public, 3).await;
    assert_eq!(public(&store, &bay).await, BTreeSet::from([east, reader]));
}

/// Says something about a member in the hub's own feed.
async fn say<S: HubListings>(store: &S, own: &mut Origin, n: u64, act: &str, subject: InstanceId) {
    let notice = format!(
        r#"{{"act":"{act}","subject":"{subject}","n":{n},"reason":"a test","issued_at":"{}"}}"#,
        now()
    );
    let sealed = own.seal_bodies(&[(n, "notice", notice)]);
    let hub = Registering {
        visibility: Visibility::Unlisted,
        ..registration(own)
    };
    let carried = store.carry(hub, vec![body(own, &[&sealed])], now()).await;
    carried.expect("a store").expect("it is the hub's");
}

async fn a_notice_narrows_and_what_was_asked_for_holds_after_it<S: HubStore + HubListings>(
    store: S,
) {
    let (bay, mut own) = (bay(&store).await, Origin::new(90));
    let (north, south) = (bay.north.id(), bay.south.id());
    say(&store, &mut own, 1, "delist", south).await;
    let shown = async || {
        let row = store.member(south, now()).await.expect("a store");
        let row = row.expect("a member");
        (row.visibility, row.asks)
    };
    let narrowed = (Visibility::Unlisted, Visibility::Members);
    assert_eq!(shown().await, narrowed);
    let of_members = async || {
        let heads = store.heads(bay.reader.id(), None, now()).await;
        let feeds = heads.expect("a store").feeds.into_iter();
        let mut origins: BTreeSet<InstanceId> = feeds.map(|feed| feed.head.origin).collect();
        origins.remove(&own_id());
        origins
    };
    assert_eq!(of_members().await, BTreeSet::from([north]));
    assert!(directory(&store).await.iter().all(|(id, _)| *id != south));
    // Registering anew does not bring it back.
    let said = show(&store, &bay.south, Visibility::Members, 2).await;
    assert_eq!((said, shown().await), (Visibility::Unlisted, narrowed));
    say(&store, &mut own, 2, "reinstate", south).await;
    assert_eq!(shown().await, (Visibility::Members, Visibility::Members));
    assert_eq!(of_members().await, BTreeSet::from([north, south]));
    assert!(!public(&store, &bay).await.contains(&south));
}

fn own_id() -> InstanceId {
    Origin::new(90).id()
}
