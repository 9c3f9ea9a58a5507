//! A thread that does what it is given, in order, beside who gives it.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

/// Such a thread. Dropped, it does what it was given, and ends.
#[derive(Debug)]
pub(super) struct Beside<T> {
    /// None once it is to end.
    to_do: Option<SyncSender<T>>,
    thread: Option<JoinHandle<()>>,
}

impl<T: Send + 'static> Beside<T> {
    /// Begins; at most so many wait to be done, and who gives more waits for room.
    pub fn start(waiting: usize, work: impl FnOnce(Receiver<T>) + Send + 'static) -> Self {
        let (give, to_do) = sync_channel(waiting);
        Self {
            to_do: Some(give),
            thread: Some(std::thread::spawn(move || work(to_do))),
        }
    }

    /// Gives it something to do.
    pub fn give(&self, to_do: T) {
        let is_there = self
            .to_do
            .as_ref()
            .is_some_and(|give| give.send(to_do).is_ok());
        assert!(is_there, "the thread ends when this does");
    }
}

impl<T> Drop for Beside<T> {
    fn drop(&mut self) {
        self.to_do = None;
        if let Some(thread) = self.thread.take() {
            // It has nothing to tell.
            let _ = thread.join();
        }
    }
}
