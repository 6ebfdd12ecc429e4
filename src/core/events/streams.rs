//! All streams of one client, each with its place among the tabs where it shares a connection.

use super::parser::Event;
use super::report::{Admission, StreamOutput};
use super::stream::{Around, Stream, StreamSettings};
use crate::core::queue::Queue;
use crate::core::tabs::{Member, Role, Tabs, TabsOutput, TabsSettings, Word};
use crate::core::time::{Timestamp, earliest};

/// Names a stream for the host.
pub type StreamId = u32;

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum StreamsOutput {
    /// For one stream.
    Stream(StreamId, StreamOutput),
    /// For its place among the tabs.
    Tabs(StreamId, TabsOutput),
    /// This tab leads the stream's group, since this epoch, or follows.
    Leads(StreamId, bool, u64),
    /// This tab left the stream's group.
    Left(StreamId),
}

/// What the browser tells of the locks and messages of a stream's group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// The lock that was asked for is held.
    Locked,
    /// It was taken away, or was not to be had.
    Lost,
}

#[derive(Debug)]
struct Entry {
    id: StreamId,
    stream: Stream,
    tabs: Option<Tabs>,
    /// In its group.
    joined: bool,
}

/// All streams of one client.
#[derive(Debug, Default)]
pub struct Streams {
    entries: Vec<Entry>,
    outputs: Queue<StreamsOutput>,
}

impl Streams {
    /// A new stream. With a `member` it shares its connection with the tabs of its group.
    pub fn open(
        &mut self,
        id: StreamId,
        settings: StreamSettings,
        last_id: &[u8],
        member: Option<(Member, TabsSettings)>,
        around: &mut Around,
    ) {
        let stream = Stream::new(settings, last_id, member.is_some(), around);
        let tabs = member.map(|(me, settings)| Tabs::new(settings, me, around.visible));
        self.entries.push(Entry { id, stream, tabs, joined: false });
    }

    /// Ends one.
    pub fn close(&mut self, id: StreamId) {
        if let Some(entry) = self.find(id) {
            entry.stream.close();
        }
    }

    /// Does something to one stream, if it is still there.
    pub fn with<T>(&mut self, id: StreamId, act: impl FnOnce(&mut Stream) -> T) -> Option<T> {
        self.find(id).map(|entry| act(&mut entry.stream))
    }

    /// Does something to every stream.
    pub fn each(&mut self, mut act: impl FnMut(&mut Stream)) {
        for entry in &mut self.entries {
            act(&mut entry.stream);
        }
    }

    /// Bytes of one stream came, see [`Stream::bytes`].
    pub fn bytes(&mut self, id: StreamId, connection: u32, chunk: &[u8], now: Timestamp) -> Option<bool> {
        self.find(id)?.stream.bytes(connection, chunk, now)
    }

    /// One stream, to look at.
    #[must_use]
    pub fn stream(&self, id: StreamId) -> Option<&Stream> {
        self.entries.iter().find(|entry| entry.id == id).map(|entry| &entry.stream)
    }

    /// An event that came another way, see [`Stream::admit`].
    pub fn admit(&mut self, id: StreamId, event: &Event, follows: bool) -> Admission {
        self.find(id).map_or(Admission::Repeated, |entry| entry.stream.admit(event, follows))
    }

    /// This tab missed something that its group heard: it comes again, from where it stands.
    pub fn rejoin(&mut self, id: StreamId, around: &mut Around) {
        let Some(entry) = self.find(id) else { return };
        if let Some(tabs) = entry.tabs.as_mut().filter(|_| entry.joined) {
            tabs.leave();
            tabs.join(around.now, place(&entry.stream), around.random);
        }
    }

    /// The browser tells of a group's lock.
    pub fn told(&mut self, id: StreamId, told: Told, around: &mut Around) {
        let Some(tabs) = self.find(id).and_then(|entry| entry.tabs.as_mut()) else { return };
        match told {
            Told::Locked => tabs.locked(around.now),
            Told::Lost => tabs.lost(around.now),
        }
    }

    /// Word of another tab. Whether what it carries is to be taken.
    pub fn heard(&mut self, id: StreamId, word: Word, around: &mut Around) -> bool {
        let Some(entry) = self.find(id) else { return false };
        let place = place(&entry.stream);
        let Some(tabs) = &mut entry.tabs else { return false };
        let epoch = tabs.epoch();
        let taken = tabs.heard(around.now, word, place, around.random);
        if tabs.epoch() != epoch {
            entry.stream.source_changed();
        }
        taken
    }

    /// The page became visible or hidden.
    pub fn visible(&mut self, around: &mut Around) {
        for entry in &mut self.entries {
            entry.stream.visible(around);
            if let Some(tabs) = &mut entry.tabs {
                tabs.visible(around.now, around.visible);
            }
        }
    }

    /// This device slept, or the page stood still.
    pub fn slept(&mut self, around: &mut Around) {
        for entry in &mut self.entries {
            entry.stream.slept(around);
            if let Some(tabs) = &mut entry.tabs {
                tabs.slept(around.now);
            }
        }
    }

    /// Lets all act on what happened.
    pub fn wake(&mut self, around: &mut Around) {
        for entry in &mut self.entries {
            entry.settle(around, &mut self.outputs);
        }
        self.entries.retain(|entry| !entry.stream.closed());
    }

    /// When to come back.
    #[must_use]
    pub fn next_wake(&self) -> Option<Timestamp> {
        let wakes = |entry: &Entry| {
            let tabs = entry.tabs.as_ref().and_then(Tabs::next_wake);
            earliest(&[entry.stream.next_wake(), tabs])
        };
        self.entries.iter().filter_map(wakes).min()
    }

    /// What to do, until it is dry.
    pub fn poll(&mut self) -> Option<StreamsOutput> {
        self.outputs.pop_front()
    }

    fn find(&mut self, id: StreamId) -> Option<&mut Entry> {
        self.entries.iter_mut().find(|entry| entry.id == id)
    }
}

impl Entry {
    fn settle(&mut self, around: &mut Around, outputs: &mut Queue<StreamsOutput>) {
        // The end that a server set to the stream is told from the place that this tab still has.
        if self.stream.closed() {
            drain(self.id, &mut self.stream, outputs);
        }
        self.stream.wake(around);
        if let Some(tabs) = &mut self.tabs {
            if self.stream.rests() == self.joined {
                self.joined = !self.joined;
                if self.joined {
                    tabs.join(around.now, place(&self.stream), around.random);
                } else {
                    tabs.leave();
                    self.stream.follow(true, around);
                    outputs.push_back(StreamsOutput::Left(self.id));
                }
            }
            tabs.wake(around.now, place(&self.stream), around.random);
            while let Some(said) = tabs.poll() {
                let TabsOutput::Role(role) = said else {
                    outputs.push_back(StreamsOutput::Tabs(self.id, said));
                    continue;
                };
                let leads = role == Role::Leader;
                outputs.push_back(StreamsOutput::Leads(self.id, leads, tabs.epoch()));
                self.stream.follow(!leads, around);
                // Who hands over ends the connection before it says so.
                self.stream.wake(around);
                drain(self.id, &mut self.stream, outputs);
            }
        }
        drain(self.id, &mut self.stream, outputs);
    }
}

fn drain(id: StreamId, stream: &mut Stream, outputs: &mut Queue<StreamsOutput>) {
    while let Some(output) = stream.poll() {
        outputs.push_back(StreamsOutput::Stream(id, output));
    }
}

/// A number that stands for how far a stream has come; 0: nowhere yet. The same in every tab (FNV-1a).
fn place(stream: &Stream) -> u64 {
    let id = stream.parser.last_id();
    if id.is_empty() {
        return 0;
    }
    let hash =
        id.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3));
    // It travels as a JavaScript number.
    1 + (hash >> 12)
}
