//! Running what waits for a network: one thread, for as long as one command lasts.

use anyhow::Result;

/// Waits for the end of something that uses the network.
pub fn wait_for<F: Future>(work: F) -> Result<F::Output> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let done = runtime.block_on(work);
    // A name that is still being looked up must not keep the program from ending.
    runtime.shutdown_background();
    Ok(done)
}
