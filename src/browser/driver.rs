//! The loop: hand the core what happened, do what it says, sleep until it wants to be woken.

use std::cell::RefCell;

use gloo_timers::callback::Timeout;
use wasm_bindgen::JsValue;

use super::events;
use super::host::{Host, Question, Task};
use super::{draft, http, session, version};
use crate::core::connection::ConnectionStatus;
use crate::core::events::parser::Event;
use crate::core::events::report::Admission;
use crate::core::events::stream::Stream;
use crate::core::events::streams::StreamId;
use crate::core::hub::{Hub, Input};
use crate::core::output::{Attempt, Output};
use crate::core::tabs::Word;
use crate::core::time::Timestamp;

/// The longest that `setTimeout` can wait.
const TIMER_MAX: u64 = i32::MAX as u64;

/// Runs a hub in a page. Copies drive the same one.
///
/// It lives as long as the instance of this module, which goes as a whole: what would free it would be half a kilobyte
/// of code that never runs.
#[derive(Clone, Copy)]
pub struct Driver(&'static Inner);

struct Inner {
    hub: RefCell<Hub>,
    host: Host,
    timer: RefCell<Option<Timer>>,
}

/// The one timer of all machines.
struct Timer {
    at: Timestamp,
    /// Clears it when dropped.
    _timeout: Timeout,
}

impl Driver {
    /// Starts idle.
    #[must_use]
    pub fn new(hub: Hub, host: Host) -> Driver {
        Driver(Box::leak(Box::new(Inner { hub: RefCell::new(hub), host, timer: RefCell::new(None) })))
    }

    /// The glue.
    #[must_use]
    pub fn host(&self) -> &Host {
        &self.0.host
    }

    /// Tells the core what happened, and does what it says.
    pub fn input(&self, input: Input) {
        self.0.hub.borrow_mut().handle(now(), input);
        self.perform_all();
    }

    /// What [`Host::begin`] began is over, and brought this.
    pub fn ended(&self, task: u32, id: u32, number: u32, result: JsValue) {
        let Some(task) = Task::ALL.get(task as usize) else { return };
        let attempt = Attempt { flight: id, number };
        let input = match task {
            Task::Send => Some(http::sent(attempt, result, now())),
            Task::Read => Some(http::read(attempt, &result)),
            Task::Ask => http::probed(&result),
            Task::Connect => Some(Input::Stream(id, events::connected(number, result, now()))),
            Task::Poll => Some(Input::Stream(id, events::polled(result, now()))),
        };
        if let Some(input) = input {
            self.input(input);
        }
    }

    /// Bytes of a stream came. False: the connection is over.
    pub fn feed(&self, id: StreamId, connection: u32, chunk: &[u8]) -> bool {
        let taken = self.0.hub.borrow_mut().bytes(now(), id, connection, chunk);
        if taken == Some(true) {
            self.perform_all();
        }
        taken.is_some()
    }

    /// An event of a stream came another way.
    pub fn admit(&self, id: StreamId, event: &Event, follows: bool) -> Admission {
        self.0.hub.borrow_mut().admit(id, event, follows)
    }

    /// Another tab said something. Whether to take what it carries.
    pub fn heard(&self, id: StreamId, word: Word) -> bool {
        let taken = self.0.hub.borrow_mut().heard(now(), id, word);
        self.perform_all();
        taken
    }

    /// Looks at a stream.
    pub fn with_stream<T>(&self, id: StreamId, look: impl FnOnce(&Stream) -> T) -> Option<T> {
        self.0.hub.borrow().stream(id).map(look)
    }

    fn perform_all(&self) {
        // The glue may call back while an output is carried out, so no borrow is held meanwhile.
        loop {
            let output = self.0.hub.borrow_mut().poll();
            match output {
                Some(output) => self.perform(output),
                None => break,
            }
        }
        self.sleep();
    }

    /// Tells the core that it is over, and clears the timer.
    pub fn stop(&self) {
        self.input(Input::Dispose);
        self.0.timer.take();
    }

    fn perform(&self, output: Output) {
        let host = self.host();
        match output {
            Output::Send(attempt) => host.begin(Task::Send as u32, attempt.flight, attempt.number, &[]),
            Output::Read(attempt) => host.begin(Task::Read as u32, attempt.flight, attempt.number, &[]),
            Output::Drain(flight) => host.drain(flight),
            Output::Cancel(flight) => host.cancel(flight),
            Output::Settle(settled) => {
                let end = events::end_code(settled.end);
                let retry_after = settled.retry_after.map_or(-1.0, |wait| wait.as_millis() as f64);
                host.settle(settled.call, settled.flight, end, retry_after, settled.shared);
            }
            Output::Done(flight) => host.done(flight),
            Output::Retry(flight, wait) => host.retry(flight, wait.as_millis() as f64),
            Output::Retrying(flight) => host.retrying(flight),
            Output::Breaker(flight, switched) => host.breaker(flight, switched.whole_origin, switched.state as u32),
            Output::Session(output) => session::perform(self, output),
            Output::Version(output) => version::perform(self, output),
            Output::Draft(id, output) => draft::perform(self, id, output),
            Output::Probe => host.begin(Task::Ask as u32, Question::Probe as u32, 0, &[]),
            Output::Connection(status, since) => host.connection(
                match status {
                    ConnectionStatus::Online => 0,
                    ConnectionStatus::Degraded => 1,
                    ConnectionStatus::Offline => 2,
                },
                since.0 as f64,
            ),
            Output::Queued(calls) => host.queued(calls as u32),
            Output::Streams(output) => events::perform(self, output),
        }
    }

    /// Sets the timer to the next wake. One that rings earlier is left alone: to wake once for nothing costs less than
    /// a new timer for every request.
    fn sleep(&self) {
        let wake = self.0.hub.borrow_mut().next_wake();
        let mut timer = self.0.timer.borrow_mut();
        let Some(wake) = wake else { return };
        let now = now();
        // One whose time is past did not count while this device slept, and would ring much later.
        if timer.as_ref().is_some_and(|timer| timer.at <= wake && timer.at > now) {
            return;
        }
        let wait = wake.0.saturating_sub(now.0).min(TIMER_MAX);
        let driver = *self;
        let timeout = Timeout::new(wait as u32, move || {
            driver.0.timer.take();
            driver.input(Input::Wake);
        });
        *timer = Some(Timer { at: wake, _timeout: timeout });
    }
}

fn now() -> Timestamp {
    Timestamp(js_sys::Date::now() as u64)
}
