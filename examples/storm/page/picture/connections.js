/**
 * What becomes of an event stream, as one row of the time line: each connection is an attempt.
 *
 * @typedef {import('./calls.js').Row} Row
 */
const KEPT_MS = 40_000;

/** Goes on with the row, as the stream stands now. @param {Row} row @param {object} state */
export function goOn(row, { status, error, nextRetryAt }) {
  const now = Date.now();
  const isKept = ({ until }) => until === null || now - until < KEPT_MS;
  row.attempts = row.attempts.filter(isKept);
  row.waits = row.waits.filter(isKept);
  const last = row.attempts.at(-1);
  const going = last?.until === null ? last : null;
  const wait = row.waits.at(-1);
  if (status !== 'waiting' && wait) wait.until ??= now;

  switch (status) {
    case 'connecting':
      if (going?.outcome === 'flight') return;
      end(going, now);
      begin(row, now, 'flight', '');
      break;
    case 'open':
      if (going && going.outcome !== 'polled') open(going, now);
      else {
        end(going, now);
        open(begin(row, now, 'flight', ''), now);
      }
      break;
    case 'polling':
      if (going?.outcome === 'polled') return;
      end(going, now, error);
      begin(row, now, 'polled', 'polling');
      break;
    case 'waiting':
      if (wait && wait.until === null) wait.ms = nextRetryAt - wait.at;
      else {
        end(going ?? begin(row, now, 'flight', ''), now, error);
        const askedS = error?.retryAfterMs ? String(error.retryAfterMs / 1_000) : null;
        row.waits.push({ at: now, until: null, ms: Math.max(0, (nextRetryAt ?? now) - now), askedS });
      }
      break;
    case 'paused':
      end(going, now);
      break;
    default:
      end(going, now, error);
      row.until = now;
      row.kind = error?.kind ?? null;
  }
}

function begin(row, at, outcome, text) {
  const attempt = { at, until: null, openedAt: null, outcome, text };
  row.attempts.push(attempt);
  return attempt;
}

function open(attempt, now) {
  attempt.openedAt ??= now;
  attempt.outcome = 'ok';
  attempt.text = 'open';
}

/** Without an error nothing went wrong: it was closed, or gave way to another. */
function end(attempt, now, error) {
  if (!attempt) return;
  attempt.until = now;
  if (!error || attempt.outcome === 'polled') {
    if (attempt.outcome === 'flight') attempt.outcome = 'ok';
    return;
  }
  attempt.outcome = error.status ? 'refused' : 'broken';
  attempt.text = error.status ? String(error.status) : error.kind === 'timeout' ? 'silence' : error.kind;
}
