//! Those who wait: each has a list of some communities, and asks for what is new with an answer held back.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::task::JoinSet;
use wb_core::ndjson::{lines, split_first};
use wb_core::sync::{ChangesSection, FollowList};
use wb_net::HubClient;

use super::sent::Sent;
use super::{Place, Registered};
use crate::cli::Many;
use crate::error::{BenchError, Result};
use crate::words::Dice;

/// How long a hub is asked to hold an answer back.
const HELD_BACK: Duration = Duration::from_secs(55);
/// How a signed header begins on its line.
const HEADER_START: &[u8] = b"{\"signature\"";
/// Dice of who follows whom.
const FOR_FOLLOWING: u64 = 77;

/// Everybody who waits, until this is dropped.
pub struct Waiting {
    running: JoinSet<()>,
    begun: Arc<AtomicU64>,
    count: u64,
}

/// Lets the first of the members wait.
pub async fn start(
    place: &Arc<Place>,
    members: &[Registered],
    input: &Many,
    sent: &Arc<Sent>,
) -> Result<Waiting> {
    let begun = Arc::new(AtomicU64::new(0));
    let mut running = JoinSet::new();
    let count = usize::try_from(input.waiting).unwrap_or(usize::MAX);
    for (nth, own) in members.iter().take(count).enumerate() {
        let mut dice = Dice::new(FOR_FOLLOWING, nth as u64, 0);
        let mut followed = BTreeSet::new();
        let all = members.len() as u64;
        while (followed.len() as u64) < input.follows.min(all - 1) {
            let other = usize::try_from(dice.below(all)).expect("an index");
            if other != nth {
                followed.insert(members[other].member.id());
            }
        }
        for origin in &followed {
            sent.follows(*origin);
        }
        let list = FollowList {
            counter: 1,
            follow: followed.into_iter().collect(),
            ..FollowList::default()
        };
        let mut client = own.member.client(place);
        client.put_follows(&list).await?;
        let heads = client.heads(None).await?;
        let (sent, begun) = (Arc::clone(sent), Arc::clone(&begun));
        running.spawn(async move {
            begun.fetch_add(1, Ordering::Relaxed);
            if let Err(error) = wait(client, heads.cursor, &sent).await {
                eprintln!("wb-bench: one who waits: {error}");
            }
        });
    }
    Ok(Waiting {
        running,
        begun,
        count: input.waiting.min(members.len() as u64),
    })
}

async fn wait(mut client: HubClient, mut since: wb_core::sync::Cursor, sent: &Sent) -> Result<()> {
    loop {
        let body = client.changes(&since, HELD_BACK, None).await?;
        let (first, rest) = split_first(&body);
        let section = ChangesSection::read(first)
            .map_err(|rule| BenchError::Wrong(rule.as_str().to_owned()))?;
        for line in lines(rest).filter(|line| line.starts_with(HEADER_START)) {
            if let Ok((_, hash)) = wb_store::header_of(line) {
                sent.has(&hash);
            }
        }
        since = section.cursor;
    }
}

impl Waiting {
    /// Ends when all have begun.
    pub async fn all_wait(&self) {
        while self.begun.load(Ordering::Relaxed) < self.count {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Lets go of all.
    pub fn end(mut self) {
        self.running.abort_all();
    }
}
