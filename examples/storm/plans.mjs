import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDrafts } from '../../tests/server/drafts.mjs';

/**
 * Next week's plans: the drafts of them, in a database file, and those that were published.
 *
 * @typedef {import('../../tests/server/fault-server.mjs').FaultServer} FaultServer
 * @typedef {import('../../tests/server/recorder.mjs').RecordedRequest} RecordedRequest
 */
const KEY = 'meal-plan';

/** @param {FaultServer} server @param {(request: RecordedRequest) => string | null} personOf who asks */
export function openPlans(server, personOf) {
  const folder = mkdtempSync(join(tmpdir(), 'storm-'));
  const file = join(folder, 'drafts.sqlite');
  /** By idempotency key, as orders are. @type {Map<string, { number: number }>} */
  const published = new Map();

  server.drafts = openDrafts({ file });
  server.on('POST /api/plans', (request) => {
    if (personOf(request) === null) return { status: 401, body: { code: 'signedOut' } };
    const key = request.headers['idempotency-key'] ?? `without a key ${published.size}`;
    if (!published.has(key)) published.set(key, { number: published.size + 1 });
    return { status: 201, delayMs: 400, body: published.get(key) };
  });

  return {
    /** What the server holds for the one who asks: no row, a tombstone without data, or a draft. @param {RecordedRequest} request */
    heldFor(request) {
      const person = personOf(request);
      const row = server.drafts?.rows().find(({ owner, key }) => owner === person && key === KEY);
      return row ? { rev: row.rev, data: row.data } : null;
    },
    /** The process that kept them ended, and another one opens the same file. */
    restart() {
      server.drafts.close();
      server.drafts = openDrafts({ file });
    },
    /** After the server. */
    close: () => rmSync(folder, { recursive: true }),
  };
}
