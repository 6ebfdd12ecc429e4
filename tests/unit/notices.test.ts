import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatError, KINDS, StabilityError } from '../../js/errors.js';
import { createNotices } from '../../js/notices.js';
import type { Notice } from '../../js/types.js';

function given() {
  const told: Notice[] = [];
  const clock = { now: 1_700_000_000_000 };
  return {
    told,
    clock,
    notices: createNotices(
      (notice) => told.push(notice),
      () => clock.now,
    ),
  };
}

test('a storm of failures is one notice for each kind in five seconds', () => {
  const { told, clock, notices } = given();
  for (let i = 0; i < 100; i++) {
    notices.failure(new StabilityError('network'));
    notices.failure(new StabilityError('server', { status: 500 }));
    clock.now += 49;
  }
  assert.deepEqual(
    told.map((notice) => notice.kind),
    ['network', 'server'],
  );
  clock.now += 100;
  notices.failure(new StabilityError('network'));
  assert.equal(told.length, 3);
  assert.equal(told[2]!.id, told[0]!.id, 'an equal id replaces the earlier toast');
});

test('a clock that is set back does not silence notices', () => {
  const { told, clock, notices } = given();
  notices.failure(new StabilityError('network'));
  clock.now -= 3_600_000;
  notices.failure(new StabilityError('network'));
  assert.equal(told.length, 2);
});

test('a notice is worded for a person and carries the error', () => {
  const { told, notices } = given();
  const error = new StabilityError('rateLimited', {
    status: 429,
    url: 'https://x/secret',
    retryAfterMs: 12_000,
  });
  notices.failure(error);
  assert.deepEqual(told, [
    {
      level: 'warning',
      kind: 'rateLimited',
      message: 'Too many requests. Please try again in 12 seconds',
      id: 'evenkeel:rateLimited',
      error,
    },
  ]);
});

test('what passes by itself is a warning, everything else an error', () => {
  const { told, notices } = given();
  for (const kind of KINDS) notices.failure(new StabilityError(kind));
  assert.deepEqual(
    told.filter((notice) => notice.level === 'warning').map((notice) => notice.kind),
    ['offline', 'authUnknown', 'rateLimited', 'unavailable', 'circuitOpen', 'queueFull'],
  );
  assert.ok(told.every((notice) => notice.level !== 'info' && notice.message === formatError(notice.error!)));
});

test('aborts, and what a form shows beside its fields, are no news', () => {
  const { told, notices } = given();
  notices.failure(new StabilityError('aborted'));
  for (const status of [400, 422]) notices.failure(new StabilityError('invalid', { status }));
  assert.deepEqual(told, []);
  notices.failure(new StabilityError('invalid', { status: 405 }));
  assert.equal(told.length, 1);
});

test('a long retry and the return of the connection are told, once in five seconds', () => {
  const { told, clock, notices } = given();
  for (let i = 0; i < 5; i++) notices.say('retrying');
  notices.say('backOnline');
  assert.deepEqual(told, [
    {
      level: 'info',
      kind: 'retrying',
      message: 'Still trying to reach the server…',
      id: 'evenkeel:retrying',
      error: null,
    },
    {
      level: 'info',
      kind: 'backOnline',
      message: 'You are back online',
      id: 'evenkeel:backOnline',
      error: null,
    },
  ]);
  clock.now += 5_000;
  notices.say('retrying');
  assert.equal(told.length, 3);
});

test('other news comes with its own level and wording', () => {
  const { told, notices } = given();
  notices.say('updateAvailable', 'warning', 'A new version is ready');
  assert.deepEqual(told, [
    {
      level: 'warning',
      kind: 'updateAvailable',
      message: 'A new version is ready',
      id: 'evenkeel:updateAvailable',
      error: null,
    },
  ]);
});

test('an onNotice that throws, or none at all, breaks nothing', (t) => {
  const later: Array<() => void> = [];
  t.mock.method(globalThis, 'queueMicrotask', (job: () => void) => later.push(job));
  const throwing = createNotices(() => {
    throw new Error('boom');
  }, Date.now);
  throwing.failure(new StabilityError('network'));
  assert.equal(later.length, 1);
  assert.throws(later[0]!, /boom/);
  createNotices(undefined, Date.now).failure(new StabilityError('network'));
});
