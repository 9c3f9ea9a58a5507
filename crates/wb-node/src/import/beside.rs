//! A value that another thread adds to, beside who reads.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

/// Blocks that wait to be added; who reads waits for room then.
const BLOCKS_WAITING: usize = 4;

/// Something to do there.
#[derive(Debug)]
enum ToDo<P, V> {
    /// These parts come next.
    Add(Vec<P>),
    /// The value of what came so far is wanted.
    Tell(SyncSender<V>),
}

/// Parts cross in blocks, in order. Dropped, it ends the thread.
#[derive(Debug)]
pub(super) struct Beside<P, V> {
    /// None once the thread is to end.
    to_do: Option<SyncSender<ToDo<P, V>>>,
    /// What has not crossed yet.
    block: Vec<P>,
    block_len: usize,
    thread: Option<JoinHandle<()>>,
}

impl<P: Send + 'static, V: Clone + Default + Send + 'static> Beside<P, V> {
    /// Begins with no part; so many cross at once.
    pub fn start(block_len: usize, add: fn(&mut V, Vec<P>)) -> Self {
        let (give, to_do) = sync_channel(BLOCKS_WAITING);
        Self {
            to_do: Some(give),
            block: Vec::with_capacity(block_len),
            block_len,
            thread: Some(std::thread::spawn(move || add_all(&to_do, add))),
        }
    }

    /// Where the next parts are put, of which there are so many.
    pub fn room_for(&mut self, more: usize) -> &mut Vec<P> {
        if self.block.len() + more > self.block_len {
            self.hand_over();
        }
        &mut self.block
    }

    /// The value of all parts so far.
    pub fn so_far(&mut self) -> V {
        self.hand_over();
        let (answer, answered) = sync_channel(1);
        self.give(ToDo::Tell(answer));
        answered.recv().expect("it answers everything")
    }

    fn hand_over(&mut self) {
        let block = std::mem::replace(&mut self.block, Vec::with_capacity(self.block_len));
        self.give(ToDo::Add(block));
    }

    fn give(&self, to_do: ToDo<P, V>) {
        let is_there = self
            .to_do
            .as_ref()
            .is_some_and(|give| give.send(to_do).is_ok());
        assert!(is_there, "the thread ends when this does");
    }
}

fn add_all<P, V: Clone + Default>(to_do: &Receiver<ToDo<P, V>>, add: fn(&mut V, Vec<P>)) {
    let mut value = V::default();
    for next in to_do {
        match next {
            ToDo::Add(block) => add(&mut value, block),
            // Who asked waits for it.
            ToDo::Tell(answer) => drop(answer.send(value.clone())),
        }
    }
}

impl<P, V> Drop for Beside<P, V> {
    fn drop(&mut self) {
        self.to_do = None;
        if let Some(thread) = self.thread.take() {
            // It has nothing to tell.
            let _ = thread.join();
        }
    }
}
