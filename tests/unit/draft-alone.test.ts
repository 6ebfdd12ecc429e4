import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { createAlone } from '../../js/draft-alone.js';

const [LOAD, STORE, BURY, RESTORED, FLUSHED, CLEARED, CLOSED] = [0, 2, 4, 6, 7, 8, 10] as const;
const TELL = {
  owned: 0,
  edited: 1,
  flush: 2,
  restore: 3,
  loaded: 4,
  stored: 6,
  clear: 8,
  buried: 9,
  resolve: 12,
  close: 13,
};
const STATUS = ['idle', 'dirty', 'saving', 'saved', 'offline', 'error'];

/** A draft that nobody but this device keeps, on a clock of the test. */
function given(t: TestContext, { endpoint = true, edited = false, owner = -1 } = {}) {
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'] });
  const told: number[][] = [];
  const shown: string[] = [];
  const alone = createAlone({
    showDraft: (_id, status, savedTo, kind) => void shown.push(`${STATUS[status]} ${savedTo} ${kind}`),
    toldDraft: (_id, what, a) => void told.push([what, a]),
  });
  alone.openDraft(1, 2_000, 10_000, endpoint, owner, 7, edited);
  return {
    alone,
    told,
    shown,
    tell: (what: keyof typeof TELL, a = 0) => alone.draft(1, TELL[what], a, 0, -1),
    pass: (ms: number) => t.mock.timers.tick(ms),
    /** What it was told to do, but for words to the person. */
    stores: () => told.filter(([what]) => what === STORE).length,
  };
}

test('what is typed is stored after the pause, and while nobody pauses at the latest after the longest wait', (t) => {
  const { tell, pass, stores } = given(t);
  tell('edited');
  pass(1_999);
  assert.equal(stores(), 0);
  pass(1);
  assert.equal(stores(), 1);
  tell('stored');
  for (let i = 0; i < 10; i++) {
    tell('edited');
    pass(999);
  }
  assert.equal(stores(), 1);
  tell('edited');
  pass(10);
  assert.equal(stores(), 2);
});

test('the device has it, and the server cannot be reached from here', (t) => {
  const { tell, pass, shown } = given(t);
  tell('edited');
  pass(2_000);
  tell('stored');
  assert.deepEqual(shown, ['dirty 0 -1', 'saving 0 -1', 'offline 1 18']);
});

test('with this device only it is saved', (t) => {
  const { tell, pass, shown } = given(t, { endpoint: false });
  tell('edited');
  pass(2_000);
  tell('stored');
  assert.equal(shown.at(-1), 'saved 1 -1');
});

test('what cannot be stored is an error, and typing goes on', (t) => {
  const { tell, pass, shown, stores } = given(t);
  tell('edited');
  pass(2_000);
  tell('stored', 2);
  assert.equal(shown.at(-1), 'error 0 18');
  tell('edited');
  pass(2_000);
  tell('stored', 3 + 10);
  assert.equal(shown.at(-1), 'error 0 10');
  assert.equal(stores(), 2);
});

test('one write is out at a time, and a flush ends once the newest is in', (t) => {
  const { tell, told, stores } = given(t);
  tell('edited');
  tell('flush');
  tell('edited');
  tell('flush');
  assert.equal(stores(), 1);
  tell('stored');
  assert.equal(stores(), 2);
  assert.ok(!told.some(([what]) => what === FLUSHED));
  tell('stored');
  assert.deepEqual(told.at(-1), [FLUSHED, 0]);
});

test('what this device has is restored, unless it was made before a clear', (t) => {
  const { tell, told } = given(t);
  for (const flags of [0, 1, 1 + 2, 1 + 2 + 8]) {
    tell('restore');
    tell('loaded', flags);
  }
  assert.deepEqual(
    told.filter(([what]) => what === RESTORED),
    [
      [RESTORED, 0],
      [RESTORED, 1],
      [RESTORED, 1],
      [RESTORED, 0],
    ],
  );
  assert.equal(told.filter(([what]) => what === LOAD).length, 4);
});

test('what is there is looked for once it is known whose it is, or that takes too long', (t) => {
  const { tell, told, pass } = given(t, { owner: -2 });
  tell('restore');
  assert.deepEqual(told, []);
  tell('owned', 0);
  tell('owned', 1);
  assert.deepEqual(told, [[LOAD, 0]]);
  tell('loaded');
  tell('owned', -2);
  tell('restore');
  pass(10_000);
  assert.deepEqual(told.at(-1), [LOAD, 0]);
});

test('what was cleared is stored by no timer', (t) => {
  const { tell, told, pass, shown, stores } = given(t);
  tell('edited');
  tell('clear');
  tell('buried');
  pass(20_000);
  assert.equal(stores(), 0);
  assert.deepEqual(
    told.map(([what]) => what),
    [BURY, CLEARED],
  );
  assert.equal(shown.at(-1), 'idle 0 -1');
});

test('what is pending is stored before it is closed', (t) => {
  const { tell, told } = given(t, { edited: true });
  tell('close');
  tell('stored');
  assert.deepEqual(
    told.map(([what]) => what),
    [STORE, CLOSED],
  );
  tell('edited');
  assert.equal(told.length, 2, 'nothing is said of it any more');
});

test('nothing is done once the engine is there', (t) => {
  const { alone, tell, pass, told } = given(t);
  tell('edited');
  alone.stop();
  pass(20_000);
  tell('flush');
  assert.deepEqual(told, []);
});
