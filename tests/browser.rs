//! The shell around the core, in real browsers: a host made of JavaScript writes down what it is told.
#![cfg(target_arch = "wasm32")]

use std::rc::Rc;

use evenkeel::browser::host::Host;
use evenkeel::client as engine;
use js_sys::Promise;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

#[wasm_bindgen(inline_js = r"
export class ScriptedHost {
  said = [];
  answers = [];
  reads = [];
  facts = [];
  #life = new AbortController();
  #waiting = [];
  constructor(answers) {
    this.answers = [...answers];
  }
  get life() {
    return this.#life.signal;
  }
  async begin(task, id, number) {
    const result = await [this.send, this.read, this.ask][task].call(this, id, number).catch(() => null);
    if (!this.life.aborted) this.ended(task, id, number, result);
  }
  send(flight, attempt) {
    this.#say('send', flight, attempt);
    const answer = this.answers.length > 1 ? this.answers.shift() : this.answers[0];
    if (answer === 'never') return new Promise(() => {});
    if (answer === 'reject') return Promise.reject(new Error('a host never does'));
    if (answer === 'failed') return Promise.resolve(null);
    if (answer === 'unsendable') return Promise.resolve(undefined);
    const [status, ...headers] = answer.split('\n');
    const init = { status: Number(status), headers: headers.map((line) => line.split(': ')) };
    return Promise.resolve(new Response(null, init));
  }
  read(flight, attempt) {
    this.#say('read', flight, attempt);
    const end = this.reads.shift() ?? 0;
    return end === 'never' ? new Promise(() => {}) : Promise.resolve(end);
  }
  async ask(question) {
    this.#say('ask', question);
    const fact = this.facts.shift() ?? -1;
    await null;
    if (question === 0 && !this.life.aborted) this.answered(0, fact, -1, -1);
    return question === 0 ? -3 : fact;
  }
  showSession(...about) { this.#say('session', ...about); }
  toldSession(...about) { this.#say('told of the session', ...about); }
  postSession(...about) { this.#say('post', ...about); }
  showVersion(...about) { this.#say('version', ...about); }
  toldVersion(...about) { this.#say('told of the version', ...about); }
  settle(call, flight, end, retryAfterMs, shared) {
    this.#say('settle', call, flight, end, retryAfterMs, shared);
    this.settled?.(call);
  }
  drain(...about) { this.#say('drain', ...about); }
  cancel(...about) { this.#say('cancel', ...about); }
  done(...about) { this.#say('done', ...about); }
  retry(...about) { this.#say('retry', ...about); }
  retrying(...about) { this.#say('retrying', ...about); }
  breaker(...about) { this.#say('breaker', ...about); }
  hush(...about) { this.#say('hush', ...about); }
  queued(...about) { this.#say('queued', ...about); }
  connection(status) { this.#say('connection', status); }
  end() {
    this.#life.abort();
  }
  heard(what) {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(`${what} is not in ${this.said.join(', ')}`), 10_000);
      const look = () => {
        if (!this.said.includes(what)) return;
        clearTimeout(timer);
        resolve();
      };
      this.#waiting.push(look);
      look();
    });
  }
  #say(...words) {
    this.said.push(words.join(' '));
    for (const look of this.#waiting) look();
  }
}

export function setOnline(online) {
  Object.defineProperty(navigator, 'onLine', { configurable: true, get: () => online });
  dispatchEvent(new Event(online ? 'online' : 'offline'));
}

export function setVisible(visible) {
  Object.defineProperty(document, 'visibilityState', { configurable: true, get: () => (visible ? 'visible' : 'hidden') });
  document.dispatchEvent(new Event('visibilitychange'));
}

export function sleep(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

export class Timers {
  #real = [setTimeout, clearTimeout];
  #alive = new Set();
  set = 0;
  constructor() {
    const [set, clear] = this.#real;
    globalThis.setTimeout = (run, ms) => {
      const timer = set(() => {
        this.#alive.delete(timer);
        run();
      }, ms);
      this.#alive.add(timer);
      this.set++;
      return timer;
    };
    globalThis.clearTimeout = (timer) => {
      this.#alive.delete(timer);
      clear(timer);
    };
  }
  alive() {
    return this.#alive.size;
  }
  restore() {
    [globalThis.setTimeout, globalThis.clearTimeout] = this.#real;
  }
}
")]
extern "C" {
    #[derive(Clone)]
    type ScriptedHost;
    #[wasm_bindgen(constructor)]
    fn new(answers: Vec<String>) -> ScriptedHost;
    #[wasm_bindgen(method, getter)]
    fn said(this: &ScriptedHost) -> Vec<String>;
    #[wasm_bindgen(method, setter)]
    fn set_reads(this: &ScriptedHost, ends: js_sys::Array);
    #[wasm_bindgen(method, setter)]
    fn set_facts(this: &ScriptedHost, facts: js_sys::Array);
    #[wasm_bindgen(method, setter)]
    fn set_ended(this: &ScriptedHost, ended: &JsValue);
    #[wasm_bindgen(method, setter)]
    fn set_answered(this: &ScriptedHost, answered: &JsValue);
    #[wasm_bindgen(method, setter)]
    fn set_settled(this: &ScriptedHost, listener: &js_sys::Function);
    #[wasm_bindgen(method)]
    fn end(this: &ScriptedHost);
    #[wasm_bindgen(method)]
    fn heard(this: &ScriptedHost, what: &str) -> Promise;

    #[wasm_bindgen(js_name = setOnline)]
    fn set_online(online: bool);
    #[wasm_bindgen(js_name = setVisible)]
    fn set_visible(visible: bool);
    fn sleep(ms: u32) -> Promise;

    type Timers;
    #[wasm_bindgen(constructor)]
    fn patch() -> Timers;
    #[wasm_bindgen(method, getter)]
    fn set(this: &Timers) -> u32;
    #[wasm_bindgen(method)]
    fn alive(this: &Timers) -> u32;
    #[wasm_bindgen(method)]
    fn restore(this: &Timers);
}

const IDEMPOTENT: u32 = 1;
const REPLAYABLE: u32 = 2;
const TRUSTED: u32 = 4;
const WANTS_DATA: u32 = 16;
const BACKGROUND: u32 = 64;
const GET: u32 = IDEMPOTENT | REPLAYABLE | TRUSTED;

/// Ends, as `Host::settle` is told them.
const OK: u32 = 0;
const AS_THE_STATUS_SAYS: u32 = 1;
const NETWORK: u32 = 2;
const TIMEOUT: u32 = 4;
const ABORTED: u32 = 5;
const UNAUTHENTICATED: u32 = 6;
const INVALID: u32 = 12;
const TOO_LARGE: u32 = 18;

const NO_SESSION: [f64; 3] = [0.0; 3];
/// One clear answer is enough. Asked every 5 min, and by this tab alone.
const SESSION: [f64; 11] =
    [1.0, 0.0, SECOND, 300.0 * SECOND, 900.0 * SECOND, 300.0 * SECOND, -1.0, 0.0, -1.0, -1.0, 0.0];
const NO_VERSION: [f64; 1] = [0.0];
/// The server says by itself which version it runs, and the page is reloaded at once. None was used before.
const VERSION: [f64; 8] = [1.0, 0.0, -1.0, 0.0, 0.0, 600.0 * SECOND, 5.0 * SECOND, 0.0];

const URL: &str = "https://app.test/api/x";
const SECOND: f64 = 1_000.0;

/// A host, and the engine that was started for it. Retries come after 20 ms, nothing trips or is rationed.
struct Shell {
    host: ScriptedHost,
}

impl Drop for Shell {
    fn drop(&mut self) {
        engine::dispose();
        self.host.end();
    }
}

impl Shell {
    fn new(answers: &[&str]) -> Shell {
        Shell::with(answers, &[], &NO_SESSION, &NO_VERSION)
    }

    /// `facts` are what the session endpoint and the probe say.
    fn with(answers: &[&str], facts: &[f64], session: &[f64], version: &[f64]) -> Shell {
        let host = ScriptedHost::new(answers.iter().map(|answer| (*answer).to_owned()).collect());
        host.set_facts(facts.iter().copied().map(JsValue::from_f64).collect());
        let numbers: [&[f64]; 9] = [
            &[7.0],                               // seed
            &[20.0, 2.0, SECOND, 0.0],            // backoff, without jitter
            &[-1.0, 0.0, 0.0],                    // no budget
            &[0.0, 0.0, 0.0, 0.0, 0.0, 0.0],      // no breaker
            &[100.0, 512.0, 0.0, 0.0],            // slots, queue, and no rate limit
            &[2.0, 60.0 * SECOND, 0.0, 0.0, 0.0], // connection, without a probe; no tabs
            session,
            version,
            &[503.0], // the one status that is worth another attempt
        ];
        let options: js_sys::Array = numbers.concat().into_iter().map(JsValue::from_f64).collect();
        let ended = Closure::<dyn Fn(u32, u32, u32, JsValue)>::new(engine::ended);
        host.set_ended(&ended.into_js_value());
        let answered = Closure::<dyn Fn(u32, f64, f64, f64)>::new(engine::session);
        host.set_answered(&answered.into_js_value());
        engine::start(options.into(), host.clone().unchecked_into::<Host>());
        Shell { host }
    }

    fn call(&self, id: u32, flags: u32) {
        engine::call(id, URL, "", flags, 3, 5.0 * SECOND, 60.0 * SECOND);
    }

    async fn heard(&self, what: &str) {
        JsFuture::from(self.host.heard(what)).await.expect("in ten seconds");
    }

    /// Waits for a call's end, and checks it.
    async fn ends(&self, id: u32, end: u32) {
        self.heard(&settled(id, end)).await;
    }
}

fn settled(id: u32, end: u32) -> String {
    format!("settle {id} {id} {end} -1 false")
}

#[wasm_bindgen_test]
async fn a_call_is_sent_read_settled_and_forgotten() {
    let shell = Shell::new(&["200"]);
    shell.call(1, GET);
    shell.heard("done 1").await;
    let said: Vec<String> = shell.host.said().into_iter().filter(|word| !word.starts_with("queued")).collect();
    assert_eq!(said, ["send 1 1", "read 1 1", &settled(1, OK), "done 1"]);
}

#[wasm_bindgen_test]
async fn a_failure_is_tried_again_after_its_wait() {
    let shell = Shell::new(&["503", "failed", "200"]);
    shell.call(1, GET);
    shell.ends(1, OK).await;
    let said: Vec<String> = shell.host.said().into_iter().filter(|word| !word.starts_with("queued")).collect();
    let story = ["send 1 1", "drain 1", "retry 1 20", "send 1 2", "retry 1 40", "send 1 3", "read 1 3"];
    let told: Vec<&str> =
        said.iter().map(String::as_str).filter(|word| story.contains(word) || word.starts_with("send")).collect();
    assert_eq!(told, ["send 1 1", "retry 1 20", "drain 1", "send 1 2", "retry 1 40", "send 1 3", "read 1 3"]);
}

#[wasm_bindgen_test]
async fn what_the_host_answers_decides_over_the_end() {
    for (answer, end) in [("404", AS_THE_STATUS_SAYS), ("204", OK), ("unsendable", INVALID)] {
        let shell = Shell::new(&[answer]);
        shell.call(1, GET);
        shell.ends(1, end).await;
    }
    for answer in ["failed", "reject"] {
        let shell = Shell::new(&[answer]);
        engine::call(1, URL, "", GET, 0, SECOND, SECOND);
        shell.ends(1, NETWORK).await;
    }
}

#[wasm_bindgen_test]
async fn a_body_can_break_and_be_too_large() {
    for (end_of_body, end) in [(1.0, NETWORK), (2.0, TOO_LARGE)] {
        let shell = Shell::new(&["200"]);
        shell.host.set_reads(js_sys::Array::of1(&JsValue::from_f64(end_of_body)));
        engine::call(1, URL, "", GET, 0, SECOND, SECOND);
        shell.ends(1, end).await;
    }
}

#[wasm_bindgen_test]
async fn retry_after_is_read_from_the_headers() {
    for (headers, wait) in [
        ("503\nretry-after: 7", "7000"),
        ("503\nretry-after: 7\nretry-after-ms: 250", "250"),
        ("503\ndate: Wed, 21 Oct 2015 07:28:00 GMT\nretry-after: Wed, 21 Oct 2015 07:28:09 GMT", "9000"),
        ("503\nretry-after: soon", "-1"),
        ("503", "-1"),
    ] {
        let shell = Shell::new(&[headers]);
        engine::call(1, URL, "", GET, 0, SECOND, SECOND);
        shell.heard(&format!("settle 1 1 {AS_THE_STATUS_SAYS} {wait} false")).await;
    }
}

#[wasm_bindgen_test]
async fn a_401_and_a_page_where_data_was_asked_for_ask_the_session() {
    for answer in ["401", "200\ncontent-type: text/html; charset=utf-8", "200\ncontent-type: Text/HTML"] {
        let answers = [answer, "200\ncontent-type: application/json"];
        let shell = Shell::with(&answers, &[42.0, 42.0], &SESSION, &NO_VERSION);
        shell.call(1, GET | WANTS_DATA);
        shell.ends(1, OK).await;
        assert_eq!(shell.host.said().iter().filter(|word| *word == "ask 0").count(), 2, "once at the start");
    }
    let shell = Shell::with(&["401"], &[-2.0, -2.0], &SESSION, &NO_VERSION);
    shell.call(1, GET);
    shell.ends(1, UNAUTHENTICATED).await;
}

#[wasm_bindgen_test]
async fn the_session_is_asked_at_once_shown_and_signed_out() {
    let shell = Shell::with(&[], &[42.0], &SESSION, &NO_VERSION);
    assert!(shell.host.said().contains(&"ask 0".to_owned()));
    shell.heard("session 1 42 true").await;
    shell.heard("told of the session 3 1 0").await; // a mark is set
    engine::session(3, 0.0, 0.0, 0.0);
    shell.heard("told of the session 4 0 0").await; // sign out at the server
    engine::session(4, 1.0, 0.0, 0.0);
    shell.heard("session 2 -1 true").await;
    shell.heard("told of the session 1 1 0").await; // it is over, because of that
}

#[wasm_bindgen_test]
async fn what_no_tab_says_is_nothing() {
    let shell = Shell::with(&[], &[42.0], &SESSION, &NO_VERSION);
    shell.heard("session 1 42 true").await;
    let before = shell.host.said().len();
    for number in [f64::NAN, f64::INFINITY, -1.0, 1e300] {
        for says in [4, 5, 6, 7, 10, 12, 21, u32::MAX] {
            engine::session_heard(number, says, number, number, number);
        }
        engine::heard(0, number, number, 99, true, number);
        engine::session(99, number, number, number);
        engine::version(99, number, number);
    }
    assert_eq!(shell.host.said()[before..].iter().find(|word| word.starts_with("session 2")), None);
}

#[wasm_bindgen_test]
async fn a_new_version_is_prepared_for_and_reloaded() {
    let shell = Shell::with(&[], &[], &NO_SESSION, &VERSION);
    engine::version(0, 2.0, 0.0);
    shell.heard("version 1 2 0 -1 false").await;
    shell.heard("told of the version 2 0 0").await; // get ready
    engine::version(9, 1.0, 0.0);
    shell.heard("version 2 2 0 -1 false").await;
    shell.heard("told of the version 3 2 0").await; // reload
}

#[wasm_bindgen_test]
async fn silence_is_a_timeout_and_ends_the_request() {
    let shell = Shell::new(&["never"]);
    engine::call(1, URL, "", GET, 0, 40.0, 60.0 * SECOND);
    shell.ends(1, TIMEOUT).await;
    assert!(shell.host.said().contains(&"cancel 1".to_owned()));
}

#[wasm_bindgen_test]
async fn bytes_that_come_put_the_timeout_off() {
    let shell = Shell::new(&["200"]);
    shell.host.set_reads(js_sys::Array::of1(&"never".into()));
    engine::call(1, URL, "", GET, 0, 400.0, 60.0 * SECOND);
    shell.heard("read 1 1").await;
    let begun = js_sys::Date::now();
    while js_sys::Date::now() - begun < 600.0 {
        engine::progressed(1, 1);
        JsFuture::from(sleep(20)).await.expect("it ends");
    }
    assert!(!shell.host.said().contains(&settled(1, TIMEOUT)), "it was never silent for as long");
    shell.ends(1, TIMEOUT).await;
}

#[wasm_bindgen_test]
async fn equal_calls_share_a_request_and_the_last_abort_cancels_it() {
    let shell = Shell::new(&["never"]);
    for id in [1, 2] {
        engine::call(id, URL, "GET", GET, 3, 5.0 * SECOND, 60.0 * SECOND);
    }
    shell.heard("send 1 1").await;
    engine::abort(1);
    assert!(shell.host.said().contains(&settled(1, ABORTED)));
    assert!(!shell.host.said().contains(&"cancel 1".to_owned()));
    engine::abort(2);
    assert!(shell.host.said().contains(&format!("settle 2 1 {ABORTED} -1 true")));
    assert!(shell.host.said().contains(&"cancel 1".to_owned()));
    assert_eq!(shell.host.said().iter().filter(|word| word.starts_with("send")).count(), 1);
}

#[wasm_bindgen_test]
async fn the_glue_may_call_back_while_it_is_told() {
    let shell = Rc::new(Shell::new(&["200"]));
    let again = {
        let shell = Rc::clone(&shell);
        Closure::<dyn Fn(u32)>::new(move |id: u32| {
            if id < 5 {
                shell.call(id + 1, GET);
                engine::abort(99);
            }
        })
    };
    shell.host.set_settled(again.as_ref().unchecked_ref());
    shell.call(1, GET);
    shell.ends(5, OK).await;
}

#[wasm_bindgen_test]
async fn one_timer_serves_however_many_calls_and_dispose_clears_it() {
    let timers = Timers::patch();
    let shell = Shell::new(&["never"]);
    for id in 1..=100 {
        shell.call(id, GET);
    }
    assert_eq!((timers.alive(), timers.set()), (1, 1));
    engine::dispose();
    assert_eq!(timers.alive(), 0);
    timers.restore();
    let said = shell.host.said();
    assert!((1..=100).all(|id| said.contains(&settled(id, ABORTED))));
    shell.call(101, GET);
    assert!(shell.host.said().contains(&settled(101, ABORTED)), "a later call ends at once");
}

#[wasm_bindgen_test]
async fn a_timer_that_is_needed_earlier_takes_the_place_of_a_later_one() {
    let timers = Timers::patch();
    let shell = Shell::new(&["never"]);
    engine::call(1, URL, "", GET, 0, 50.0 * SECOND, 60.0 * SECOND);
    engine::call(2, URL, "", GET, 0, 40.0, 60.0 * SECOND);
    assert_eq!(timers.alive(), 1);
    timers.restore();
    shell.ends(2, TIMEOUT).await;
    assert!(!shell.host.said().contains(&settled(1, TIMEOUT)));
}

#[wasm_bindgen_test]
fn the_page_says_whether_it_is_online() {
    let shell = Shell::new(&["200"]);
    let connection = |shell: &Shell| -> Vec<String> {
        shell.host.said().into_iter().filter(|word| word.starts_with("connection")).collect()
    };
    set_online(false);
    set_online(true);
    assert_eq!(connection(&shell), ["connection 2", "connection 0"]);
    shell.host.end();
    set_online(false);
    set_online(true);
    assert_eq!(connection(&shell).len(), 2, "after its life it hears nothing");
}

#[wasm_bindgen_test]
fn an_engine_that_starts_offline_says_so() {
    set_online(false);
    let shell = Shell::new(&["200"]);
    assert!(shell.host.said().contains(&"connection 2".to_owned()));
    set_online(true);
}

#[wasm_bindgen_test]
async fn background_calls_wait_while_nobody_sees_the_page() {
    let shell = Shell::new(&["200"]);
    set_visible(false);
    shell.call(1, GET | BACKGROUND);
    shell.call(2, GET);
    shell.ends(2, OK).await;
    assert!(!shell.host.said().contains(&"send 1 1".to_owned()));
    assert!(shell.host.said().contains(&"queued 1".to_owned()));
    set_visible(true);
    shell.ends(1, OK).await;
    assert!(shell.host.said().contains(&"queued 0".to_owned()));
}

#[wasm_bindgen_test]
fn the_next_page_is_found_in_a_link_header() {
    let header = r#"<https://app.test/a>; rel="prev", <?page=3>; title="a, \"b\""; rel="last NEXT""#;
    assert_eq!(engine::next_link(header).as_deref(), Some("?page=3"));
    assert_eq!(engine::next_link("<a>; rel=prev"), None);
}
