// Times what saving a draft takes of a page's main thread, and counts what it writes and sends; `make bench` calls it. Figures go to
// stdout only.
import { launchBrowser, openPage, run } from '../tests/harness/browser.mjs';
import { openDrafts } from '../tests/server/drafts.mjs';
import { startFaultServer } from '../tests/server/fault-server.mjs';
import { printSetting, row } from './browser.mjs';
import { median } from './rounds.mjs';

const SIZES = { '10 kB': 10_000, '100 kB': 100_000, '1 MB': 1_000_000 };
const SAVES = 20;
const WARM_UP = 5;
const KEY_EVERY_MS = 150;
const TYPING_MS = 60_000;
const BY_HAND = '/api/by-hand';
const TRACED = ['disabled-by-default-devtools.timeline', 'blink.user_timing'];
/** In a trace, the moment at which a save begins. */
const BEGIN = 'save begins';
const END = 'last save ended';

const contenders = {
  // What an app cannot do without, if it is to keep a form on the device and at the server.
  'by hand': () => {
    const opening = indexedDB.open('by hand');
    opening.onupgradeneeded = () => opening.result.createObjectStore('forms');
    window.save = async (form) => {
      const text = JSON.stringify(form);
      const writing = opening.result.transaction('forms', 'readwrite').objectStore('forms').put(text, 'form');
      await new Promise((resolve) => (writing.onsuccess = resolve));
      await fetch('/api/by-hand', { method: 'POST', body: text });
    };
    return new Promise((resolve) => (opening.onsuccess = () => resolve()));
  },
  evenkeel: () => {
    const draft = window.app.draft('form', { debounceMs: 60_000, maxWaitMs: 60_000 });
    window.save = async (form) => {
      draft.update(form);
      const { status } = await draft.flush();
      if (status !== 'saved') throw new Error(`the draft is ${status}`);
    };
    return window.app.ready;
  },
};

/** A page with a client, and a server that keeps what it saves. */
async function openForm(browser) {
  const closing = [];
  const owner = { after: (close) => closing.unshift(close) };
  const server = await startFaultServer();
  owner.after(() => server.close());
  server.keepAlive = true;
  server.drafts = openDrafts({ trusting: true });
  server.on(BY_HAND, 204);
  const page = await openPage(owner, {
    browser,
    server,
    config: () => ({ session: false, version: false, drafts: { userKey: () => 'ada' } }),
    beforeLoad: (page) => page.addInitScript(noteWrites),
  });
  return { server, page, close: async () => Promise.all(closing.map((close) => close())) };
}

/** The tasks of the main thread while forms of this size are saved, a list for each save; and how many bytes were written and sent for each. */
async function saved(browser, contender, bytes) {
  const { server, page, close } = await openForm(browser);
  try {
    await run(page, contenders[contender]);
    await run(page, saveAgainAndAgain, { bytes, saves: WARM_UP });
    await run(page, () => void (window.written.length = 0));
    server.clear();
    await browser.startTracing(page, { categories: TRACED });
    await run(page, saveAgainAndAgain, { bytes, saves: SAVES, begin: BEGIN, end: END });
    const trace = await browser.stopTracing();
    const sent = server
      .requestsTo((request) => request.method === 'POST')
      .reduce((sum, { bodyBytes }) => sum + bodyBytes, 0);
    return {
      tasks: tasksOf(JSON.parse(trace).traceEvents),
      written: (await run(page, bytesWritten)) / SAVES,
      sent: sent / SAVES,
    };
  } finally {
    await close();
  }
}

/** Milliseconds of the processor: what else runs on the machine makes no task longer. */
function tasksOf(events) {
  const begins = events.filter(({ name }) => name === BEGIN).map(({ ts }) => ts);
  const { ts: end, pid, tid } = events.find(({ name }) => name === END);
  const tasks = events.filter((event) => event.name === 'RunTask' && event.pid === pid && event.tid === tid);
  return begins.map((begin, i) =>
    tasks
      .filter(({ ts, dur }) => ts + dur > begin && ts < (begins[i + 1] ?? end))
      .map(({ tdur }) => tdur / 1_000),
  );
}

/* Runs in the page. */
async function saveAgainAndAgain({ bytes, saves, begin, end }) {
  const items = [];
  const form = { title: 'A plan', items };
  while (JSON.stringify(form).length < bytes - 20_000)
    for (let i = 0; i < 100; i++) items.push(item(items.length));
  while (JSON.stringify(form).length < bytes) items.push(item(items.length));
  for (let n = 0; n < saves; n++) {
    // Apart from each other, so that a task belongs to one save.
    await new Promise((resolve) => setTimeout(resolve, 50));
    if (begin) performance.mark(begin);
    await window.save({ ...form, title: `A plan, ${Date.now()}` });
  }
  if (end) performance.mark(end);

  function item(n) {
    return {
      id: n,
      name: `Item ${n}`,
      amount: n * 1.5,
      done: n % 3 === 0,
      note: 'as much as there is, überall',
    };
  }
}

/* Runs in the page. */
function noteWrites() {
  window.written = [];
  const { put } = IDBObjectStore.prototype;
  IDBObjectStore.prototype.put = function (value, key) {
    window.written.push(value);
    return put.call(this, value, key);
  };
}

/* Runs in the page. How many bytes IndexedDB was given, strings as UTF-8. */
function bytesWritten() {
  const bytesOf = (value) => new Blob([typeof value === 'string' ? value : JSON.stringify(value)]).size;
  return window.written
    .flatMap((value) => (typeof value === 'string' ? value : Object.entries(value).flat()))
    .reduce((sum, value) => sum + bytesOf(value), 0);
}

/** What somebody who types without a pause makes the client write and send, with the defaults. */
async function typed(browser) {
  const { server, page, close } = await openForm(browser);
  try {
    return {
      ...(await run(
        page,
        async ({ everyMs, forMs }) => {
          const draft = window.app.draft('form');
          await window.app.ready;
          const until = performance.now() + forMs;
          let text = '';
          let keys = 0;
          for (; performance.now() < until; await new Promise((resolve) => setTimeout(resolve, everyMs))) {
            text += String.fromCharCode(97 + (keys++ % 26));
            draft.update({ text });
          }
          return { keys, writes: window.written.length };
        },
        { everyMs: KEY_EVERY_MS, forMs: TYPING_MS },
      )),
      requests: server.requestsTo('/api/drafts').length,
    };
  } finally {
    await close();
  }
}

const closing = [];
try {
  printSetting('playwright-core');
  const browser = await launchBrowser({ after: (close) => closing.push(close) });
  console.log(
    `${SAVES} saves each, to IndexedDB and a server on loopback that keeps them in a database; times are of the processor`,
  );
  console.log(
    row('a save', 'all tasks, ms', 'longest, ms', 'longest ever', 'to device, kB', 'to server, kB'),
  );
  for (const [size, bytes] of Object.entries(SIZES)) {
    for (const contender of Object.keys(contenders)) {
      const { tasks, written, sent } = await saved(browser, contender, bytes);
      const longest = tasks.map((all) => Math.max(...all));
      console.log(
        row(
          `${size}, ${contender}`,
          median(tasks.map((all) => all.reduce((sum, ms) => sum + ms, 0))).toFixed(2),
          median(longest).toFixed(2),
          Math.max(...longest).toFixed(2),
          (written / 1_000).toFixed(1),
          (sent / 1_000).toFixed(1),
        ),
      );
    }
  }
  const { keys, requests, writes } = await typed(browser);
  console.log(`\nA minute of typing, a key every ${KEY_EVERY_MS} ms, with the defaults`);
  console.log(row('', 'keys', 'requests', 'device writes'));
  console.log(row('evenkeel', String(keys), String(requests), String(writes)));
} finally {
  for (const close of closing) await close();
}
