//! Asks a hub for a page of a snapshot again and again, and a plain server of files for the same body, in turns.
//! What comes is not looked at: only giving it is measured.

use std::path::Path;

use http::header::{HeaderName, HeaderValue};
use wb_core::protocol::{CALLS, PROTOCOL};
use wb_core::signed::Signer;
use wb_core::sync::signature::{OutgoingRequest, sign_request};
use wb_net::{Base, BodyLimit, Connection, Outgoing, Reach};
use wb_node::Node;
use wb_node::keys::signer as key_file;
use wb_node::sync::key_of;
use wb_store::{Home, Peer};

use super::{Report, runtime};
use crate::clock::Stopwatch;
use crate::error::{BenchError, Result};

/// The largest body that is taken.
const BODY_BYTES_MAX: usize = 64 * 1_024 * 1_024;
/// Bodies of one turn, so that one answer that came late is not all of it.
const OF_ONE_TURN: u32 = 10;
/// The name of the file with the same body.
const NAME: &str = "page";

/// Takes so many turns; the body is put into the folder that the plain server serves.
pub fn serving(home: &Path, files: &str, dir: &Path, times: u32) -> Result<Report> {
    let node = Node::open(&Home::new(home))?;
    let hub = node.store().peers()?.pop();
    let hub = hub.ok_or_else(|| BenchError::Wrong("no hub is known".to_owned()))?;
    let path = format!("{CALLS}{}/snapshot/{}/public", PROTOCOL.max, node.own_id());
    let (mut from_hub, mut from_files) = (connection(&hub.address)?, connection(files)?);
    let (limit, signer) = (
        BodyLimit::bytes(BODY_BYTES_MAX),
        key_file(node.store().home(), &node.identity().newest().signing_key)?,
    );
    runtime()?.block_on(async {
        let first = get(&mut from_hub, signed(&node, &signer, &hub, &path)?, limit).await?;
        let file = dir.join(NAME);
        std::fs::write(&file, &first).map_err(BenchError::file(&file))?;
        let mut report = Report {
            bytes: first.len() as u64,
            ..Report::default()
        };
        for _ in 0..times {
            let watch = Stopwatch::start();
            for _ in 0..OF_ONE_TURN {
                get(&mut from_hub, signed(&node, &signer, &hub, &path)?, limit).await?;
            }
            report
                .samples_s
                .push(watch.elapsed().as_secs_f64() / f64::from(OF_ONE_TURN));
            let watch = Stopwatch::start();
            for _ in 0..OF_ONE_TURN {
                get(&mut from_files, Outgoing::get(format!("/{NAME}")), limit).await?;
            }
            report
                .beside_s
                .push(watch.elapsed().as_secs_f64() / f64::from(OF_ONE_TURN));
        }
        Ok(report)
    })
}

fn connection(address: &str) -> Result<Connection> {
    let base = Base::parse(address);
    let base = base.map_err(|error| BenchError::Wrong(format!("{address}: {error}")))?;
    Ok(Connection::new(base, Reach::Lan))
}

async fn get(connection: &mut Connection, asked: Outgoing, limit: BodyLimit) -> Result<Vec<u8>> {
    let answer = connection.send(asked, limit).await;
    let answer = answer.map_err(|error| BenchError::Wrong(format!("asking: {error}")))?;
    if answer.status == 200 {
        Ok(answer.body)
    } else {
        let said = String::from_utf8_lossy(&answer.body).into_owned();
        Err(BenchError::Wrong(format!(
            "status {}: {said}",
            answer.status
        )))
    }
}

fn signed(node: &Node, signer: &Signer, hub: &Peer, path: &str) -> Result<Outgoing> {
    let request = OutgoingRequest {
        method: "GET",
        path,
        query: None,
        to: hub.id,
        body: None,
        now: wb_node::service::clock()(),
    };
    let fields = sign_request(&request, key_of(node.identity()), signer);
    let mut outgoing = Outgoing::get(path);
    let mut put = |name: &'static str, value: &str| -> Result<()> {
        let value = HeaderValue::from_str(value);
        let value = value.map_err(|error| BenchError::Wrong(format!("{name}: {error}")))?;
        outgoing
            .headers
            .push((HeaderName::from_static(name), value));
        Ok(())
    };
    put("accept-encoding", "zstd")?;
    put("wb-to", &fields.to)?;
    put("signature-input", &fields.signature_input)?;
    put("signature", &fields.signature)?;
    Ok(outgoing)
}
