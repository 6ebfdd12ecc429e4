//! The stream format (HTML section 9.2.6), read from bytes as they come, however they were cut.
//!
//! Three decisions make it fast. Bytes are searched for their line end and copied in one pass, eight at a time. Nothing
//! is decoded here: the host decodes many events with one call and slices by the UTF-16 lengths that it finds in the
//! records. And no buffer is made for an event: all of them reuse a few.

use std::mem::swap;

/// One complete event, as its bytes came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event<'a> {
    /// Only when this block had an `id` line of its own; NUL makes a line none. An empty one takes the last event ID back.
    pub id: Option<&'a [u8]>,
    /// Empty for `message`.
    pub kind: &'a [u8],
    /// The data lines, joined with LF.
    pub data: &'a [u8],
}

/// In a record: the last event ID is still that of the event before.
pub const UNCHANGED: u32 = u32::MAX;

/// Buffers that grew beyond this for one large event are given back.
const KEPT_BYTES: usize = 64 * 1024;

const BOM: &[u8] = b"\xEF\xBB\xBF";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    Data,
    Kind,
    Id,
    Retry,
    /// A comment, or a name that nobody knows.
    Other,
}

/// The stream of one source, over all its connections.
#[derive(Clone, Debug)]
pub struct Parser {
    max_event_bytes: usize,
    /// The batch up to `batch`, then the data of the block that is being read, up to `end`; then room.
    text: Vec<u8>,
    batch: usize,
    end: usize,
    records: Vec<[u32; 4]>,
    /// How many bytes more than UTF-16 units the data of this block has.
    surplus: u32,
    kind: Vec<u8>,
    /// Of this block, while `has_id`.
    id: Vec<u8>,
    has_id: bool,
    last_id: Vec<u8>,
    /// Whether a record carried `last_id`.
    told: bool,
    too_large: bool,
    /// Of the line that is being read; `None` while its name is not complete.
    field: Option<Field>,
    /// What earlier chunks held of a name, or of a value other than data.
    line: Vec<u8>,
    /// How many bytes of a byte order mark were seen.
    bom: usize,
    after_cr: bool,
    retry: Option<u64>,
    skipped: u32,
}

impl Parser {
    /// Starts a stream. An event whose data, type and own id together are longer than `max_event_bytes` is skipped.
    /// Default 8 MiB.
    #[must_use]
    pub fn new(max_event_bytes: usize) -> Parser {
        Parser {
            max_event_bytes,
            text: Vec::new(),
            batch: 0,
            end: 0,
            records: Vec::new(),
            surplus: 0,
            kind: Vec::new(),
            id: Vec::new(),
            has_id: false,
            last_id: Vec::new(),
            told: false,
            too_large: false,
            field: None,
            line: Vec::new(),
            bom: 0,
            after_cr: false,
            retry: None,
            skipped: 0,
        }
    }

    /// Starts a new connection. A block that was not complete is dropped, with its id. The last event ID stays, as it
    /// does in browsers, and the next event carries it.
    pub fn restart(&mut self) {
        self.drop_block();
        self.told = false;
        self.field = None;
        self.line.clear();
        self.bom = 0;
        self.after_cr = false;
    }

    /// Takes the next bytes. The batch holds what they complete, and nothing of what it held before.
    ///
    /// `keep` says whether an event is to be delivered. One that it refuses leaves no trace in the batch.
    pub fn push(&mut self, chunk: &[u8], mut keep: impl FnMut(Event<'_>) -> bool) {
        self.read(chunk, &mut keep);
    }

    /// The events of the batch, one after another, to be decoded as UTF-8.
    ///
    /// Each is its data, LF; its last event ID, LF, where that is another than the event's before, or the first of a
    /// connection; its type, LF, unless that is `message`. No sequence that is cut off at the end of a part reaches over
    /// the LF, so each part decodes as it would alone.
    #[must_use]
    pub fn text(&self) -> &[u8] {
        &self.text[..self.batch]
    }

    /// Four words for each event of the batch: its bytes in the text with all its LFs, and the UTF-16 units of its data,
    /// of its last event ID or [`UNCHANGED`], and of its type, 0 for `message`.
    ///
    /// The units are right for valid UTF-8 only. Where U+FFFD comes up in the decoded text, the bytes help.
    #[must_use]
    pub fn records(&self) -> &[u32] {
        self.records.as_flattened()
    }

    /// The last event ID: what the newest blank line made valid, also that of a block without data.
    #[must_use]
    pub fn last_id(&self) -> &[u8] {
        &self.last_id
    }

    /// Goes on from an ID that another connection or tab has reached.
    pub fn set_last_id(&mut self, id: &[u8]) {
        if self.last_id != id {
            self.last_id.clear();
            self.last_id.extend_from_slice(id);
            self.told = false;
        }
    }

    /// The newest reconnection time since the last question, in milliseconds.
    pub fn take_retry(&mut self) -> Option<u64> {
        self.retry.take()
    }

    /// How many events were too large since the last question.
    pub fn take_skipped(&mut self) -> u32 {
        std::mem::take(&mut self.skipped)
    }

    fn read(&mut self, chunk: &[u8], keep: &mut dyn FnMut(Event<'_>) -> bool) {
        self.make_room(chunk.len());
        let mut at = self.start(chunk);
        while let Some(&first) = chunk.get(at) {
            let field = match self.field {
                Some(field) => field,
                None => {
                    let whole = self.line.is_empty();
                    if !whole {
                        self.line.push(first);
                    } else if is_line_end(first) {
                        self.dispatch(keep);
                        at = self.next_line(chunk, at);
                        continue;
                    }
                    let Some((field, start)) = field(if whole { after(chunk, at) } else { &self.line }) else {
                        if whole {
                            self.line.push(first);
                        }
                        at += 1;
                        continue;
                    };
                    // Of a name that was cut, this byte settled it. It is the value's, or ends the line, unless it was
                    // the blank after the colon.
                    at += if whole { start } else { usize::from(start == self.line.len()) };
                    self.line.clear();
                    field
                }
            };

            // Wherever the value belongs, it is copied behind the data: one loop for all lines.
            let rest = after(chunk, at);
            let (len, non_ascii) = copy_line(rest, part_mut(&mut self.text, self.end, rest.len()));
            at += len;
            let ended = at < chunk.len();
            match field {
                Field::Data => self.take_data(len, non_ascii, ended),
                Field::Other => {}
                _ => self.take_value(field, len, ended),
            }
            if !ended {
                self.field = Some(field);
                return;
            }
            self.field = None;
            at = self.next_line(chunk, at);
        }
    }

    /// Where the first line starts: after a byte order mark at the very start, or the LF of a CRLF that was cut.
    fn start(&mut self, chunk: &[u8]) -> usize {
        let mut at = 0;
        while let (Some(expected), Some(byte)) = (BOM.get(self.bom), chunk.get(at)) {
            if byte != expected {
                // What began like one begins no name that is known.
                if self.bom > 0 {
                    self.field = Some(Field::Other);
                }
                self.bom = BOM.len();
                break;
            }
            self.bom += 1;
            at += 1;
        }
        if self.after_cr && !chunk.is_empty() {
            self.after_cr = false;
            at += usize::from(chunk[0] == b'\n');
        }
        at
    }

    /// Where the line after the one that ends at `at` starts.
    #[inline(always)]
    fn next_line(&mut self, chunk: &[u8], at: usize) -> usize {
        if chunk[at] == b'\n' {
            return at + 1;
        }
        let next = chunk.get(at + 1);
        self.after_cr = next.is_none();
        at + 1 + usize::from(next == Some(&b'\n'))
    }

    /// Lets go of the batch, and makes the text long enough for whatever the chunk turns into. What one byte of a chunk
    /// adds to the text is one byte at most; besides, what earlier chunks brought of a type and of ids is copied there once.
    fn make_room(&mut self, chunk_len: usize) {
        self.records.clear();
        self.records.shrink_to(KEPT_BYTES / size_of::<[u32; 4]>());
        if self.batch > 0 {
            self.text.copy_within(self.batch..self.end, 0);
            self.end -= self.batch;
            self.batch = 0;
        }
        if !self.has_id {
            self.id.clear();
        }
        for buffer in [&mut self.kind, &mut self.id, &mut self.line] {
            if buffer.is_empty() && buffer.capacity() > KEPT_BYTES {
                *buffer = Vec::new();
            }
        }
        let room = self.end + chunk_len + self.line.len() + self.kind.len() + self.id.len() + self.last_id.len() + 4;
        if self.text.len() < room {
            self.text.resize(room, 0);
        } else if self.text.len() > KEPT_BYTES.max(4 * room) {
            // Not at less than a fourth: chunks that are long and short by turns would make it grow and shrink at each.
            self.text.truncate(room);
            self.text.shrink_to_fit();
        }
    }

    /// Appends what stands behind the data to it.
    #[inline(always)]
    fn take_data(&mut self, len: usize, non_ascii: bool, ended: bool) {
        if !self.too_large {
            let start = self.end;
            self.end += len;
            if non_ascii {
                self.surplus = self.surplus.wrapping_add(surplus(part(&self.text, start, len)));
            }
            if self.end - self.batch + self.kind.len() + self.own_id_len() > self.max_event_bytes {
                self.skip_block();
            }
        }
        if self.too_large {
            self.end = self.batch + 1;
        } else if ended {
            self.text[self.end] = b'\n';
            self.end += 1;
        }
    }

    /// Takes the value of a line other than data, or a part of it, that stands behind the data.
    fn take_value(&mut self, field: Field, len: usize, ended: bool) {
        let mut value = part(&self.text, self.end, len);
        if !ended || !self.line.is_empty() {
            // One byte too many is enough to know.
            let wanted = self.max_event_bytes.saturating_add(1) - self.line.len();
            self.line.extend_from_slice(part(value, 0, len.min(wanted)));
            value = &self.line;
        }
        let fits = value.len() <= self.max_event_bytes;
        let data_len = (self.end - self.batch).saturating_sub(1);
        let beside = data_len + if field == Field::Kind { self.own_id_len() } else { self.kind.len() };
        let too_large = field != Field::Retry && beside + value.len() > self.max_event_bytes;
        if ended && fits {
            let place = match field {
                Field::Retry => {
                    self.retry = digits(value).or(self.retry);
                    None
                }
                Field::Kind => Some(&mut self.kind),
                Field::Id if value.iter().all(|&byte| byte != 0) => {
                    self.has_id = true;
                    Some(&mut self.id)
                }
                _ => None,
            };
            if let Some(place) = place {
                place.clear();
                place.extend_from_slice(value);
            }
        }
        if ended {
            self.line.clear();
        }
        // Its type too, if that is what was taken just now.
        if too_large || self.too_large {
            self.skip_block();
        }
    }

    /// A blank line: what was read is an event, if there was data.
    #[inline(always)]
    fn dispatch(&mut self, keep: &mut dyn FnMut(Event<'_>) -> bool) {
        let own_id = self.has_id;
        if own_id && self.id != self.last_id {
            swap(&mut self.id, &mut self.last_id);
            self.told = false;
        }
        if self.end > self.batch {
            if self.too_large {
                self.skipped = self.skipped.saturating_add(1);
            } else {
                let event = Event {
                    id: own_id.then_some(&self.last_id),
                    kind: &self.kind,
                    data: part(&self.text, self.batch, self.end - 1 - self.batch),
                };
                if keep(event) {
                    self.record();
                }
            }
        }
        self.drop_block();
    }

    /// Makes the block's data part of the batch.
    #[inline(always)]
    fn record(&mut self) {
        let data_units = ((self.end - self.batch - 1) as u32).wrapping_sub(self.surplus);
        let mut id_units = UNCHANGED;
        if !self.told {
            self.told = true;
            id_units = append(&mut self.text, &mut self.end, &self.last_id);
        }
        let mut kind_units = 0;
        if !self.kind.is_empty() {
            // 0 says that there is none, and invalid bytes may count as nothing.
            kind_units = append(&mut self.text, &mut self.end, &self.kind).max(1);
        }
        self.records.push([(self.end - self.batch) as u32, data_units, id_units, kind_units]);
        self.batch = self.end;
    }

    /// Nothing of this block is kept but its id. What is behind the batch only tells that there was data.
    fn skip_block(&mut self) {
        self.too_large = true;
        self.end = self.end.min(self.batch + 1);
        self.kind.clear();
    }

    #[inline(always)]
    fn drop_block(&mut self) {
        self.end = self.batch;
        self.surplus = 0;
        self.too_large = false;
        self.has_id = false;
        self.kind.clear();
    }

    fn own_id_len(&self) -> usize {
        if self.has_id { self.id.len() } else { 0 }
    }
}

/// The field of a line, and where its value starts; `None` where more bytes are needed to tell.
#[inline(always)]
fn field(line: &[u8]) -> Option<(Field, usize)> {
    let word = match line.first_chunk::<8>() {
        Some(first) => u64::from_le_bytes(*first),
        None => line.iter().rev().fold(0, |word, &byte| word << 8 | u64::from(byte)),
    };
    let (field, name, len) = match word as u8 {
        b'd' => (Field::Data, u64::from_le_bytes(*b"data\0\0\0\0"), 4),
        b'e' => (Field::Kind, u64::from_le_bytes(*b"event\0\0\0"), 5),
        b'i' => (Field::Id, u64::from_le_bytes(*b"id\0\0\0\0\0\0"), 2),
        b'r' => (Field::Retry, u64::from_le_bytes(*b"retry\0\0\0"), 5),
        _ => return Some((Field::Other, 0)),
    };
    let same = (word ^ name).trailing_zeros() as usize / 8;
    if same < len {
        return if same < line.len() { Some((Field::Other, 0)) } else { None };
    }
    let after = word >> (8 * len);
    match after as u8 {
        b':' if line.len() > len + 1 => Some((field, len + 1 + usize::from((after >> 8) as u8 == b' '))),
        b'\n' | b'\r' => Some((field, len)),
        b':' => None,
        _ if line.len() > len => Some((Field::Other, 0)),
        _ => None,
    }
}

// Built for size, `text[start..]` is a call that returns through memory, and costs as much as reading a line does. These
// are not calls. There is room for all that a chunk brings, so nothing is ever missing.

#[inline(always)]
fn after(text: &[u8], start: usize) -> &[u8] {
    debug_assert!(start <= text.len());
    text.get(start..).unwrap_or_default()
}

#[inline(always)]
fn part(text: &[u8], start: usize, len: usize) -> &[u8] {
    debug_assert!(start + len <= text.len());
    text.get(start..start + len).unwrap_or_default()
}

#[inline(always)]
fn part_mut(text: &mut [u8], start: usize, len: usize) -> &mut [u8] {
    debug_assert!(start + len <= text.len());
    text.get_mut(start..start + len).unwrap_or_default()
}

/// Copies a line without its end, or all there is of it; tells how many bytes, and whether any is beyond ASCII. What is
/// written behind them has no meaning.
#[inline(always)]
fn copy_line(from: &[u8], to: &mut [u8]) -> (usize, bool) {
    let (words, last) = from.as_chunks::<8>();
    let (copies, last_copies) = to.as_chunks_mut::<8>();
    let mut seen = 0;
    let mut len = 0;
    for (word, copy) in words.iter().zip(copies) {
        *copy = *word;
        let word = u64::from_le_bytes(*word);
        let ends = zeros(word ^ (LOW * u64::from(b'\n'))) | zeros(word ^ (LOW * u64::from(b'\r')));
        if ends != 0 {
            let before = ends.trailing_zeros() & !7;
            return (len + before as usize / 8, (seen | (word & !(!0 << before))) & HIGH != 0);
        }
        seen |= word;
        len += 8;
    }
    for (&byte, copy) in last.iter().zip(last_copies) {
        if is_line_end(byte) {
            break;
        }
        *copy = byte;
        seen |= u64::from(byte);
        len += 1;
    }
    (len, seen & HIGH != 0)
}

fn is_line_end(byte: u8) -> bool {
    byte == b'\n' || byte == b'\r'
}

const LOW: u64 = u64::MAX / 255;
const HIGH: u64 = LOW << 7;

/// The high bit of each byte that is 0. Above the first, a byte that is 1 may have it too.
fn zeros(word: u64) -> u64 {
    word.wrapping_sub(LOW) & !word & HIGH
}

/// How many bytes more than UTF-16 units.
fn surplus(text: &[u8]) -> u32 {
    let (words, last) = text.as_chunks::<8>();
    let mut surplus = 0_u32;
    for word in words {
        surplus = surplus.wrapping_add(surplus_of(u64::from_le_bytes(*word)));
    }
    let mut word = 0;
    for &byte in last {
        word = word << 8 | u64::from(byte);
    }
    surplus.wrapping_add(surplus_of(word))
}

/// The continuation bytes, less one for each character of two units.
#[inline(always)]
fn surplus_of(word: u64) -> u32 {
    let (first, second, third, fourth) = (word >> 7, word >> 6, word >> 5, word >> 4);
    let continuations = (first & !second & LOW).count_ones();
    continuations.wrapping_sub((first & second & third & fourth & LOW).count_ones())
}

/// Appends a part and LF to the text; tells its UTF-16 units.
fn append(text: &mut [u8], end: &mut usize, appended: &[u8]) -> u32 {
    let len = appended.len();
    part_mut(text, *end, len).copy_from_slice(appended);
    text[*end + len] = b'\n';
    *end += len + 1;
    (len as u32).wrapping_sub(surplus(appended))
}

/// Digits and nothing else, saturating.
fn digits(text: &[u8]) -> Option<u64> {
    if text.is_empty() {
        return None;
    }
    text.iter().try_fold(0_u64, |number, c| {
        c.is_ascii_digit().then(|| number.saturating_mul(10).saturating_add(u64::from(c - b'0')))
    })
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use super::*;

    const LIMIT: usize = 1 << 20;
    const CHUNK: usize = 1 << 14;

    impl Parser {
        fn held_bytes(&self) -> usize {
            let values = [&self.text, &self.kind, &self.id, &self.last_id, &self.line];
            self.records.capacity() * size_of::<[u32; 4]>() + values.map(Vec::capacity).iter().sum::<usize>()
        }
    }

    /// Reads a stream of `pieces` over and over; tells the most that was held on the way.
    fn held_most(parser: &mut Parser, pieces: &[u8], bytes: usize) -> usize {
        let chunk: Vec<u8> = pieces.iter().copied().cycle().take(CHUNK).collect();
        let push = |_| {
            parser.push(&chunk, |_| true);
            parser.held_bytes()
        };
        (0..bytes / CHUNK).map(push).max().unwrap_or_default()
    }

    #[test]
    fn a_comment_of_a_hundred_megabytes_is_not_held() {
        for (start, megabytes) in [(":", 100), ("x", 4), ("datax: ", 4)] {
            let mut parser = Parser::new(LIMIT);
            parser.push(start.as_bytes(), |_| true);
            assert!(held_most(&mut parser, b"x", megabytes << 20) <= 2 * CHUNK, "{start}");
        }
    }

    #[test]
    fn what_a_hostile_line_makes_it_hold_is_bounded() {
        // A buffer that grows holds up to twice what is in it, and a value waits beside the room that it may need.
        for (start, most) in
            [("data: ", 2 * LIMIT), ("id: ", 4 * LIMIT), ("event: ", 4 * LIMIT), ("retry: ", 4 * LIMIT)]
        {
            let mut parser = Parser::new(LIMIT);
            parser.push(start.as_bytes(), |_| true);
            assert!(held_most(&mut parser, b"1", 8 * LIMIT) <= most + 4 * CHUNK, "{start}");
        }
        for pieces in ["data: 1\n", "id: 1\n", "event: 1\n", "retry: 1\n", "id: 1\ndata\n", "\n"] {
            let mut parser = Parser::new(LIMIT);
            assert!(held_most(&mut parser, pieces.as_bytes(), 8 * LIMIT) <= 2 * LIMIT + 4 * CHUNK, "{pieces}");
        }
    }

    #[test]
    fn what_large_events_or_many_took_is_given_back() {
        let large = |field: &str| [field, &"1".repeat(LIMIT / 2), "\ndata\n\n"].concat();
        let many = "data\n\n".repeat(LIMIT / 6);
        for stream in [large("data: "), large("event: "), large("id: 1\0"), large("retry: "), many] {
            let mut parser = Parser::new(LIMIT);
            let (head, tail) = stream.split_at(stream.len() - 10);
            parser.push(head.as_bytes(), |_| true);
            parser.push(tail.as_bytes(), |_| true);
            let held = parser.held_bytes();

            parser.push(b"data: small\n\n", |_| true);

            assert!(parser.held_bytes() <= 2 * KEPT_BYTES.min(held), "{held}: {}", &stream[..8]);
        }
    }

    #[test]
    fn events_of_a_usual_size_reuse_what_there_is() {
        let mut parser = Parser::new(LIMIT);
        let stream = b"id: 1234567\nevent: update\ndata: 0123456789\n\n";
        held_most(&mut parser, stream, 4 * CHUNK);
        let before = parser.held_bytes();

        assert_eq!(held_most(&mut parser, stream, 64 * CHUNK), before);
    }
}
