//! Reading ahead: a file is unpacked on a thread of its own, a few blocks before they are asked for.

use std::io::{self, BufRead, Read};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{Builder, JoinHandle};

/// Bytes that are handed over at once.
const BLOCK_BYTES: usize = 262_144;
/// Blocks that wait to be asked for: a megabyte, so that a file that unpacks to much more is noticed before it fills
/// the memory.
const BLOCKS_WAITING: usize = 4;

/// What another thread reads, in order.
pub(super) struct Ahead {
    /// None once it has ended, or failed.
    blocks: Option<Receiver<io::Result<Vec<u8>>>>,
    block: Vec<u8>,
    at: usize,
    thread: Option<JoinHandle<()>>,
}

impl Ahead {
    /// Begins to read.
    ///
    /// # Errors
    /// That there is no thread to be had.
    pub fn new(reader: impl Read + Send + 'static) -> io::Result<Self> {
        let (put, blocks) = sync_channel(BLOCKS_WAITING);
        let thread = Builder::new().spawn(move || read_all(reader, &put))?;
        Ok(Self {
            blocks: Some(blocks),
            block: Vec::new(),
            at: 0,
            thread: Some(thread),
        })
    }
}

/// Hands over blocks until the end, or until nobody wants more. What came before an error is handed over before it.
fn read_all(mut reader: impl Read, put: &SyncSender<io::Result<Vec<u8>>>) {
    loop {
        let mut block = Vec::with_capacity(BLOCK_BYTES);
        let read = (&mut reader)
            .take(BLOCK_BYTES as u64)
            .read_to_end(&mut block);
        let is_end = block.len() < BLOCK_BYTES;
        let is_wanted = block.is_empty() || put.send(Ok(block)).is_ok();
        if let Err(error) = read {
            // Nobody has to hear of it who wants nothing more.
            let _ = put.send(Err(error));
            return;
        }
        if is_end || !is_wanted {
            return;
        }
    }
}

impl BufRead for Ahead {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.at == self.block.len()
            && let Some(blocks) = &self.blocks
        {
            match blocks.recv() {
                Ok(Ok(block)) => (self.block, self.at) = (block, 0),
                Ok(Err(error)) => {
                    self.blocks = None;
                    return Err(error);
                }
                Err(_) => self.blocks = None,
            }
        }
        Ok(&self.block[self.at..])
    }

    fn consume(&mut self, amount: usize) {
        self.at += amount;
    }
}

impl Read for Ahead {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(into)?;
        self.consume(read);
        Ok(read)
    }
}

impl Drop for Ahead {
    fn drop(&mut self) {
        // The thread ends as soon as it finds nobody to hand a block to.
        self.blocks = None;
        if let Some(thread) = self.thread.take() {
            // One that panicked has nothing to tell here: its blocks ended, and the file looks cut.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{self, BufRead as _, Read};

    use super::{Ahead, BLOCK_BYTES};

    /// Gives bytes a few at a time, then an error.
    struct Broken {
        left: usize,
    }

    impl Read for Broken {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            if self.left == 0 {
                return Err(io::Error::other("it is torn here"));
            }
            let some = into.len().min(self.left).min(10_007);
            into[..some].fill(b'a');
            self.left -= some;
            Ok(some)
        }
    }

    #[test]
    fn everything_comes_in_order_and_then_nothing() {
        for length in [0, 1, BLOCK_BYTES - 1, BLOCK_BYTES, 3 * BLOCK_BYTES + 17] {
            let bytes: Vec<u8> = (0..=250).cycle().take(length).collect();
            let mut ahead = Ahead::new(io::Cursor::new(bytes.clone())).expect("a thread");
            let mut read = Vec::new();
            ahead.read_to_end(&mut read).expect("it is whole");
            assert!(read == bytes, "{length} bytes");
            assert_eq!(ahead.fill_buf().expect("an end"), [0; 0]);
        }
    }

    #[test]
    fn what_came_before_an_error_is_read_before_it() {
        for length in [0, 5, BLOCK_BYTES, 2 * BLOCK_BYTES + 5] {
            let mut ahead = Ahead::new(Broken { left: length }).expect("a thread");
            let mut read = Vec::new();
            let error = ahead.read_to_end(&mut read).expect_err("it is torn");
            assert_eq!(
                (read.len(), error.to_string().as_str()),
                (length, "it is torn here")
            );
        }
    }

    #[test]
    fn who_wants_no_more_waits_for_nobody() {
        let mut ahead = Ahead::new(io::repeat(b'a')).expect("a thread");
        assert_eq!(ahead.fill_buf().expect("a block").len(), BLOCK_BYTES);
        drop(ahead);
    }
}
