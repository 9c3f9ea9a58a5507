//! Hearing of what other processes numbered: one connection that listens, made again when it is lost.
//!
//! It only makes it faster. Whoever waits looks again by itself after a while, so what is missed while the
//! connection is away, or with an engine that tells nobody, comes a little later.

use std::time::Duration;

use tokio_postgres::{AsyncMessage, Client, Config};

use crate::arrivals::CHANNEL;
use crate::error::Result;
use crate::tls::Tls;

/// The rest before a connection that was lost is made again; longer each time, up to the second.
const REST: Duration = Duration::from_millis(200);
const REST_MAX: Duration = Duration::from_secs(10);

/// Tells of arrivals for as long as it runs. Each time a connection was made it tells as well: something may have
/// been missed before.
pub(crate) async fn listen(config: Config, tls: Tls, mut tell: impl FnMut()) {
    let mut rest = REST;
    loop {
        if listen_once(&config, &tls, &mut tell, &mut rest)
            .await
            .is_err()
        {
            rest = (rest * 2).min(REST_MAX);
        }
        tokio::time::sleep(rest).await;
    }
}

async fn listen_once(
    config: &Config,
    tls: &Tls,
    tell: &mut impl FnMut(),
    rest: &mut Duration,
) -> Result<()> {
    let (client, mut connection) = config.connect(tls.clone()).await?;
    let (told, mut tellings) = tokio::sync::mpsc::channel(1);
    // The connection works only while it is asked for messages.
    let asking = async move {
        loop {
            let message = std::future::poll_fn(|context| connection.poll_message(context)).await;
            match message {
                Some(Ok(AsyncMessage::Notification(_))) => {
                    // One that waits to be told is as good as two.
                    let _ = told.try_send(());
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
        tell();
        while tellings.recv().await.is_some() {
            tell();
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
