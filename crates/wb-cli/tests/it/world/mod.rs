//! The whole world at once: three instances, a hub, a caching proxy, a stick, and people from outside.
//!
//! Everything is the real program over real sockets. A word stands in every place where somebody wrote something or
//! something is kept about somebody ([`canaries`]); then every file, every byte that passed with all layers undone, every
//! answer to people from outside, every line of what programs wrote and the memory of the hub is looked into, before
//! and after things are taken back. The judge knows nothing of the program's rules, and uses no crate of it.

mod caller;
pub mod canaries;
pub mod cast;
mod judge;
mod offers;
mod outside;
mod places;
mod private_file;
pub mod proxy;
mod pseudonyms;
mod sealed;
mod story;
mod visitor;

use canaries::{ALL, Zone};
use cast::{METRICS_TOKEN, World};
use judge::{judge, nowhere};
use outside::Outside;
use places::{Mark, Place, answers};

impl World {
    /// Everything that can be looked into.
    fn places(&self, outside: &Outside, since: Option<&Mark>) -> Vec<Place> {
        let mut places = self.files();
        places.extend(self.wire(since));
        places.extend(self.logs());
        places.extend(answers(Zone::Stranger, "Crow or Fox", &outside.answers));
        let bearer = format!("Bearer {METRICS_TOKEN}");
        for served in &self.served[1..] {
            let metrics = visitor::ask(
                served.port,
                "GET",
                "/metrics",
                &[("authorization", &bearer)],
                b"",
            );
            assert_eq!(metrics.status, 200, "{}", metrics.text());
            places.extend(answers(Zone::Metrics, "whoever has the token", &[metrics]));
        }
        places
    }
}

#[test]
fn each_canary_is_only_where_it_may_be() {
    let world = World::new();
    world.pair();
    let written = world.write();
    let stick = world.exchange(&written);
    world.the_table_names_every_column();
    world.pseudonyms_have_nothing_in_common();
    let exchanged = world.wire(None);
    let outside = Outside::looks(&world);
    let mut places = world.places(&outside, None);
    let public = canaries::word("public title");
    assert!(
        stick
            .iter()
            .any(|place| contains(&place.bytes, public.as_bytes())),
        "the stick carries something"
    );
    places.extend(stick);
    judge("before", &places, |row| ALL[row].before);
    let memory = world.memory();
    assert!(
        memory.iter().any(|place| place.zone == Zone::HubMemory),
        "the hub has a memory"
    );
    judge::within("in memory", &memory, |row| ALL[row].before);
    let (secrets, ids) = (world.secrets(), world.private_ids());
    let files = [
        Zone::Crow,
        Zone::Hub,
        Zone::Stick,
        Zone::Carried,
        Zone::Log,
        Zone::Metrics,
        Zone::Temp,
    ];
    let passed = [Zone::Wire, Zone::Stranger, Zone::Proxy];
    nowhere(
        "what opens something",
        &secrets,
        &places,
        &[&files[..], &passed].concat(),
    );
    nowhere(
        "in memory",
        &secrets,
        &memory,
        &[Zone::HubMemory, Zone::Proxy],
    );
    let followers = [&files[..], &[Zone::East, Zone::South]].concat();
    nowhere("ids of what is private", &ids, &places, &followers);
    // Whoever asks from outside names ids by itself, so what passed before that counts.
    nowhere("ids of what is private", &ids, &exchanged, &passed);
    nothing_bound_is_kept(&places);
}

/// The proxy keeps pages that everybody may read, and no answer that was for one member.
fn nothing_bound_is_kept(places: &[Place]) {
    let kept = |path: &str| {
        let of_cache = places
            .iter()
            .filter(|place| place.name.contains("/proxy/cache/"));
        of_cache
            .filter(|place| contains(&place.bytes, path.as_bytes()))
            .count()
    };
    assert!(kept("/requests.atom") > 0, "the proxy keeps something");
    assert_eq!(
        kept("/sync/v1/"),
        0,
        "an answer that is for one member is kept for others"
    );
}

fn contains(hay: &[u8], needle: &[u8]) -> bool {
    hay.windows(needle.len()).any(|part| part == needle)
}

#[test]
fn what_is_taken_back_is_nowhere_once_everybody_was_there() {
    let mut world = World::new();
    world.pair();
    let written = world.write();
    world.exchange(&written);
    let before = Outside::reads(&world);

    world.south_goes_away();
    world.take_back(&written);
    let (state, complete) = world.state_at(&written.retracted, "South");
    assert!(
        state == "pending" || state == "unreachable",
        "South is named: {state}"
    );
    assert!(!complete);
    world.south_returns();
    world.until_complete(&written.retracted);
    assert_eq!(
        world.state_at(&written.retracted, "South"),
        ("erased".to_owned(), true)
    );

    // Whoever kept a page asks again, and an old bundle brings nothing back.
    before.asks_again(&world);
    let old = world.place("carried/all.wbb");
    world.south.run(&["bundle", "import", &old, "--yes"]);
    let mark = world.mark();
    world.sync_all();
    let after = Outside::looks(&world);
    judge("after", &world.places(&after, Some(&mark)), |row| {
        ALL[row].after
    });
}
