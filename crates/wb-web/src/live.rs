//! Pages that go on by themselves: what is new is sent over a stream to browsers that ask for one.
//!
//! What is sent is a state and not a story: each event has a name and where that stands now. So nothing is
//! kept for who was away; who comes back with the id of the state it knows is sent nothing until it is
//! another. One thread looks for all streams, as long as there are any. A stream ends with its session, when
//! its browser hangs up, and when the site closes.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame};
use tokio::sync::mpsc;
use wb_core::hash;
use wb_core::id::Hash;
use wb_node::query::news::{BrowserStanding, News, browser_standing, news};
use wb_node::{Node, NodeError};
use wb_store::{Home, Role};

use crate::jobs::Jobs;
use crate::limits::{STREAMS_MAX, STREAMS_PER_SESSION_MAX, STREAMS_WAITING_MAX};

/// How often it is looked; what is done on a page of ours is looked at sooner.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Looks after which something is sent where nothing is new: proxies cut what is silent, and who hung up is
/// noticed.
const STILL_HERE_AFTER: u32 = 15;
/// Looks that a browser may be behind; one that takes nothing gets the newest state once it does.
const UNREAD_MAX: usize = 4;
/// Characters of the id of a state.
const ID_CHARS: usize = 16;

/// Where everything stands, by name of event.
type State = BTreeMap<&'static str, String>;

/// The streams of a site.
#[derive(Clone)]
pub(crate) struct Live(Arc<Inner>);

struct Inner {
    home: Home,
    jobs: Jobs,
    streams: Mutex<Streams>,
    poked: Condvar,
}

#[derive(Default)]
struct Streams {
    open: Vec<Stream>,
    is_looking: bool,
    /// Something was done on a page.
    is_poked: bool,
    is_closed: bool,
}

struct Stream {
    session: Hash,
    /// Whether its browser waited to be let in when it was opened.
    waits: bool,
    lines: mpsc::Sender<Bytes>,
    /// The id of what was sent last.
    known: Option<String>,
    sent: State,
    /// Looks since something was sent.
    silent: u32,
}

/// What a browser is answered that asks for a stream.
pub(crate) enum Opened {
    /// The stream.
    Stream(Lines),
    /// As many as are granted are open; it should not ask again by itself.
    Full,
}

/// A stream as the body of an answer.
#[derive(Debug)]
pub(crate) struct Lines(mpsc::Receiver<Bytes>);

impl Body for Lines {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let line = self.0.poll_recv(cx);
        line.map(|line| line.map(|line| Ok(Frame::data(line))))
    }
}

impl Live {
    pub fn new(home: Home, jobs: Jobs) -> Self {
        Self(Arc::new(Inner {
            home,
            jobs,
            streams: Mutex::default(),
            poked: Condvar::new(),
        }))
    }

    /// Opens a stream for a browser that knows a state, or none, and is in or waits.
    pub fn open(&self, session: Hash, known: Option<String>, waits: bool) -> Opened {
        let mut streams = self.0.lock();
        streams.open.retain(|stream| !stream.lines.is_closed());
        let own = streams.open.iter().filter(|open| open.session == session);
        let waiting = streams.open.iter().filter(|open| open.waits);
        let is_full = if waits {
            own.count() >= 1 || waiting.count() >= STREAMS_WAITING_MAX
        } else {
            own.count() >= STREAMS_PER_SESSION_MAX
        };
        let is_full = is_full || streams.open.len() >= STREAMS_MAX;
        if is_full || streams.is_closed {
            return Opened::Full;
        }
        let (lines, receiver) = mpsc::channel(UNREAD_MAX);
        streams.open.push(Stream {
            session,
            waits,
            lines,
            known,
            sent: State::new(),
            silent: 0,
        });
        streams.is_poked = true;
        if !streams.is_looking {
            let inner = Arc::clone(&self.0);
            let looking = std::thread::Builder::new()
                .name("live".to_owned())
                .spawn(move || inner.look());
            streams.is_looking = looking.is_ok();
            if looking.is_err() {
                // Pages ask again by themselves where they get no stream.
                streams.open.clear();
                return Opened::Full;
            }
        }
        drop(streams);
        self.0.poked.notify_all();
        Opened::Stream(Lines(receiver))
    }

    /// Something may be new.
    pub fn poke(&self) {
        self.0.lock().is_poked = true;
        self.0.poked.notify_all();
    }

    /// Ends all streams; no more are opened.
    pub fn close(&self) {
        let mut streams = self.0.lock();
        streams.is_closed = true;
        streams.open.clear();
        drop(streams);
        self.0.poked.notify_all();
    }

    /// Where everything stands for a browser, as one answer.
    pub fn once(&self, node: &Node, session: &Hash) -> Result<String, NodeError> {
        let state = Looked::new(node, &self.0.jobs).state(session)?;
        let state = state.unwrap_or_else(ended);
        Ok(write(&state, &State::new(), &id(&state)))
    }
}

impl Inner {
    fn lock(&self) -> MutexGuard<'_, Streams> {
        self.streams.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks until nobody has a stream any more.
    fn look(&self) {
        let mut node = None;
        loop {
            if node.is_none() {
                node = Node::open(&self.home).ok();
            }
            let is_well = node
                .as_ref()
                .is_some_and(|node| self.look_once(node).is_ok());
            if !is_well {
                // The files may have been exchanged: they are opened again with the next look.
                node = None;
            }
            let mut streams = self.lock();
            streams.open.retain(|stream| !stream.lines.is_closed());
            if streams.open.is_empty() {
                streams.is_looking = false;
                return;
            }
            if !streams.is_poked {
                let waited = self.poked.wait_timeout(streams, LOOK_EVERY);
                streams = waited.unwrap_or_else(PoisonError::into_inner).0;
            }
            streams.is_poked = false;
        }
    }

    fn look_once(&self, node: &Node) -> Result<(), NodeError> {
        let sessions: Vec<Hash> = self.lock().open.iter().map(|open| open.session).collect();
        let looked = Looked::new(node, &self.jobs);
        let mut states = BTreeMap::new();
        for session in sessions {
            states.insert(session, looked.state(&session)?);
        }
        self.lock().open.retain_mut(|stream| {
            match states.get(&stream.session) {
                // Opened meanwhile: it is looked at next time.
                None => true,
                Some(Some(state)) => stream.tell(state),
                Some(None) => {
                    stream.tell(&ended());
                    false
                }
            }
        });
        Ok(())
    }
}

impl Stream {
    /// Sends what is new; false once the browser hung up.
    fn tell(&mut self, state: &State) -> bool {
        let now = id(state);
        let text = if self.known.as_ref() == Some(&now) {
            // What it knows from before it was cut off counts as sent.
            self.sent.clone_from(state);
            self.silent += 1;
            if self.silent < STILL_HERE_AFTER {
                return !self.lines.is_closed();
            }
            ": still here\n\n".to_owned()
        } else {
            write(state, &self.sent, &now)
        };
        match self.lines.try_send(Bytes::from(text)) {
            Ok(()) => {
                self.silent = 0;
                self.known = Some(now);
                self.sent.clone_from(state);
                true
            }
            Err(mpsc::error::TrySendError::Full(_)) => true,
            Err(mpsc::error::TrySendError::Closed(_)) => false,
        }
    }
}

/// The events of what is another than before.
fn write(state: &State, before: &State, id: &str) -> String {
    let news = state
        .iter()
        .filter(|(name, value)| before.get(*name) != Some(value));
    news.map(|(name, value)| format!("id: {id}\nevent: {name}\ndata: {}\n\n", line(value)))
        .collect()
}

/// A text on one line, whatever somebody put into it.
fn line(text: &str) -> String {
    text.chars()
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .collect()
}

fn id(state: &State) -> String {
    let text: String = state
        .iter()
        .map(|(name, value)| format!("{name} {}\n", line(value)))
        .collect();
    let mut id = hash::sha256(text.as_bytes()).to_string();
    id.truncate(ID_CHARS);
    id
}

fn ended() -> State {
    State::from([("ended", "yes".to_owned())])
}

/// One look. What is the same for everybody is looked up once, and only where somebody is in.
struct Looked<'n> {
    node: &'n Node,
    jobs: &'n Jobs,
    news: std::cell::OnceCell<News>,
}

impl<'n> Looked<'n> {
    fn new(node: &'n Node, jobs: &'n Jobs) -> Self {
        Self {
            node,
            jobs,
            news: std::cell::OnceCell::new(),
        }
    }

    fn news(&self) -> Result<News, NodeError> {
        if let Some(news) = self.news.get() {
            return Ok(*news);
        }
        let found = news(self.node)?;
        Ok(*self.news.get_or_init(|| found))
    }

    /// What a browser is told; none once its session is over.
    fn state(&self, session: &Hash) -> Result<Option<State>, NodeError> {
        let mut state = State::new();
        let word = match browser_standing(self.node, session)? {
            BrowserStanding::Ended => return Ok(None),
            BrowserStanding::Waits => "waits",
            BrowserStanding::LetIn => "let-in",
            BrowserStanding::AccountWaits => "account-waits",
            BrowserStanding::In(role) => {
                let news = self.news()?;
                state.insert("arrived", news.arrived.to_string());
                if role >= Role::Steward {
                    state.insert("waiting", news.waiting.to_string());
                    state.extend(self.jobs.current().map(|job| ("sync", job.progress())));
                }
                "in"
            }
        };
        state.insert("session", word.to_owned());
        Ok(Some(state))
    }
}
