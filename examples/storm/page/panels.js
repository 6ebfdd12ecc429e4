const TICK_MS = 200;
const METER_MAX = 40;
const STATUS = { online: 'Online', degraded: 'Degraded', offline: 'Offline' };
const SHOWN = /^(?!stream)/; // the stream's are beside its list
const FAILURES = /^(?!requests$|retries$|ok$|shared$)/;

const $ = (id) => document.getElementById(id);

/** The panels beside the time line. Returns what hears of failed calls, for the breakers' countdowns. */
export function showPanels(app) {
  showRuntime(app);
  showConnection(app);
  showActivity(app);
  showCounters(app);
  return showBreakers(app);
}

/** Where the module does not run, calls go through plain fetch: whoever looks on should know. */
function showRuntime({ runtime }) {
  const show = () => {
    $('runtime').hidden = runtime.getSnapshot().status !== 'failed';
  };
  runtime.subscribe(show);
  show();
}

function showConnection({ connection }) {
  const show = () => {
    const { status, since } = connection.getSnapshot();
    const pill = $('connection');
    pill.dataset.status = status;
    pill.textContent = `${STATUS[status]} since ${new Date(since).toLocaleTimeString('en-GB')}`;
  };
  connection.subscribe(show);
  show();
}

function showActivity({ api }) {
  const meters = {};
  for (const [name, label] of [
    ['pending', 'not settled'],
    ['queued', 'of them queued'],
  ]) {
    const row = document.createElement('div');
    row.className = 'meter';
    row.innerHTML = '<dd></dd><dt></dt><i></i>';
    row.querySelector('dt').textContent = label;
    row.dataset.name = name;
    $('activity').append(row);
    meters[name] = row;
  }
  const show = () => {
    const activity = api.activity.getSnapshot();
    for (const [name, row] of Object.entries(meters)) {
      row.querySelector('dd').textContent = activity[name];
      row.style.setProperty('--share', Math.min(1, activity[name] / METER_MAX));
    }
  };
  api.activity.subscribe(show);
  show();
}

function showCounters(app) {
  const shown = new Map();
  const show = () => {
    const { counters } = app.diagnostics();
    const failures = Object.keys(counters).filter((name) => SHOWN.test(name) && FAILURES.test(name));
    for (const name of ['requests', 'retries', 'ok', 'shared', ...failures]) {
      if (!shown.has(name)) {
        const cell = document.createElement('div');
        cell.className = 'counter';
        if (FAILURES.test(name)) cell.classList.add('failure');
        cell.innerHTML = '<dt></dt><dd></dd>';
        cell.querySelector('dt').textContent = name;
        $('counters').append(cell);
        shown.set(name, cell.querySelector('dd'));
      }
      shown.get(name).textContent = counters[name] ?? 0;
    }
  };
  app.on(inNextFrame(show));
  show();
}

function showBreakers(app) {
  /** @type {Map<string, { state: string, at: number, until: number | null }>} */
  const breakers = new Map();
  let ticking;

  const show = () => {
    $('breakers').replaceChildren(
      ...[...breakers].map(([url, { state, at, until }]) => {
        const item = document.createElement('li');
        item.dataset.state = state;
        const name = document.createElement('span');
        name.textContent = new URL(url).pathname === '/' ? new URL(url).host : new URL(url).pathname;
        const said = document.createElement('b');
        said.textContent = state;
        const left = document.createElement('time');
        if (state === 'open') left.textContent = leftOf({ at, until });
        item.append(name, said, left);
        return item;
      }),
    );
    const isOpen = [...breakers.values()].some(({ state }) => state === 'open');
    if (isOpen) ticking ??= setInterval(show, TICK_MS);
    else ticking = clearInterval(ticking);
  };

  app.on((event) => {
    if (event.type === 'request') {
      const { origin, pathname } = new URL(event.url);
      const route = origin + pathname.split('/', 3).join('/');
      if (breakers.has(origin) && breakers.has(route)) return;
      for (const url of [origin, route])
        if (!breakers.has(url)) breakers.set(url, { state: 'closed', at: event.at, until: null });
      show();
    } else if (event.type === 'breaker') {
      breakers.set(event.url.replace(/\/$/, ''), { state: event.state, at: event.at, until: null });
      show();
    }
  });

  /** A call that was not sent knows how long its breaker stays open. */
  return ({ kind, url, retryAfterMs }) => {
    if (kind !== 'circuitOpen' || retryAfterMs === null) return;
    const { origin, pathname } = new URL(url);
    const open = [origin + pathname.split('/', 3).join('/'), origin]
      .map((name) => breakers.get(name))
      .find((breaker) => breaker?.state === 'open');
    if (open) open.until = Date.now() + retryAfterMs;
  };
}

/** How long a breaker stays open where a call was told, else how long it has been. */
function leftOf({ at, until }) {
  const now = Date.now();
  if (until === null) return `for ${wholeSeconds(now - at)}`;
  return until > now ? `${wholeSeconds(until - now)} left` : 'probe due';
}

const wholeSeconds = (ms) => `${Math.ceil(ms / 1_000)} s`;

/** Many calls before a frame are one. */
function inNextFrame(run) {
  let asked = false;
  return () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => {
      asked = false;
      run();
    });
  };
}
