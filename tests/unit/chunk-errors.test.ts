import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { isChunkError, watchChunks } from '../../js/chunk-errors.js';

const OWN = 'https://app.example.com';
const GONE = new TypeError(`Failed to fetch dynamically imported module: ${OWN}/assets/page-3f.js`);

/** An error of webpack or Turbopack. */
const named = (message: string): Error => Object.assign(new Error(message), { name: 'ChunkLoadError' });

/** A page that can fail. */
function pageOf(t: TestContext, settled = () => false) {
  const events = new EventTarget();
  const life = new AbortController();
  const before = globalThis.addEventListener;
  Object.assign(globalThis, { addEventListener: events.addEventListener.bind(events) });
  t.after(() => {
    life.abort();
    Object.assign(globalThis, { addEventListener: before });
  });
  const heard: unknown[] = [];
  watchChunks(
    life.signal,
    (url) => url.origin === OWN,
    (error) => heard.push(error),
    settled,
  );
  const fire = (type: string, detail: object): Event => {
    const event = new Event(type, { cancelable: true });
    for (const [name, value] of Object.entries(detail)) Object.defineProperty(event, name, { value });
    events.dispatchEvent(event);
    return event;
  };
  /** What cannot load tells itself alone; this is what is heard on the way to it. */
  const fails = (target: object): Event => fire('error', { target });
  return { heard, fire, fails, life };
}

test('what browsers and bundlers say of a chunk that is gone is known', () => {
  for (const error of [
    GONE,
    new TypeError('error loading dynamically imported module: https://app.example.com/page.js'),
    new TypeError('Importing a module script failed.'),
    new TypeError("'text/html' is not a valid JavaScript MIME type."),
    named('Loading chunk 17 failed.\n(error: https://app.example.com/17.js)'),
    new Error('Loading chunk app/orders/page failed.'),
    Object.assign(new Error('Loading CSS chunk 5 failed.\n(/5.css)'), { code: 'CSS_CHUNK_LOAD_FAILED' }),
    named('Failed to load chunk /_next/static/chunks/3f.js from module 4711'),
    named(''),
    new Error('Unable to preload CSS for /assets/page-3f.css'),
    'Uncaught TypeError: Failed to fetch dynamically imported module: /page.js',
    { message: 'Loading chunk 3 failed.' },
  ])
    assert.equal(isChunkError(error), true, String(error));
});

test('every other failure is none', () => {
  for (const error of [
    undefined,
    null,
    0,
    '',
    {},
    { message: 5 },
    new TypeError('Failed to fetch'),
    new TypeError('Load failed'),
    new Error('could not upload chunk 3 of the film'),
    new SyntaxError("Unexpected token '<'"),
    new DOMException('The operation was aborted', 'AbortError'),
  ])
    assert.equal(isChunkError(error), false, String(error));
});

test('it is found as the cause of another error, and a ring of causes ends', () => {
  assert.equal(isChunkError(new Error('route failed', { cause: new Error('page', { cause: GONE }) })), true);
  const ring = new Error('ring');
  ring.cause = ring;
  assert.equal(isChunkError(ring), false);
});

test('a rejection that nobody caught, and an error that nobody caught, are heard', (t) => {
  const { heard, fire } = pageOf(t);
  fire('unhandledrejection', { reason: GONE });
  fire('error', { error: GONE });
  fire('error', { error: null, message: 'Uncaught Error: Loading chunk 3 failed.' });
  assert.equal(heard.length, 3);
  assert.equal(heard[0], GONE);

  fire('unhandledrejection', { reason: new Error('no stock') });
  fire('unhandledrejection', { reason: undefined });
  fire('error', { error: new Error('no stock'), message: 'Uncaught Error: no stock' });
  assert.equal(heard.length, 3);
});

test('scripts and style sheets of the page’s own are heard, nobody else’s and nothing else', (t) => {
  const { heard, fails } = pageOf(t);
  const own = [
    { tagName: 'SCRIPT', src: `${OWN}/main-3f.js` },
    { tagName: 'LINK', rel: 'stylesheet', href: `${OWN}/main-3f.css` },
    { tagName: 'LINK', rel: 'modulepreload', href: `${OWN}/page-3f.js` },
    { tagName: 'LINK', rel: 'preload', as: 'script', href: `${OWN}/page-3f.js` },
  ];
  own.forEach(fails);
  assert.deepEqual(heard, own);

  for (const target of [
    { tagName: 'SCRIPT', src: 'https://ads.example.net/pixel.js' },
    { tagName: 'SCRIPT', src: '' },
    { tagName: 'SCRIPT', src: 'http://[' },
    { tagName: 'LINK', rel: 'icon', href: `${OWN}/icon.png` },
    { tagName: 'LINK', rel: 'preload', as: 'image', href: `${OWN}/hero.jpg` },
    { tagName: 'IMG', src: `${OWN}/photo.jpg` },
  ])
    fails(target);
  assert.equal(heard.length, own.length);
});

test('a script of the page’s own that is HTML is a chunk that is gone', (t) => {
  const { heard, fire } = pageOf(t);
  const failed = (message: string, filename: string) => {
    const error = new SyntaxError(message);
    fire('error', { error, message: `Uncaught SyntaxError: ${message}`, filename });
    return error;
  };
  const chromium = failed("Unexpected token '<'", `${OWN}/_next/static/chunks/3f.js`);
  const firefox = failed("expected expression, got '<'", `${OWN}/17.js`);
  failed("Unexpected token '<'", 'https://ads.example.net/17.js');
  failed("Unexpected token '<'", '');
  failed(`Unexpected token '<', "<!doctype "... is not valid JSON`, `${OWN}/17.js`);
  failed("Unexpected token ')'", `${OWN}/17.js`);
  assert.deepEqual(heard, [chromium, firefox]);
});

test('Vite’s event is heard, and prevented only when the page is about to be replaced', (t) => {
  let settled = false;
  const { heard, fire } = pageOf(t, () => settled);
  assert.equal(fire('vite:preloadError', { payload: GONE }).defaultPrevented, false);
  settled = true;
  assert.equal(fire('vite:preloadError', { payload: GONE }).defaultPrevented, true);
  assert.deepEqual(heard, [GONE, GONE]);

  // A module that was loaded and threw is an error of the app.
  const thrown = new Error('no stock');
  assert.equal(fire('vite:preloadError', { payload: thrown }).defaultPrevented, false);
  assert.equal(fire('vite:preloadError', {}).defaultPrevented, false);
  assert.equal(heard.length, 2);
});

test('afterwards nothing is heard', (t) => {
  const { heard, fire, life } = pageOf(t);
  life.abort();
  fire('unhandledrejection', { reason: GONE });
  assert.deepEqual(heard, []);
});
