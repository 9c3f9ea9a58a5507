//! The list of requests in parts, held against the whole list: the same requests in the same order, whatever their times, and
//! no more work than what is looked at.

use wb_core::kinds::To;
use wb_core::scope::Scope;
use wb_core::sync::Policy;
use wb_node::command::comment_add::comment_add;
use wb_node::command::request_complete::request_complete;
use wb_node::command::user_add::{UserAdd, user_add};
use wb_node::command::user_erase::user_erase;
use wb_node::query::requests::{LOOKED_AT_MAX, requests, requests_part};
use wb_node::view::RequestView;
use wb_store::{ListPlace, Role};

use super::world::{HubUp, Member};

/// All parts of a list, each of so many rows.
fn walk(
    member: &Member,
    origin: Option<wb_core::id::InstanceId>,
    rows: usize,
    wanted: &dyn Fn(&RequestView) -> bool,
) -> Vec<RequestView> {
    let (mut all, mut after): (Vec<RequestView>, Option<ListPlace>) = (Vec::new(), None);
    loop {
        let part = requests_part(&member.node, origin, after, rows, wanted).expect("a store");
        assert!(part.rows.len() <= rows);
        all.extend(part.rows);
        after = part.next;
        if after.is_none() {
            return all;
        }
    }
}

/// The same from the whole list.
fn whole(member: &Member, wanted: &dyn Fn(&RequestView) -> bool) -> Vec<RequestView> {
    let mut all = requests(&member.node).expect("a store");
    all.retain(wanted);
    all.reverse();
    all
}

/// North asked for many things, some of which are done; South follows it, asks itself, and somebody there left.
fn world() -> (HubUp, Member, Member) {
    let hub = HubUp::start("Harbour", Policy::Open);
    let (mut north, mut south) = (Member::found("North"), Member::found("South"));
    for member in [&mut north, &mut south] {
        member.register(&hub);
    }
    south.follow_all(&hub, &[north.id()]);
    let author = north.actor();
    for n in 0..12 {
        let request = north.ask(&format!("Of north {n}"), Scope::Public);
        if n % 3 == 0 {
            request_complete(&mut north.node, &author, &request, None).expect("her own");
        }
    }
    north.sync(&hub);
    south.sync(&hub);
    for n in 0..9 {
        south.ask(&format!("Of south {n}"), Scope::Private);
    }
    let add = UserAdd {
        handle: "ben",
        display_name: Some("Ben"),
        bio: None,
        email: None,
        role: Role::Member,
    };
    let founder = south.actor();
    user_add(&mut south.node, &founder, &add).expect("a member");
    let ben = south.node.actor(Some("ben")).expect("a member");
    let input = |title: &'static str| wb_node::command::request_add::RequestAdd {
        title,
        description: "Words of Ben",
        scope: Scope::Private,
    };
    for title in ["Answered", "Not answered"] {
        let node = &mut south.node;
        let id = wb_node::command::request_add::request_add(node, &ben, &input(title));
        let id = id.expect("a request");
        let key = wb_core::id::RecordRef {
            origin: node.own_id(),
            id,
        };
        if title == "Answered" {
            comment_add(node, &founder, &key, "I can", Scope::Private).expect("a comment");
        }
    }
    user_erase(&south.node, &ben, "ben").expect("their own");
    // Several were written in the same millisecond, here and there.
    let changed = south.file().execute(
        "UPDATE records SET created_at = 1700000000000 WHERE kind = 'request' AND record_no % 2 = 0",
        [],
    );
    assert!(changed.expect("rows") > 5);
    (hub, north, south)
}

#[test]
fn the_parts_of_a_list_are_the_whole_list_in_its_order() {
    let (_hub, north, south) = world();
    let all = whole(&south, &|_| true);
    assert_eq!(all.len(), 12 + 9 + 1, "what was answered and erased stays");
    for rows in [1, 2, 7, 50] {
        assert_eq!(walk(&south, None, rows, &|_| true), all, "{rows}");
    }
    let open = |request: &RequestView| request.status == To::Open;
    assert_eq!(walk(&south, None, 3, &open), whole(&south, &open));
    // Of one instance by id: as it counted.
    let mut of_north = whole(&south, &|request| request.base.origin == north.id());
    of_north.sort_by_key(|request| std::cmp::Reverse(request.base.id));
    assert_eq!(of_north.len(), 12);
    assert_eq!(walk(&south, Some(north.id()), 5, &|_| true), of_north);
}

#[test]
fn a_part_looks_at_so_many_requests_and_says_where_it_goes_on() {
    let (_hub, _north, south) = world();
    let mut file = south.file();
    let many = i64::try_from(2 * LOOKED_AT_MAX).expect("a number");
    let write = file.transaction().expect("a transaction");
    for n in 0..many {
        let id = format!("019adf00000070008000{n:012x}");
        let copied = write.execute(
            "INSERT INTO records (instance_no, id, kind, scope, rev, author, at, created_at, body)
             SELECT instance_no, unhex(?1), kind, scope, rev, author, at, 1600000000000 + ?2, body FROM records
             WHERE kind = 'request' AND cause IS NULL AND parent_id IS NULL LIMIT 1",
            (id, n),
        );
        assert_eq!(copied.expect("a row"), 1);
    }
    write.commit().expect("it is there");
    let part = requests_part(&south.node, None, None, 10, &|_| false).expect("a store");
    assert!(part.rows.is_empty());
    let next = part.next.expect("there are more");
    assert!(next.created_at.unix_ms() > 1_600_000_000_000);
    let part = requests_part(&south.node, None, Some(next), 10, &|_| true).expect("a store");
    assert_eq!(part.rows.len(), 10);
    assert!(
        part.rows
            .iter()
            .all(|row| row.base.created_at <= next.created_at)
    );
    // No part of the file is read through for it.
    let plan = "EXPLAIN QUERY PLAN SELECT r.id FROM records r INDEXED BY records_kind CROSS JOIN instances i
                USING (instance_no) WHERE r.kind = 'request' AND r.created_at <= 5
                AND (r.created_at, r.id, i.id) < (5, x'00', x'00')
                ORDER BY r.created_at DESC, r.id DESC, i.id DESC LIMIT 100";
    let mut plan = file.prepare(plan).expect("a plan");
    let steps: Vec<String> = plan
        .query_map([], |row| row.get(3))
        .expect("a plan")
        .collect::<Result<_, _>>()
        .expect("steps");
    assert!(
        steps[0].contains("records_kind (kind=? AND created_at<?)"),
        "{steps:?}"
    );
}
