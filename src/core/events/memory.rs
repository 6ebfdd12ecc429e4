//! What was delivered, so that what a server replays is not delivered again.

use super::parser::Event;

/// An event as two hashes: 16 bytes, however long it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Entry {
    id: u64,
    /// Id, type and data.
    whole: u64,
}

/// The newest delivered events that had an id of their own.
///
/// A server answers `Last-Event-ID` with what came after it, as far as it knows: what crossed the end of a connection
/// comes twice. So after [`source_changed`](Memory::source_changed), and only until the first event with an id that is
/// new, an event whose id, type and data all equal a remembered one is dropped. Within a connection nothing is, so
/// that a server that uses its ids again loses nothing.
#[derive(Clone, Debug)]
pub struct Memory {
    /// A ring, once it is full. It grows as events come.
    entries: Vec<Entry>,
    oldest: usize,
    capacity: usize,
    seed: u64,
    replaying: bool,
}

impl Memory {
    /// Remembers `capacity` events. Default 1,024; 0 turns it off.
    ///
    /// The seed keeps anybody from making two events that look like one.
    #[must_use]
    pub fn new(capacity: usize, seed: u64) -> Memory {
        Memory { entries: Vec::new(), oldest: 0, capacity, seed, replaying: false }
    }

    /// What comes now may come again: a reconnect, a hand-over between tabs, a change between stream and polling.
    pub fn source_changed(&mut self) {
        self.replaying = true;
    }

    /// Whether an event is to be delivered; then it is remembered.
    ///
    /// An event without an id of its own, or with an empty one, which names nothing, is always delivered. So is a known
    /// id with another type or other data. Neither ends a replay.
    pub fn admit(&mut self, event: &Event<'_>) -> bool {
        let Some(entry) = self.entry(event) else { return true };
        if self.replaying {
            let mut known = false;
            for earlier in &self.entries {
                if *earlier == entry {
                    return false;
                }
                known |= earlier.id == entry.id;
            }
            self.replaying = known;
        }
        self.remember(entry);
        true
    }

    /// Whether this very event was delivered, as far as that is remembered.
    #[must_use]
    pub fn knows(&self, event: &Event<'_>) -> bool {
        self.entry(event).is_some_and(|entry| self.entries.contains(&entry))
    }

    /// Whether an event of this id was delivered, as far as that is remembered.
    #[must_use]
    pub fn knows_id(&self, id: &[u8]) -> bool {
        let id = mix(self.seed, id);
        self.entries.iter().any(|entry| entry.id == id)
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.entries = Vec::new();
        self.oldest = 0;
        self.replaying = false;
    }

    fn entry(&self, event: &Event<'_>) -> Option<Entry> {
        let id = event.id.filter(|id| !id.is_empty() && self.capacity > 0)?;
        let hash = mix(self.seed, id);
        Some(Entry { id: hash, whole: mix(mix(hash, event.kind), event.data) })
    }

    fn remember(&mut self, entry: Entry) {
        if self.entries.len() < self.capacity {
            self.entries.push(entry);
            return;
        }
        self.entries[self.oldest] = entry;
        self.oldest = (self.oldest + 1) % self.capacity;
    }
}

/// Mixes a text into a hash, its length too, so that it counts where one text ends and the next begins.
///
/// Each step turns the hash around by a bijection of what it was: texts that differ in one word never collide.
fn mix(hash: u64, text: &[u8]) -> u64 {
    let mut hash = step(hash, text.len() as u64);
    let (words, last) = text.as_chunks::<8>();
    for word in words {
        hash = step(hash, u64::from_le_bytes(*word));
    }
    step(hash, last.iter().fold(0, |word, &byte| word << 8 | u64::from(byte)))
}

fn step(hash: u64, word: u64) -> u64 {
    // The fraction of the golden ratio. The low half of a product knows nothing of the high bits of its factors.
    let product = (hash ^ word).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    product ^ (product >> 32)
}
