//! Those who push: each of a few goes through its part of the communities, again and again.

use std::sync::Arc;

use tokio::task::JoinSet;
use tokio::time::Instant;

use super::sent::Sent;
use super::{Registered, joined};
use crate::cli::Many;
use crate::error::{BenchError, Result};
use crate::words::Writer as Author;

/// Pushes one record after the other until a time; tells how many the hub took.
pub async fn push(
    members: Vec<Registered>,
    input: &Many,
    sent: &Arc<Sent>,
    until: Instant,
) -> Result<u64> {
    let author = Arc::new(Author::default());
    let mut parts: Vec<Vec<Registered>> = (0..input.pushing.max(1)).map(|_| Vec::new()).collect();
    let count = parts.len();
    for (nth, member) in members.into_iter().enumerate() {
        parts[nth % count].push(member);
    }
    let mut running = JoinSet::new();
    for part in parts {
        let (sent, author) = (Arc::clone(sent), Arc::clone(&author));
        running.spawn(one(part, sent, author, until));
    }
    let mut pushes = 0;
    while let Some(one) = running.join_next().await {
        pushes += joined(Some(one))?;
    }
    Ok(pushes)
}

async fn one(
    mut part: Vec<Registered>,
    sent: Arc<Sent>,
    author: Arc<Author>,
    until: Instant,
) -> Result<u64> {
    let mut pushes = 0;
    loop {
        for Registered { member, client } in &mut part {
            if Instant::now() >= until {
                return Ok(pushes);
            }
            let sealed = member.seal(1, &author)?;
            sent.begins(sealed.header);
            let pushed = client.push(sealed.body).await?;
            if pushed.feeds.iter().any(|feed| feed.outcome != "append") {
                return Err(BenchError::Wrong(format!("a push was {:?}", pushed.feeds)));
            }
            sent.is_taken(&member.id());
            pushes += 1;
        }
    }
}
