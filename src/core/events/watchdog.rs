//! Silence that means that a connection is dead.

use crate::core::time::{Duration, Timestamp};

/// The patience with a stream that proves to be quiet grows to this.
const PATIENCE_MAX: Duration = Duration::from_secs(600);

/// Counts from the last byte, by wall clock: a laptop that slept finds out as soon as it wakes.
#[derive(Debug)]
pub struct Watchdog {
    /// None: silence means nothing.
    patience: Option<Duration>,
    heard: Timestamp,
    /// Since when it has not been silent for as long as the first patience.
    lively_since: Timestamp,
    any_byte: bool,
    /// How often the patience has doubled.
    quiet: u32,
    held: bool,
}

impl Watchdog {
    /// For the connections of one stream.
    #[must_use]
    pub fn new(patience: Option<Duration>) -> Watchdog {
        Watchdog { patience, heard: Timestamp(0), lively_since: Timestamp(0), any_byte: false, quiet: 0, held: false }
    }

    /// A connection opened.
    pub fn start(&mut self, now: Timestamp) {
        self.heard = now;
        self.lively_since = now;
        self.any_byte = false;
    }

    /// Bytes came. Whether they are the first of the connection.
    pub fn feed(&mut self, now: Timestamp) -> bool {
        if let Some(patience) = self.patience {
            if now.since(self.heard) > patience {
                self.lively_since = now;
            } else if now.since(self.lively_since) > patience * 2 {
                // It died more than once, and is not a quiet one.
                self.quiet = 0;
            }
        }
        self.heard = now;
        !std::mem::replace(&mut self.any_byte, true)
    }

    /// The reader holds the stream back, or lets it go: silence counts from there.
    pub fn hold(&mut self, now: Timestamp, held: bool) {
        self.held = held;
        self.heard = now;
    }

    /// When silence means that the connection is dead.
    #[must_use]
    pub fn barks_at(&self) -> Option<Timestamp> {
        let patience = self.patience.filter(|_| !self.held)?;
        let grown = patience.saturating_mul(2u32.saturating_pow(self.quiet));
        Some(self.heard + grown.min(PATIENCE_MAX.max(patience)))
    }

    /// It was silent for too long. A stream that said something before is perhaps only quiet, and is given twice the
    /// time. Whether it did.
    pub fn bark(&mut self) -> bool {
        self.quiet += u32::from(self.any_byte);
        self.any_byte
    }

    /// The patience of the beginning: a connection ended by itself, or somebody asked for one.
    pub fn reset(&mut self) {
        self.quiet = 0;
    }
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    /// After one death, bytes come so often for ten minutes.
    fn patience_after(every: Duration) -> Duration {
        let mut watchdog = Watchdog::new(Some(MINUTE));
        let mut now = Timestamp(0);
        watchdog.start(now);
        watchdog.feed(now);
        watchdog.bark();
        watchdog.start(now);
        while now < Timestamp(0) + MINUTE * 10 {
            now = now + every;
            watchdog.feed(now);
        }
        watchdog.barks_at().expect("it watches").since(now)
    }

    #[test]
    fn a_stream_that_died_but_is_lively_otherwise_is_given_no_more_time_for_good() {
        assert_eq!(patience_after(Duration::from_secs(15)), MINUTE);
    }

    #[test]
    fn a_stream_that_is_quiet_by_nature_keeps_the_time_that_it_was_given() {
        assert_eq!(patience_after(Duration::from_secs(110)), MINUTE * 2);
    }
}
