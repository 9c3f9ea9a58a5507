//! The network between simulated nodes and hubs: streams in memory, under the shipped client and server.
//!
//! It knows who can reach whom, and breaks connections as it was told to. What goes over it is looked at
//! by whoever keeps the tape.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};
use tokio::task::JoinHandle;
use wb_net::network::{Answer, Network, Stream};
use wb_net::{RemoteAddress, ServerLimits, serve_stream};

use crate::machine::Machine;
use crate::wire::{Break, Tape, Wire};

/// Bytes on the way before whoever sends has to wait.
const IN_FLIGHT_BYTES: usize = 64 * 1_024;
/// How long connecting to somebody who is cut off takes until it fails.
const LOST_AFTER: Duration = Duration::from_secs(60);
/// The port of every hub.
const PORT: u16 = 8_100;

/// A hub's door: what answers behind it, where something does.
struct Door {
    router: Router,
    machine: Arc<Machine>,
    answering: Vec<JoinHandle<()>>,
}

#[derive(Default)]
struct State {
    doors: BTreeMap<SocketAddr, Door>,
    /// Nodes that do not reach a hub now.
    cut: BTreeSet<(usize, SocketAddr)>,
    /// What befalls the next connection of a node.
    breaks: BTreeMap<usize, Break>,
    tapes: Vec<Tape>,
    /// What befell connections, since this was asked last.
    befallen: Vec<(usize, Break)>,
}

/// The network.
#[derive(Default)]
pub struct Net {
    state: Mutex<State>,
}

/// The address of a community that its peers call, by its number.
pub fn address_of_member(member: usize) -> SocketAddr {
    let last = u8::try_from(member + 1).expect("there are few communities");
    SocketAddr::from((Ipv4Addr::new(10, 0, 2, last), PORT))
}

/// The address of a hub by its number.
pub fn address_of(hub: usize) -> SocketAddr {
    let last = u8::try_from(hub + 1).expect("there are few hubs");
    SocketAddr::from((Ipv4Addr::new(10, 0, 0, last), PORT))
}

impl Net {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on somebody answers under an address.
    pub fn open_door(&self, address: SocketAddr, router: Router, machine: Arc<Machine>) {
        let door = Door {
            router,
            machine,
            answering: Vec::new(),
        };
        self.state().doors.insert(address, door);
    }

    /// Cuts off whoever answers under an address, in the midst of every answer.
    pub fn shut_door(&self, address: SocketAddr) {
        if let Some(door) = self.state().doors.remove(&address) {
            for task in door.answering {
                task.abort();
            }
        }
    }

    /// From now on a node does not reach a hub, or does again.
    pub fn set_cut(&self, node: usize, hub: SocketAddr, is_cut: bool) {
        let mut state = self.state();
        if is_cut {
            state.cut.insert((node, hub));
        } else {
            state.cut.remove(&(node, hub));
        }
    }

    /// Everybody reaches everybody again, and nothing breaks.
    pub fn heal(&self) {
        let mut state = self.state();
        state.cut.clear();
        state.breaks.clear();
    }

    /// What befalls the next connection of a node; none takes it back.
    pub fn set_break(&self, node: usize, what: Option<Break>) {
        let mut state = self.state();
        match what {
            Some(what) => state.breaks.insert(node, what),
            None => state.breaks.remove(&node),
        };
    }

    /// What befell connections since this was asked last.
    pub fn take_befallen(&self) -> Vec<(usize, Break)> {
        std::mem::take(&mut self.state().befallen)
    }

    pub(crate) fn befell(&self, node: usize, what: Break) {
        self.state().befallen.push((node, what));
    }

    pub(crate) fn keep(&self, tape: Tape) {
        self.state().tapes.push(tape);
    }

    /// The tapes of connections that have ended, since this was asked last.
    pub fn take_tapes(&self) -> Vec<Tape> {
        std::mem::take(&mut self.state().tapes)
    }

    /// Sends bytes that were sent before once more, and throws the answer away. Returns whether anybody
    /// answered.
    pub async fn replay(&self, hub: SocketAddr, sent: &[u8]) -> bool {
        let Ok(mut stream) = self.accept(hub) else {
            return false;
        };
        let mut answer = Vec::new();
        let (mut reading, mut writing) = tokio::io::split(&mut stream);
        let write = async {
            let written = writing.write_all(sent).await;
            written.is_ok() && writing.shutdown().await.is_ok()
        };
        let (_, read) = tokio::join!(write, reading.read_to_end(&mut answer));
        read.is_ok() && !answer.is_empty()
    }

    /// A stream to whoever answers under an address.
    fn accept(&self, address: SocketAddr) -> io::Result<Box<dyn Stream>> {
        let mut state = self.state();
        let door = state
            .doors
            .get_mut(&address)
            .ok_or_else(|| io::Error::from(io::ErrorKind::ConnectionRefused))?;
        let (ours, theirs) = duplex(IN_FLIGHT_BYTES);
        let remote = RemoteAddress(SocketAddr::from(([10, 0, 1, 1], PORT)));
        let answering = serve_stream(theirs, remote, door.router.clone(), ServerLimits::default());
        door.answering.retain(|task| !task.is_finished());
        let answering = door.machine.drive(answering);
        door.answering.push(tokio::spawn(answering));
        Ok(Box::new(ours))
    }
}

/// The network as one node has it.
pub struct NodeNetwork {
    net: Arc<Net>,
    node: usize,
}

impl NodeNetwork {
    pub fn new(net: Arc<Net>, node: usize) -> Arc<Self> {
        Arc::new(Self { net, node })
    }

    async fn connect_to(&self, address: SocketAddr) -> io::Result<Box<dyn Stream>> {
        let is_cut = self.net.state().cut.contains(&(self.node, address));
        if is_cut {
            tokio::time::sleep(LOST_AFTER).await;
            return Err(io::ErrorKind::TimedOut.into());
        }
        let what = self.net.state().breaks.remove(&self.node);
        if let Some(Break::Refused) = what {
            self.net.befell(self.node, Break::Refused);
            return Err(io::ErrorKind::ConnectionRefused.into());
        }
        let stream = self.net.accept(address)?;
        let wire = Wire::new(Arc::clone(&self.net), self.node, address, stream, what);
        Ok(Box::new(wire))
    }
}

impl Network for NodeNetwork {
    fn resolve<'a>(&'a self, _name: &'a str, _port: u16) -> Answer<'a, Vec<SocketAddr>> {
        // Hubs are named by their addresses here.
        Box::pin(async { Err(io::ErrorKind::NotFound.into()) })
    }

    fn connect(&self, address: SocketAddr) -> Answer<'_, Box<dyn Stream>> {
        Box::pin(self.connect_to(address))
    }
}
