//! Hearing of what other processes numbered: one connection that listens, made again when it is lost.
//!
//! It only makes it faster. Whoever waits looks again by itself after a while, so what is missed while the
//! connection is away, or with an engine that tells nobody, comes a little later.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio_postgres::{AsyncMessage, Client, Config};

use wb_core::id::InstanceId;

use crate::arrivals::CHANNEL;
use crate::error::Result;
use crate::tls::Tls;
use crate::tx::Tx;

/// The rest before a connection that was lost is made again; longer each time, up to the second.
const REST: Duration = Duration::from_millis(200);
/// What was heard and not told yet, at most.
const WAITING_MAX: usize = 1_024;
const REST_MAX: Duration = Duration::from_secs(10);

/// How it is told that a member follows others than before: programs that do not know this take it for something that
/// they do not know more of.
const FOLLOWS: &str = "follows ";

/// Tells listeners that a member follows others than before: it may wait at another process, by its list of before.
pub(crate) fn tell_follows(tx: &Tx<'_>, member: &InstanceId) -> Result<()> {
    let told = format!("{FOLLOWS}{member}");
    tx.rows("SELECT pg_notify($1, $2)", &[&CHANNEL, &told])?;
    Ok(())
}

/// What was heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// Something arrived of these instances.
    Of(Vec<InstanceId>),
    /// This member follows others than before.
    Follows(InstanceId),
    /// Something may have arrived, and it is not known of whom.
    Something,
}

impl Heard {
    fn read(told: &str) -> Self {
        let follows = told.strip_prefix(FOLLOWS).map(str::parse);
        if let Some(Ok(member)) = follows {
            return Self::Follows(member);
        }
        let origins: Option<Vec<InstanceId>> =
            told.split(' ').map(|origin| origin.parse().ok()).collect();
        origins.map_or(Self::Something, Self::Of)
    }
}

/// Tells of arrivals for as long as it runs. Each time a connection was made it tells as well: something may have
/// been missed before. `hears` says whether it listens just now.
pub(crate) async fn listen(
    config: Config,
    tls: Tls,
    hears: &AtomicBool,
    mut tell: impl FnMut(Heard),
) {
    let mut rest = REST;
    loop {
        let ended = listen_once(&config, &tls, hears, &mut tell, &mut rest).await;
        hears.store(false, Ordering::Relaxed);
        if ended.is_err() {
            rest = (rest * 2).min(REST_MAX);
        }
        tokio::time::sleep(rest).await;
    }
}

async fn listen_once(
    config: &Config,
    tls: &Tls,
    hears: &AtomicBool,
    tell: &mut impl FnMut(Heard),
    rest: &mut Duration,
) -> Result<()> {
    let (client, mut connection) = config.connect(tls.clone()).await?;
    let (told, mut tellings) = tokio::sync::mpsc::channel(WAITING_MAX);
    let was_lost = AtomicBool::new(false);
    // The connection works only while it is asked for messages.
    let asking = async {
        loop {
            let message = std::future::poll_fn(|context| connection.poll_message(context)).await;
            match message {
                Some(Ok(AsyncMessage::Notification(told_now))) => {
                    let heard = Heard::read(told_now.payload());
                    if told.try_send(heard).is_err() {
                        was_lost.store(true, Ordering::Relaxed);
                    }
                }
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(error),
                None => return Ok(()),
            }
        }
    };
    let listening = async {
        begin(&client).await?;
        *rest = REST;
        hears.store(true, Ordering::Relaxed);
        tell(Heard::Something);
        while let Some(heard) = tellings.recv().await {
            tell(heard);
            if was_lost.swap(false, Ordering::Relaxed) {
                tell(Heard::Something);
            }
        }
        Ok(())
    };
    tokio::select! {
        ended = asking => Ok(ended?),
        ended = listening => ended,
    }
}

async fn begin(client: &Client) -> Result<()> {
    Ok(client.batch_execute(&format!("LISTEN {CHANNEL}")).await?)
}

#[cfg(test)]
mod tests {
    use wb_core::id::InstanceId;

    use super::{FOLLOWS, Heard};

    #[test]
    fn what_is_told_is_read_and_what_is_not_known_is_something() {
        let [one, other] = [InstanceId([1; 32]), InstanceId([2; 32])];
        let two = format!("{one} {other}");
        assert_eq!(Heard::read(&two), Heard::Of(vec![one, other]));
        assert_eq!(Heard::read(&format!("{FOLLOWS}{one}")), Heard::Follows(one));
        for told in ["", "follows", "follows x", "something new"] {
            assert_eq!(Heard::read(told), Heard::Something, "{told:?}");
        }
    }
}
