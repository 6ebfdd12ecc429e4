//! The glue's side of the house: what is done in JavaScript, because it must work without WebAssembly too.
//!
//! The glue builds requests, calls `fetch` and reads bodies, so that the app's data never travels through wasm memory and
//! a page whose module is blocked sends the very same requests. None of these functions throws: an exception would
//! unwind through Rust and leave it in pieces.
//!
//! What takes a while is begun by [`Host::begin`] and ends with `client::ended`: futures would cost every page two
//! kilobytes, and all that is ever awaited is one of five promises.

use wasm_bindgen::prelude::*;
use web_sys::AbortSignal;

/// What `Host::begin` begins.
#[derive(Clone, Copy, Debug)]
#[repr(u8)]
pub enum Task {
    /// Builds and sends one attempt of a flight. Ends with a `Response`; `null` when none came; `undefined` when the
    /// request cannot be sent or a hook threw.
    Send,
    /// Reads the body of an attempt's response. Ends with 0 for whole, 1 for broken, 2 for too large.
    Read,
    /// Asks an endpoint of the app's server, see [`Question`].
    Ask,
    /// Connects a stream. Ends with a `Response`; `null` when none came; `undefined` when it never can.
    Connect,
    /// Polls in place of a stream. Ends with a `Response` whose body was read; `null` when none came; `undefined` when
    /// the body is no list of events.
    Poll,
}

impl Task {
    /// All of them, by their number.
    pub const ALL: [Task; 5] = [Task::Send, Task::Read, Task::Ask, Task::Connect, Task::Poll];
}

/// What [`Task::Ask`] asks.
#[derive(Clone, Copy, Debug)]
#[repr(u8)]
pub enum Question {
    /// Is somebody signed in? Answered by `client::session`.
    Session,
    /// Is the server back? Ends with the status, or [`ASK_CANNOT_TELL`] when no response came, or [`ASK_NOTHING`].
    Probe,
    /// Which version does the server run? Answered by `client::version`.
    Version,
}

/// No answer, or none that says anything.
pub const ASK_CANNOT_TELL: f64 = -1.0;
/// It was not asked, since another tab probes, or nobody waits for the answer any more; or it was answered already.
pub const ASK_NOTHING: f64 = -3.0;

#[wasm_bindgen]
extern "C" {
    /// Implemented in the glue.
    #[derive(Clone)]
    pub type Host;

    /// Aborted when the client ends, and with it all listeners.
    #[wasm_bindgen(method, getter)]
    pub fn life(this: &Host) -> AbortSignal;

    /// Begins a [`Task`] for a flight, question or stream; `number` is that of the attempt or the connection.
    /// `client::ended` is given the same numbers, later.
    #[wasm_bindgen(method)]
    pub fn begin(this: &Host, task: u32, id: u32, number: u32, last_id: &[u8]);

    /// The response is not the last one: reads a little of its body, for the error, and lets it go.
    #[wasm_bindgen(method)]
    pub fn drain(this: &Host, flight: u32);

    /// Aborts the request that runs.
    #[wasm_bindgen(method)]
    pub fn cancel(this: &Host, flight: u32);

    /// Ends a call. `end`: 0 well, 1 as the status says, else 2 + kind. `retry_after`: milliseconds, or negative.
    #[wasm_bindgen(method)]
    pub fn settle(this: &Host, call: u32, flight: u32, end: u32, retry_after: f64, shared: bool);

    /// Forgets a flight.
    #[wasm_bindgen(method)]
    pub fn done(this: &Host, flight: u32);

    /// Says that a flight is sent again after `wait` milliseconds.
    #[wasm_bindgen(method)]
    pub fn retry(this: &Host, flight: u32, wait: f64);

    /// Says that a flight's callers have been waiting through retries for a while.
    #[wasm_bindgen(method)]
    pub fn retrying(this: &Host, flight: u32);

    /// Says that a breaker changed: 0 closed, 1 open, 2 half-open.
    #[wasm_bindgen(method)]
    pub fn breaker(this: &Host, flight: u32, whole_origin: bool, state: u32);

    /// Ends a question.
    #[wasm_bindgen(method)]
    pub fn hush(this: &Host, question: u32);

    /// Says what the connection is: 0 online, 1 degraded, 2 offline.
    #[wasm_bindgen(method)]
    pub fn connection(this: &Host, status: u32, since: f64);

    /// Says how many calls wait for a slot.
    #[wasm_bindgen(method)]
    pub fn queued(this: &Host, calls: u32);

    // ------------------------------------------------------------ session and version

    /// Says how the session stands. `user`: a number of the host's, or negative.
    #[wasm_bindgen(method, js_name = showSession)]
    pub fn show_session(this: &Host, status: u32, user: f64, leads: bool);

    /// Something happened to the session: `what` is a number of `browser::session`.
    #[wasm_bindgen(method, js_name = toldSession)]
    pub fn told_session(this: &Host, what: u32, a: f64, b: f64);

    /// Says something about the session to the other tabs.
    #[wasm_bindgen(method, js_name = postSession)]
    pub fn post_session(this: &Host, turn: f64, says: u32, value: f64, user: f64, expires: f64);

    /// Says how the page's version stands; negative: none.
    #[wasm_bindgen(method, js_name = showVersion)]
    pub fn show_version(this: &Host, status: u32, latest: f64, reason: i32, blocked_by: i32, dismissed: bool);

    /// Something happened to the page's version: `what` is a number of `browser::version`.
    #[wasm_bindgen(method, js_name = toldVersion)]
    pub fn told_version(this: &Host, what: u32, a: f64, b: f64);

    // ------------------------------------------------------------ drafts

    /// Says how a draft stands. `kind`: of the error, or negative; `retry_after`: milliseconds, or negative; `conflict`:
    /// 0 with the server's copy, 1 with another one of this device, 2 it was cleared; or negative.
    #[wasm_bindgen(method, js_name = showDraft)]
    pub fn show_draft(this: &Host, draft: u32, status: u32, saved_to: u32, kind: i32, retry_after: f64, conflict: i32);

    /// Something is to be done for a draft: `what` is a number of `browser::draft`.
    #[wasm_bindgen(method, js_name = toldDraft)]
    pub fn told_draft(this: &Host, draft: u32, what: u32, a: f64, b: f64, c: bool);

    // ------------------------------------------------------------ event streams

    /// Reads what answered: each chunk goes to `client::feed`, its end to `client::broken`.
    #[wasm_bindgen(method)]
    pub fn pump(this: &Host, stream: u32, connection: u32);

    /// Ends the connection of a stream.
    #[wasm_bindgen(method)]
    pub fn disconnect(this: &Host, stream: u32);

    /// Ends the poll that is out.
    #[wasm_bindgen(method, js_name = dropPoll)]
    pub fn drop_poll(this: &Host, stream: u32);

    /// Delivers what the poll brought.
    #[wasm_bindgen(method, js_name = takePoll)]
    pub fn take_poll(this: &Host, stream: u32);

    /// Says how a stream stands. `end` is as of `settle`, 0 for no fault; times are negative where there is none; `fire`: 1 open, 2 error.
    #[wasm_bindgen(method)]
    pub fn show(
        this: &Host,
        stream: u32,
        status: u32,
        attempts: u32,
        next_retry_at: f64,
        end: u32,
        http_status: u16,
        retry_after: f64,
        fire: u32,
    );

    // ------------------------------------------------------------ tabs

    /// Asks for a group's lock, in the queue or by stealing it; `client::locked` answers.
    #[wasm_bindgen(method)]
    pub fn lock(this: &Host, group: u32, steal: bool);

    /// Gives the lock back, or ends the request for it.
    #[wasm_bindgen(method)]
    pub fn unlock(this: &Host, group: u32);

    /// Says a word to the other tabs of a group.
    #[wasm_bindgen(method)]
    pub fn post(this: &Host, group: u32, epoch: f64, says: u32, visible: bool, value: f64);

    /// Says whether this tab leads a group, and since which epoch.
    #[wasm_bindgen(method)]
    pub fn role(this: &Host, group: u32, leads: bool, epoch: f64);

    /// A tab came, and wants to know how things stand.
    #[wasm_bindgen(method)]
    pub fn joined(this: &Host, group: u32);

    /// This tab left a group.
    #[wasm_bindgen(method)]
    pub fn left(this: &Host, group: u32);
}
