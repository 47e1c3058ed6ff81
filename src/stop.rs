//! The wish that a run end, as all its parts see it.

use std::future::pending;

use tokio::sync::watch;

/// Sees whether the run is to end.
#[derive(Clone, Debug)]
pub struct Stop(watch::Receiver<bool>);

/// Makes every [`Stop`] see it.
#[derive(Debug)]
pub struct StopSender(watch::Sender<bool>);

/// A pair of both.
pub fn channel() -> (StopSender, Stop) {
    let (sender, receiver) = watch::channel(false);
    (StopSender(sender), Stop(receiver))
}

impl StopSender {
    /// The run is to end.
    pub fn request(&self) {
        self.0.send_replace(true);
    }
}

impl Stop {
    /// True once the run is to end.
    pub fn is_requested(&self) -> bool {
        *self.0.borrow()
    }

    /// Returns once the run is to end.
    pub async fn requested(&mut self) {
        if self.0.wait_for(|stop| *stop).await.is_err() {
            pending().await
        }
    }
}
