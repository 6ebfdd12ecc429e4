//! One page: its hub, and what its host keeps for it.

use evenkeel::core::events::parser::UNCHANGED;
use evenkeel::core::events::report::{Fire, Snapshot, Status};
use evenkeel::core::events::stream::StreamSettings;
use evenkeel::core::hub::Hub;
use evenkeel::core::output::Output;
use evenkeel::core::settings::Settings;
use evenkeel::core::tabs::Member;
use evenkeel::core::time::Timestamp;

use super::watch::Watch;
use super::world::{Coming, EPOCH, STREAM};

/// An event that reached the app.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Got {
    pub at: u64,
    pub kind: String,
    pub data: String,
    /// The last event id then.
    pub id: String,
}

/// What one tab tells the others beside the words of the core.
#[derive(Clone, Debug, Default)]
pub struct Load {
    /// A follower wants a new connection.
    pub again: bool,
    pub shown: Option<(Snapshot, Fire)>,
    /// The last event id before the events, and after them.
    pub before: Option<String>,
    pub last_id: Option<String>,
    /// Type, data, and the id where it is another than the event's before.
    pub events: Vec<(String, String, Option<String>)>,
    /// With every sign of life: the last event id.
    pub reached: Option<String>,
}

pub struct Page {
    pub hub: Hub,
    pub watch: Watch,
    /// Closed and killed pages never come back.
    pub alive: bool,
    /// What comes waits until it is thawed.
    pub frozen: bool,
    pub inbox: Vec<Coming>,
    /// When it rings next; timers come so often only.
    pub timer: Option<u64>,
    pub timers_every: u64,
    /// What the core said, and when.
    pub log: Vec<(u64, Output)>,
    /// What the app was shown, by this page's own core or by the tab that leads.
    pub shows: Vec<(u64, Snapshot, Fire)>,
    pub got: Vec<Got>,
    /// Its connection, from the request to the end.
    pub connection: Option<u32>,
    /// What a poll brought, until it is taken: id, data and the id after them.
    pub polled: (Vec<(String, String)>, String),
    /// Polls made, so that a late answer is known.
    pub polls: usize,
    pub member: Option<Member>,
    /// Its channel to the other tabs is open.
    pub listens: bool,
    pub leads: bool,
    /// Other tabs listen.
    pub followed: bool,
    /// The last event id that they know of.
    pub told: String,
    pub last_event_id: String,
    pub misses: Vec<u64>,
    /// The newest request for the lock.
    pub request: Option<u32>,
}

impl Page {
    pub fn new(settings: Settings, stream: StreamSettings, seed: u64, now: u64, visible: bool) -> Page {
        Page {
            hub: Hub::new(settings, seed, Timestamp(EPOCH + now), true, visible),
            watch: Watch::new(stream, visible),
            alive: true,
            frozen: false,
            inbox: Vec::new(),
            timer: None,
            timers_every: 1,
            log: Vec::new(),
            shows: Vec::new(),
            got: Vec::new(),
            connection: None,
            polled: Default::default(),
            polls: 0,
            member: None,
            listens: false,
            leads: false,
            followed: false,
            told: String::new(),
            last_event_id: String::new(),
            misses: Vec::new(),
            request: None,
        }
    }

    pub fn runs(&self) -> bool {
        self.alive && !self.frozen
    }

    /// When its timer rings.
    pub fn rings_at(&self, now: u64) -> Option<u64> {
        let at = self.timer.filter(|_| self.runs())?;
        Some(at.max(now).next_multiple_of(self.timers_every))
    }

    pub fn shown(&self) -> Snapshot {
        self.shows.last().expect("something was shown").1
    }

    pub fn status(&self) -> Status {
        self.shown().status
    }

    /// The data of what reached the app.
    pub fn data(&self) -> Vec<&str> {
        self.got.iter().map(|got| got.data.as_str()).collect()
    }

    /// How far its stream has come.
    pub fn reached(&self) -> String {
        let id = self.hub.stream(STREAM).map(|stream| stream.parser.last_id().to_vec());
        String::from_utf8(id.unwrap_or_default()).expect("stories are told in ASCII")
    }

    /// The newest batch, each as type, data and last event id: as the glue reads it.
    pub fn batch(&self) -> Vec<(String, String, String)> {
        let Some(stream) = self.hub.stream(STREAM) else { return Vec::new() };
        let text = std::str::from_utf8(stream.parser.text()).expect("stories are told in ASCII");
        let (mut at, mut id) = (0, self.last_event_id.clone());
        let mut events = Vec::new();
        for record in stream.parser.records().chunks_exact(4) {
            let [bytes, data_units, id_units, kind_units] = *record else { unreachable!("four words each") };
            let mut lines = at;
            let mut line = |units: u32| {
                let line = &text[lines..lines + units as usize];
                lines += units as usize + 1;
                line.to_owned()
            };
            let data = line(data_units);
            if id_units != UNCHANGED {
                id = line(id_units);
            }
            let kind = if kind_units > 0 { line(kind_units) } else { "message".to_owned() };
            events.push((kind, data, id.clone()));
            at += bytes as usize;
        }
        events
    }
}
