//! A server, and the pages that listen to it, in virtual time.

use std::cell::Cell;
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

use evenkeel::core::events::report::{Broken, Fire, Reply, Snapshot, Status, StreamOutput};
use evenkeel::core::events::stream::StreamSettings;
use evenkeel::core::events::streams::{StreamsOutput, Told};
use evenkeel::core::flight::Call;
use evenkeel::core::hub::{Input, StreamInput};
use evenkeel::core::output::{Attempt, Output};
use evenkeel::core::requests::Answer as Answered;
use evenkeel::core::session::SessionOutput;
use evenkeel::core::settings::Settings;
use evenkeel::core::tabs::Word;
use evenkeel::core::time::Timestamp;
use evenkeel::core::verify::SessionAnswer;

use super::page::{Load, Page};
use super::script::{Answer, Head, LATENCY, Polled, of_session, open, settings, stream};

/// What the device's clock shows when a story begins.
pub const EPOCH: u64 = 1_790_000_000_000;
/// Each page has one stream.
pub const STREAM: u32 = 1;
/// Wakes in one moment: the second may begin what the first ended, a third makes the host spin.
const WAKES_IN_A_MOMENT_MAX: u32 = 2;
/// What one input may lead to.
const OUTPUTS_MAX: usize = 32;

/// What arrives at the server.
#[derive(Clone, Debug)]
pub struct Request {
    /// Among all connects of the story, from 0.
    pub nth: usize,
    pub at: u64,
    pub last_id: String,
}

/// What reaches a page.
#[derive(Clone, Debug)]
pub enum Coming {
    /// Its own request reaches the server.
    Asked(u32),
    Head(u32, Head),
    Bytes(u32, String),
    End(u32),
    /// Of the poll of this number.
    Polled(usize, Polled),
    Session(SessionAnswer),
    Locked(u32),
    Lost(u32),
    Word(Word, Load),
}

type Script<A, B> = Box<dyn FnMut(A) -> B>;

/// All times are milliseconds since the story began. A page is known by its number; most stories have one.
pub struct World {
    pub now: u64,
    pub pages: Vec<Page>,
    pub requests: Vec<Request>,
    /// When polls arrived, and from which id on.
    pub polls: Vec<(u64, String)>,
    /// How often the session was asked.
    pub asked: usize,
    settings: fn() -> Settings,
    stream: StreamSettings,
    seed: u64,
    server: Script<Request, Answer>,
    polled: Script<usize, Polled>,
    session: Script<usize, Option<SessionAnswer>>,
    coming: BTreeMap<(u64, u64), (usize, Coming)>,
    arrivals: u64,
    /// Connections that answered with events, as the server sees them, and when their headers arrive.
    open: BTreeMap<(usize, u32), u64>,
    /// The newest event of the feed.
    head: Rc<Cell<u64>>,
    pub lock_requests: u32,
    /// Who holds the lock, by which request, and who waits for it.
    pub holder: Option<(usize, u32)>,
    pub queue: VecDeque<(usize, u32)>,
}

impl World {
    /// One page with the public defaults, and a server that opens streams and says nothing on them.
    pub fn new() -> World {
        World::with(|_| {})
    }

    pub fn with(change: impl FnOnce(&mut StreamSettings)) -> World {
        World::seeded(1, change)
    }

    pub fn seeded(seed: u64, change: impl FnOnce(&mut StreamSettings)) -> World {
        let mut world = World::empty(seed, settings, change);
        world.open(None, true);
        world
    }

    /// With another session, or other numbers of the client.
    pub fn of(settings: fn() -> Settings, change: impl FnOnce(&mut StreamSettings)) -> World {
        let mut world = World::empty(1, settings, change);
        world.open(None, true);
        world
    }

    /// Nobody is there yet.
    pub fn empty(seed: u64, settings: fn() -> Settings, change: impl FnOnce(&mut StreamSettings)) -> World {
        let mut stream = stream();
        change(&mut stream);
        World {
            now: 0,
            pages: Vec::new(),
            requests: Vec::new(),
            polls: Vec::new(),
            asked: 0,
            settings,
            stream,
            seed,
            server: Box::new(|_| open()),
            polled: Box::new(|_| Polled::nothing()),
            session: Box::new(|_| Some(SessionAnswer::User(1))),
            coming: BTreeMap::new(),
            arrivals: 0,
            open: BTreeMap::new(),
            head: Rc::new(Cell::new(100)),
            lock_requests: 0,
            holder: None,
            queue: VecDeque::new(),
        }
    }

    /// Tabs that share one connection to a feed of numbered events; the first is visible, and leads.
    pub fn sharing(tabs: usize) -> World {
        let mut world = World::empty(1, settings, |_| {});
        world.feed();
        for nth in 0..tabs {
            world.open(Some(10 + nth as u32), nth == 0);
            world.run(100);
        }
        world.run(5_000);
        assert!(world.pages[0].leads);
        world
    }

    // ------------------------------------------------------------ given

    /// What becomes of each connection.
    pub fn serve(&mut self, server: impl FnMut(Request) -> Answer + 'static) {
        self.server = Box::new(server);
    }

    pub fn always(&mut self, answer: Answer) {
        self.serve(move |_| answer.clone());
    }

    /// The next connections meet these, one each, and all others an open stream.
    pub fn answers<const N: usize>(&mut self, answers: [Answer; N]) {
        let before = self.requests.len();
        self.serve(move |request| answers.get(request.nth - before).cloned().unwrap_or_else(open));
    }

    /// The server numbers its events, and sends who comes what came after its last one.
    pub fn feed(&mut self) {
        let head = self.head.clone();
        self.serve(move |request| {
            let from = request.last_id.parse().unwrap_or(head.get());
            let replay: String = (from + 1..=head.get()).map(numbered).collect();
            open().says(0, &format!(": hello\n\n{replay}"))
        });
    }

    /// What polls bring, by how many were made.
    pub fn polls_bring(&mut self, polled: impl FnMut(usize) -> Polled + 'static) {
        self.polled = Box::new(polled);
    }

    /// What the session endpoint says, by how often it was asked; none: nothing, ever.
    pub fn session_says(&mut self, session: impl FnMut(usize) -> Option<SessionAnswer> + 'static) {
        self.session = Box::new(session);
    }

    // ------------------------------------------------------------ when

    /// A page comes. With a member's number it shares its connection.
    pub fn open(&mut self, member: Option<u32>, visible: bool) -> usize {
        let page = self.pages.len();
        let seed = self.seed.wrapping_mul(1_000).wrapping_add(page as u64);
        self.pages.push(Page::new((self.settings)(), self.stream, seed, self.now, visible));
        self.pages[page].member = member;
        self.tell(page, Input::Stream(STREAM, StreamInput::Open(self.stream, Vec::new(), member)));
        page
    }

    /// A page comes that goes on from this id.
    pub fn open_from(&mut self, last_id: &str) {
        self.pages.push(Page::new((self.settings)(), self.stream, self.seed, self.now, true));
        let last_id = last_id.as_bytes().to_vec();
        self.stream(StreamInput::Open(self.stream, last_id, None));
    }

    /// The session endpoint says so, asked or not.
    pub fn session_answers(&mut self, answer: SessionAnswer) {
        self.arrive(0, Coming::Session(answer));
    }

    /// The app calls its server, which answers with a 401.
    pub fn call_denied(&mut self, call: Call) {
        let attempt = Attempt { flight: call.id, number: 1 };
        self.input(Input::Call(call));
        self.input(Input::Answered(attempt, Answered { status: 401, ..Answered::default() }));
    }

    /// Somebody says this to a tab.
    pub fn whisper(&mut self, page: usize, word: Word, load: Load) {
        self.arrive(page, Coming::Word(word, load));
    }

    pub fn run(&mut self, ms: u64) {
        let end = self.now + ms;
        while self.step(end) {}
        self.now = end;
    }

    /// The device sleeps: nothing runs, and nobody is told.
    pub fn sleep(&mut self, ms: u64) {
        self.now += ms;
        self.pages.iter_mut().for_each(|page| page.watch.sleeps());
    }

    /// All connections are dead, and nobody will ever say so. What is under way is lost.
    pub fn lose_connections(&mut self) {
        self.open.clear();
        self.coming.retain(|_, (_, coming)| !matches!(coming, Coming::Head(..) | Coming::Bytes(..) | Coming::End(_)));
    }

    /// The server says this on every open stream.
    pub fn say(&mut self, text: &str) {
        for ((page, connection), from) in self.open.clone() {
            self.send(from, page, Coming::Bytes(connection, text.to_owned()));
        }
    }

    /// The feed has one more event.
    pub fn event(&mut self) {
        self.head.set(self.head.get() + 1);
        self.say(&numbered(self.head.get()));
    }

    /// Every open stream ends.
    pub fn cut(&mut self) {
        for ((page, connection), from) in self.open.clone() {
            self.send(from, page, Coming::End(connection));
        }
    }

    /// Nothing overtakes the headers.
    fn send(&mut self, from: u64, page: usize, coming: Coming) {
        if from > self.now { self.soon(from, page, coming) } else { self.arrive(page, coming) }
    }

    pub fn input(&mut self, input: Input) {
        self.tell(0, input);
    }

    /// Something about the stream of the first page.
    pub fn stream(&mut self, input: StreamInput) {
        self.tell(0, Input::Stream(STREAM, input));
    }

    pub fn visible(&mut self, page: usize, visible: bool) {
        self.tell(page, Input::Visible(visible));
    }

    pub fn network(&mut self, online: bool) {
        self.input(Input::Network(online));
    }

    pub fn freeze(&mut self, page: usize) {
        self.pages[page].frozen = true;
    }

    /// What came meanwhile arrives now.
    pub fn thaw(&mut self, page: usize) {
        self.pages[page].frozen = false;
        for coming in std::mem::take(&mut self.pages[page].inbox) {
            self.soon(self.now, page, coming);
        }
        self.run(0);
    }

    /// The browser ends it. No code of it runs any more.
    pub fn kill(&mut self, page: usize) {
        self.pages[page].alive = false;
        self.open.retain(|(of, _), _| *of != page);
        self.release(page);
    }

    /// The person closes the tab.
    pub fn close_tab(&mut self, page: usize) {
        self.tell(page, Input::Away(true));
        self.kill(page);
    }

    // ------------------------------------------------------------ then

    /// The first page.
    pub fn page(&self) -> &Page {
        &self.pages[0]
    }

    pub fn shown(&self) -> Snapshot {
        self.page().shown()
    }

    pub fn status(&self) -> Status {
        self.page().status()
    }

    /// When connects arrived.
    pub fn connects(&self) -> Vec<u64> {
        self.requests.iter().map(|request| request.at).collect()
    }

    /// How long the first page wants to wait before it connects again, as it said last; 0 if it never said so.
    #[track_caller]
    pub fn wait(&self) -> u64 {
        let told = |(at, shown, _): &(u64, Snapshot, Fire)| Some(shown.next_retry_at?.0 - EPOCH - at);
        self.page().shows.iter().rev().find_map(told).unwrap_or(0)
    }

    /// `open` and `error` events of the first page.
    pub fn fired(&self) -> Vec<Fire> {
        self.page().shows.iter().map(|show| show.2).filter(|fire| *fire != Fire::Nothing).collect()
    }

    #[track_caller]
    pub fn assert_got(&self, page: usize, data: &[&str]) {
        assert_eq!(self.pages[page].data(), data, "page {page}");
    }

    /// Every page got every event of the feed since this one, in order and once.
    #[track_caller]
    pub fn assert_nothing_missed(&self, from: u64) {
        let all: Vec<_> = (from + 1..=self.head.get()).map(|event| event.to_string()).collect();
        for (nth, page) in self.pages.iter().enumerate().filter(|(_, page)| page.runs()) {
            let got: Vec<_> = page.data().into_iter().filter(|data| data.parse::<u64>().unwrap() > from).collect();
            assert_eq!(got, all, "page {nth}");
        }
    }

    pub fn leaders(&self) -> Vec<usize> {
        (0..self.pages.len()).filter(|page| self.pages[*page].leads && self.pages[*page].runs()).collect()
    }

    /// Streams that the server believes to be open.
    pub fn open_streams(&self) -> usize {
        self.open.len()
    }

    // ------------------------------------------------------------ how

    /// What comes next, if it comes by `end`.
    fn step(&mut self, end: u64) -> bool {
        let comes = self.coming.first_key_value().map(|((at, _), _)| (*at).max(self.now));
        let rings = (0..self.pages.len()).filter_map(|page| Some((self.pages[page].rings_at(self.now)?, page))).min();
        match (comes, rings) {
            (Some(at), _) if at <= end && rings.is_none_or(|(ring, _)| at <= ring) => {
                self.now = at;
                let (_, (page, coming)) = self.coming.pop_first().expect("it was just there");
                self.arrive(page, coming);
            }
            (_, Some((at, page))) if at <= end => {
                self.now = at;
                let mut wakes = 0;
                while self.pages[page].timer.is_some_and(|at| at <= self.now) || wakes == 0 {
                    wakes += 1;
                    assert!(wakes <= WAKES_IN_A_MOMENT_MAX, "the host spins at {at}");
                    self.tell(page, Input::Wake);
                }
            }
            _ => return false,
        }
        true
    }

    pub fn soon(&mut self, at: u64, page: usize, coming: Coming) {
        self.arrivals += 1;
        self.coming.insert((at, self.arrivals), (page, coming));
    }

    pub fn host(&self) -> Timestamp {
        Timestamp(EPOCH + self.now)
    }

    fn arrive(&mut self, page: usize, coming: Coming) {
        let this = &mut self.pages[page];
        if !this.alive {
            return;
        }
        if this.frozen {
            this.inbox.push(coming);
            return;
        }
        let mine = |connection| this.connection == Some(connection);
        match coming {
            Coming::Asked(connection) if mine(connection) => self.serve_one(page, connection),
            Coming::Head(connection, head) if mine(connection) => {
                let input = match head {
                    Head::Reply(reply) => StreamInput::Answered(connection, reply),
                    Head::Broken => StreamInput::Broken(connection, Broken::Lost),
                    Head::Unsendable => StreamInput::Broken(connection, Broken::Unsendable),
                    Head::Silence => return,
                };
                self.tell(page, Input::Stream(STREAM, input));
            }
            Coming::Bytes(connection, text) if mine(connection) => self.bytes(page, connection, &text),
            Coming::End(connection) if mine(connection) => {
                self.open.remove(&(page, connection));
                self.tell(page, Input::Stream(STREAM, StreamInput::Broken(connection, Broken::Lost)));
            }
            Coming::Polled(nth, polled) if this.polls == nth => {
                this.polled = (polled.events, polled.last_id);
                self.tell(page, Input::Stream(STREAM, StreamInput::Polled(polled.reply)));
            }
            Coming::Session(answer) => {
                self.pages[page].watch.session_spoke();
                self.tell(page, of_session(answer));
            }
            Coming::Locked(request) if this.request == Some(request) => self.lock_told(page, Told::Locked),
            Coming::Lost(request) if this.request == Some(request) => {
                this.request = None;
                self.lock_told(page, Told::Lost);
            }
            Coming::Word(word, load) if this.listens => self.heard(page, word, load),
            _ => {}
        }
    }

    fn lock_told(&mut self, page: usize, told: Told) {
        self.tell(page, Input::Stream(STREAM, StreamInput::Told(told)));
    }

    /// Bytes reach a page, asked for or not.
    pub fn bytes(&mut self, page: usize, connection: u32, text: &str) {
        let host = self.host();
        if self.pages[page].hub.bytes(host, STREAM, connection, text.as_bytes()).is_none() {
            return;
        }
        if let Some(retry) = text.lines().filter_map(|line| line.strip_prefix("retry: ")?.parse().ok()).next_back() {
            self.pages[page].watch.asked(retry);
        }
        self.drain(page);
        let events = self.pages[page].batch();
        self.deliver(page, events);
    }

    pub fn tell(&mut self, page: usize, input: Input) {
        let host = self.host();
        self.pages[page].watch.input(self.now, &input);
        self.pages[page].hub.handle(host, input);
        self.drain(page);
    }

    pub fn drain(&mut self, page: usize) {
        let mut said = 0;
        while let Some(output) = self.pages[page].hub.poll() {
            said += 1;
            assert!(said <= OUTPUTS_MAX, "a step that never ends");
            self.pages[page].watch.output(self.now, &output);
            self.pages[page].log.push((self.now, output));
            self.perform(page, output);
        }
        let host = self.host();
        let this = &mut self.pages[page];
        this.timer = this.hub.next_wake().map(|wake| self.now + wake.0.saturating_sub(host.0));
        this.watch.step(self.now, this.timer.is_some());
    }

    fn perform(&mut self, page: usize, output: Output) {
        match output {
            Output::Session(SessionOutput::Ask) => {
                self.asked += 1;
                if let Some(answer) = (self.session)(self.asked - 1) {
                    self.soon(self.now + LATENCY, page, Coming::Session(answer));
                }
            }
            Output::Streams(StreamsOutput::Stream(_, output)) => self.perform_stream(page, output),
            Output::Streams(StreamsOutput::Tabs(_, output)) => self.perform_tabs(page, output),
            Output::Streams(StreamsOutput::Leads(_, leads, _)) => {
                let this = &mut self.pages[page];
                this.leads = leads;
                this.told = this.reached();
            }
            Output::Streams(StreamsOutput::Left(_)) => {
                self.release(page);
                self.pages[page].listens = false;
            }
            _ => {}
        }
    }

    fn perform_stream(&mut self, page: usize, output: StreamOutput) {
        match output {
            StreamOutput::Connect(connection) => {
                self.pages[page].connection = Some(connection);
                self.soon(self.now, page, Coming::Asked(connection));
            }
            StreamOutput::Drop => self.disconnect(page),
            StreamOutput::Poll => {
                let nth = self.polls.len();
                self.polls.push((self.now, self.pages[page].reached()));
                self.pages[page].polls = nth;
                let polled = (self.polled)(nth);
                if !polled.silent {
                    self.soon(self.now + LATENCY, page, Coming::Polled(nth, polled));
                }
            }
            // As an abort does: what was asked comes to nothing, a moment later.
            StreamOutput::DropPoll => self.soon(self.now, page, Coming::Polled(self.pages[page].polls, Polled::lost())),
            StreamOutput::TakePoll => self.take_poll(page),
            StreamOutput::Show(snapshot, fire) => self.show(page, snapshot, fire),
            _ => {}
        }
    }

    fn serve_one(&mut self, page: usize, connection: u32) {
        let last_id = self.pages[page].hub.stream(STREAM).map(|stream| stream.resumes_from().to_vec());
        let last_id = String::from_utf8(last_id.unwrap_or_default()).expect("stories are told in ASCII");
        let request = Request { nth: self.requests.len(), at: self.now, last_id };
        self.requests.push(request.clone());
        let Answer { head, after, pieces, end } = (self.server)(request);
        let at = self.now + after;
        if head.is_stream() {
            self.open.insert((page, connection), at);
        }
        self.soon(at, page, Coming::Head(connection, head));
        for (after, text) in pieces {
            self.soon(at + after, page, Coming::Bytes(connection, text));
        }
        if let Some(after) = end {
            self.soon(at + after, page, Coming::End(connection));
        }
    }

    fn disconnect(&mut self, page: usize) {
        self.pages[page].connection = None;
        self.open.retain(|(of, _), _| *of != page);
    }

    fn show(&mut self, page: usize, snapshot: Snapshot, fire: Fire) {
        let now = self.now;
        self.pages[page].shows.push((now, snapshot, fire));
        if self.pages[page].followed && self.pages[page].leads {
            self.post_load(page, Load { shown: Some((snapshot, fire)), ..Load::default() });
        }
    }
}

/// An event of the feed.
pub fn numbered(event: u64) -> String {
    format!("id: {event}\ndata: {event}\n\n")
}

/// What a page is told as the newest reply; for stories that tell it themselves.
pub fn answered(connection: u32, reply: Reply) -> Input {
    Input::Stream(STREAM, StreamInput::Answered(connection, reply))
}
