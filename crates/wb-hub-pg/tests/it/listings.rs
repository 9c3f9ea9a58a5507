//! What pages list is the same from a hub in PostgreSQL and from one in an SQLite file, whatever three communities say
//! of each other's requests, take back, or are suspended for. Each run prints its seed; `WB_SEED=n` replays one.

use tempfile::TempDir;
use wb_core::bundle::Writer;
use wb_core::id::{InstanceId, RecordRef};
use wb_core::kinds::To;
use wb_core::scope::FeedScope;
use wb_core::sync::{Policy, Visibility};
use wb_core::time::Timestamp;
use wb_hub::{
    CommentsAsk, CommunityPlace, Decision, HubListings, HubStore, Registering, RequestOrder,
    RequestsAsk, SqliteHub, Words,
};
use wb_hub_pg::PgHub;
use wb_store::relay::Relay;

use crate::histories::number;
use crate::origin::{Do, Origin, Sealed, now};
use crate::server::{database, hub, log_id, server};

const WORLDS: u64 = 4;
const STEPS: u64 = 60;
/// Steps after which everything is asked of both.
const STEPS_BETWEEN: u64 = 5;
/// Records of each community; few, so that they are touched again and again.
const RECORDS: u64 = 6;

/// Chance that is the same for a seed.
struct Chance(u64);

impl Chance {
    fn below(&mut self, below: u64) -> u64 {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % below
    }
}

struct World {
    sqlite: SqliteHub,
    pg: PgHub,
    origins: Vec<Origin>,
    counter: u64,
    chance: Chance,
    _dir: TempDir,
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_list_the_same_from_either_database() {
    let seeds = match number("WB_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..WORLDS,
    };
    let mut seen = 0;
    for seed in seeds {
        println!("WB_SEED={seed}");
        let mut world = World::new(seed).await;
        for step in 1..=STEPS {
            world.step().await;
            if step % STEPS_BETWEEN == 0 {
                seen += world.same().await;
            }
        }
    }
    assert!(seen > 0, "something was listed, contested and completed");
}

impl World {
    async fn new(seed: u64) -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let (url, log) = database();
        let relay = Relay::open(&dir.path().join("hub.db"), log_id(log)).expect("a new file");
        let mut world = Self {
            sqlite: SqliteHub::new(relay),
            pg: hub(&url, log),
            origins: (1..=3).map(Origin::new).collect(),
            counter: 1,
            chance: Chance(seed),
            _dir: dir,
        };
        for place in 0..3 {
            world.register(place, true).await;
        }
        world
    }

    /// All three have one name, so that they are told apart by their ids.
    async fn register(&mut self, place: usize, listed: bool) {
        let origin = &self.origins[place];
        let registering = Registering {
            identity: origin.identity.clone(),
            name: "Elm".to_owned(),
            card: r#"{"name":"Elm"}"#.to_owned(),
            visibility: Visibility::of_listed(listed),
            code: None,
            counter: self.counter,
        };
        self.counter += 1;
        for done in [
            self.sqlite
                .register(registering.clone(), Policy::Open, now())
                .await,
            self.pg.register(registering, Policy::Open, now()).await,
        ] {
            done.expect("a store").expect("it is newer");
        }
    }

    async fn decide(&self, id: InstanceId, decision: Decision) {
        assert!(
            self.sqlite
                .decide(id, decision.clone(), now())
                .await
                .expect("a store")
        );
        assert!(self.pg.decide(id, decision, now()).await.expect("a store"));
    }

    async fn push(&self, id: InstanceId, delta: &Sealed) {
        let count = delta.items.len() as u64;
        let mut lines = vec![Writer::deltas(id, FeedScope::Public, 1, count)];
        lines.extend(delta.lines());
        let body = lines.join(&b'\n');
        let sqlite = self.sqlite.push(id, body.clone(), now()).await;
        let pg = self.pg.push(id, body, now()).await;
        assert_eq!(sqlite.expect("a store"), pg.expect("a store"));
    }

    /// Somebody says something, takes something back, or is decided about.
    async fn step(&mut self) {
        let place = usize::try_from(self.chance.below(3)).expect("small");
        let (what, record) = (self.chance.below(12), self.chance.below(RECORDS));
        let of = usize::try_from(self.chance.below(3)).expect("small");
        let (of, about) = (
            self.origins[of].id(),
            self.origins[of].record(self.chance.below(RECORDS)),
        );
        let n = self.chance.below(6);
        let id = self.origins[place].id();
        let reference = format!(r#"{{"origin":"{of}","id":"{about}"}}"#);
        let origin = &mut self.origins[place];
        let delta = match what {
            0..=2 => origin.seal(&[Do::Put(record)]),
            3 | 4 => {
                let body = format!(
                    r#"{{"request":{reference},"body":"word {n}","created_at":"{}"}}"#,
                    now()
                );
                origin.seal_bodies(&[(100 + record, "comment", body)])
            }
            5..=7 => {
                let to = ["open", "completed"][usize::try_from(n % 2).expect("small")];
                let body = format!(r#"{{"request":{reference},"to":"{to}","n":{n}}}"#);
                self.counter += 1;
                origin.seal_bodies(&[(1_000 + self.counter, "status", body)])
            }
            8 => {
                let own = origin.record(record);
                let body = format!(r#"{{"request":"{own}","instance":"{of}"}}"#);
                origin.seal_bodies(&[(200 + record, "helper", body)])
            }
            9 => {
                let live = [record, 100 + record, 200 + record];
                let Some(live) = live.into_iter().find(|number| origin.is_live(*number)) else {
                    return;
                };
                origin.seal(&[Do::Retract(live)])
            }
            10 => {
                let suspend = Decision::Suspend {
                    reason: "a test".to_owned(),
                    until: None,
                };
                self.decide(id, suspend).await;
                return self.decide(id, Decision::Reinstate).await;
            }
            _ => return self.register(place, n > 1).await,
        };
        self.push(id, &delta).await;
    }

    /// Both list the same; how many requests that are contested or completed.
    async fn same(&self) -> u64 {
        let sqlite = told(&self.sqlite, &self.origins, now()).await;
        let pg = told(&self.pg, &self.origins, now()).await;
        let differs = sqlite.iter().zip(&pg).find(|(one, other)| one != other);
        assert_eq!(differs, None);
        assert_eq!(sqlite.len(), pg.len());
        let seen = sqlite.iter().filter(|told| {
            told.contains("is_contested: true") || told.contains("status: Completed")
        });
        seen.count() as u64
    }
}

/// Everything that pages ask, as text.
async fn told<S: HubStore + HubListings>(
    hub: &S,
    origins: &[Origin],
    at: Timestamp,
) -> Vec<String> {
    let mut told = Vec::new();
    let communities = hub.communities(None, 9, at).await.expect("a store");
    let after = communities.first().map(|community| community.place.clone());
    told.push(format!("{communities:?}"));
    told.push(format!("{:?}", hub.communities(after, 9, at).await));
    let before_all = CommunityPlace {
        name: String::new(),
        id: InstanceId([0; 32]),
    };
    told.push(format!(
        "{:?}",
        hub.communities(Some(before_all), 2, at).await
    ));
    for home in [None, Some(origins[0].id())] {
        for order in [RequestOrder::OpenFirst, RequestOrder::Changed] {
            let mut ask = RequestsAsk {
                home,
                words: None,
                order,
                after: None,
                limit: 4,
            };
            let page = hub.requests(ask.clone(), at).await.expect("a store");
            told.push(format!("{page:?}"));
            ask.after = page.rows.last().map(wb_hub::ListedRequest::place);
            told.push(format!("{:?}", hub.requests(ask.clone(), at).await));
            ask.words = Some(Words {
                text: "RECORD 2 of".to_owned(),
                rows_max: 5,
            });
            told.push(format!("{:?}", hub.requests(ask, at).await));
        }
    }
    for origin in origins {
        told.push(format!("{:?}", hub.community(origin.id(), at).await));
        for record in 0..RECORDS {
            let key = RecordRef {
                origin: origin.id(),
                id: origin.record(record),
            };
            told.push(format!("{:?}", hub.request(key, at).await));
            let ask = CommentsAsk {
                request: key,
                after: None,
                limit: 3,
            };
            let comments = hub.comments(ask, at).await.expect("a store");
            let after = comments.first().map(wb_hub::ListedComment::place);
            told.push(format!("{comments:?}"));
            told.push(format!(
                "{:?}",
                hub.comments(CommentsAsk { after, ..ask }, at).await
            ));
        }
    }
    told
}

/// Two processes whose members push at once tell of each request once, and not again for everybody who waits.
#[tokio::test(flavor = "multi_thread")]
async fn those_who_push_at_once_share_the_telling() {
    const MEMBERS: u8 = 16;
    const REQUESTS: u64 = 20;
    let (url, log) = database();
    let hubs = [hub(&url, log), hub(&url, log)];
    let mut origins: Vec<Origin> = (1..=MEMBERS).map(Origin::new).collect();
    for (place, origin) in origins.iter().enumerate() {
        let registering = Registering {
            identity: origin.identity.clone(),
            name: format!("Elm {place}"),
            card: r#"{"name":"Elm"}"#.to_owned(),
            visibility: Visibility::Public,
            code: None,
            counter: 1,
        };
        let done = hubs[0].register(registering, Policy::Open, now()).await;
        done.expect("a store").expect("it is new");
    }
    let name = url.rsplit('/').next().expect("a name");
    let count_told = [
        "CREATE TABLE told_of (instance_no bigint NOT NULL, id bytea NOT NULL)",
        "CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql
           AS $$ BEGIN INSERT INTO told_of VALUES (new.instance_no, new.id); RETURN new; END $$",
        "CREATE TRIGGER note AFTER UPDATE OF status ON listings FOR EACH ROW EXECUTE FUNCTION note()",
    ];
    server().run_in(name, &count_told).expect("it can");
    let pushing = origins.iter_mut().enumerate().map(|(place, origin)| {
        let (hub, id) = (hubs[place % hubs.len()].clone(), origin.id());
        let delta = origin.seal(&(0..REQUESTS).map(Do::Put).collect::<Vec<_>>());
        let mut lines = vec![Writer::deltas(id, FeedScope::Public, 1, REQUESTS)];
        lines.extend(delta.lines());
        tokio::spawn(async move { hub.push(id, lines.join(&b'\n'), now()).await })
    });
    for pushed in pushing.collect::<Vec<_>>() {
        let pushed = pushed.await.expect("it ends").expect("a store");
        pushed.expect("it is taken");
    }
    let asked = "SELECT count(*) || ' ' || count(DISTINCT (instance_no, id)) FROM told_of";
    let told = server().run_in(name, &[asked]).expect("it can");
    let all = u64::from(MEMBERS) * REQUESTS;
    assert_eq!(told.trim(), format!("{all} {all}"));
    let open = RequestsAsk {
        home: None,
        words: None,
        order: RequestOrder::OpenFirst,
        after: None,
        limit: 500,
    };
    let page = hubs[1].requests(open, now()).await.expect("a store");
    assert_eq!(page.rows.len() as u64, all);
    assert!(page.rows.iter().all(|row| row.status == To::Open));
}
