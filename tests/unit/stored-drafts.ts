/** What lies on a device, for tests: Ada's note, dirty, and a clear of it that the server has heard of. */
import type { DraftRecord, Tombstone } from '../../js/draft-records.js';

export const NOW = 1_700_000_000_000;
export const WEEK = 7 * 24 * 3_600_000;

export function record(given: Partial<DraftRecord> = {}): DraftRecord {
  const { writer = 'w1', stamp = NOW } = given;
  return {
    v: 1,
    owner: 'u:ada',
    key: 'note',
    writer,
    stamp,
    since: 0,
    text: '{"text":"a"}',
    schema: 1,
    base: null,
    dirty: true,
    saveId: `${writer}.1`,
    lineage: { [writer]: 1 },
    at: NOW,
    expires: NOW + WEEK,
    endpoint: 'https://app.example.com/api/drafts',
    ...given,
  };
}

export function tombstone(given: Partial<Tombstone> = {}): Tombstone {
  const { owner, key, at, expires, endpoint } = record();
  return {
    v: 1,
    owner,
    key,
    writer: '',
    stamp: NOW,
    tomb: true,
    unheard: false,
    at,
    expires,
    endpoint,
    ...given,
  };
}
