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
    any_byte: bool,
    /// How often the patience has doubled.
    quiet: u32,
    held: bool,
}

impl Watchdog {
    /// For the connections of one stream.
    #[must_use]
    pub fn new(patience: Option<Duration>) -> Watchdog {
        Watchdog { patience, heard: Timestamp(0), any_byte: false, quiet: 0, held: false }
    }

    /// A connection opened.
    pub fn start(&mut self, now: Timestamp) {
        self.heard = now;
        self.any_byte = false;
    }

    /// Bytes came. Whether they are the first of the connection.
    pub fn feed(&mut self, now: Timestamp) -> bool {
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
