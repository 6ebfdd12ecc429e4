import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkDraft } from '../../js/config.js';
import { createExcluder } from '../../js/draft-fields.js';
import { createRead, readRecord } from '../../js/draft-records.js';
import { createText, type Other } from '../../js/draft-text.js';
import type { DraftOptions } from '../../js/types-drafts.js';

function given(options: DraftOptions<{ title?: string }> = {}) {
  const checked = checkDraft('key', options, false);
  const excluder = createExcluder(checked.exclude, true);
  const read = createRead(checked.schemaVersion, checked.migrate, excluder.strip);
  return createText(checked, excluder, read, 1_000);
}

const other = (data: unknown, saveId: string, lineage = {}): Other => ({
  data,
  text: JSON.stringify(data),
  updatedAt: new Date(0),
  rev: 5,
  saveId,
  lineage,
  isExact: true,
});

test('the same text keeps its id, another one gets the next', () => {
  const text = given();
  text.give({ a: 1 });
  const first = text.write();
  text.give({ a: 1 });
  assert.equal(text.write().saveId, first.saveId);
  text.give({ a: 2 });
  const second = text.write();
  text.give({ a: 1 });
  const third = text.write();
  assert.deepEqual(
    [first, second, third].map(({ saveId }) => saveId.split('.')[1]),
    ['1', '2', '3'],
  );
  assert.deepEqual(text.lineage(), { [text.writer()]: 3 });
});

test('what is taken in place of the text is no part of what was typed before', () => {
  const text = given();
  text.give('typed');
  text.write();
  const before = text.writer();
  text.take(other('theirs', 'w1.4', { w2: 3 }), false);
  assert.notEqual(text.writer(), before);
  assert.deepEqual(text.lineage(), { w2: 3, w1: 4 });
  assert.equal(text.write().saveId, 'w1.4', 'the same text is the same save');
  text.give('more');
  assert.equal(text.write().saveId, `${text.writer()}.1`);
});

test('what the person chose beside their own is made from both', () => {
  const text = given();
  text.give('mine');
  text.write();
  text.take(other('theirs', 'w1.4'), true);
  assert.deepEqual(text.lineage(), { [text.writer()]: 1, w1: 4 });
});

test('a lineage is what a record may hold, whatever the server says', () => {
  const text = given();
  text.give('mine');
  for (const saveId of ['', 'other.2f1c-9e', '__proto__.3', 'constructor.1', 'a.b.c', 'w.-1', 'w.1e3', '.5'])
    text.learn(other('', saveId));
  for (let n = 0; n < 20; n++) text.learn(other('', `w${n}.${n}`));
  const { text: written, saveId } = text.write();
  assert.equal(Object.keys(text.lineage()).length, 8);
  assert.ok(text.lineage()[text.writer()], 'its own is among them');
  const record = {
    ...{ v: 1, owner: 'u:a', key: 'k', writer: text.writer(), stamp: 1, since: 1, schema: 1, base: null },
    ...{ dirty: true, at: 1, expires: 2, endpoint: null, text: written, saveId, lineage: text.lineage() },
  };
  assert.ok(readRecord(record));
});

test('two texts say the same whatever the order of their keys, or as the app says', () => {
  const text = given({ isEqual: (a, b) => Boolean(a.title) && a.title?.trim() === b.title?.trim() });
  text.confirm('{"a":1,"b":[2,{"c":3,"d":4}]}');
  assert.ok(text.isConfirmed('{"b":[2,{"d":4,"c":3}],"a":1}'));
  assert.ok(!text.isConfirmed('{"b":[2,{"d":3,"c":4}],"a":1}'));
  text.confirm('{"title":"Soup"}');
  assert.ok(text.isConfirmed('{"title":" Soup "}'));
});

test('while an upload is out nobody knows what the server has', () => {
  const text = given();
  text.give('a');
  text.confirm('"a"');
  assert.equal(text.isDirty(), false);
  const takeBack = text.doubt();
  assert.equal(text.isDirty(), true);
  takeBack();
  assert.equal(text.isDirty(), false);
});

test('what was submitted is not typed any more, until it is another text', () => {
  const text = given();
  text.give('a');
  text.write();
  const { saveId } = text.write();
  text.submit(2_000);
  text.give('a');
  assert.ok(text.isConfirmed(text.now()));
  text.give('b');
  assert.ok(text.isTyped());
  assert.notEqual(text.write().saveId.split('.')[0], saveId.split('.')[0]);
  assert.equal(text.since, 2_000);
});

test('what was submitted is typed anew once something else was typed in between', () => {
  const text = given();
  text.give('a');
  text.submit(2_000);
  text.give('');
  text.give('a');
  assert.ok(text.isDirty());
});

test('a copy of a newer schema, or that migrate refuses, is not read', () => {
  const text = given({ schemaVersion: 2, migrate: (data) => (data === 'old' ? { title: 'new' } : null) });
  const copy = { rev: 1, saveId: 'w.1', updatedAt: new Date() };
  assert.equal(text.ofCopy({ ...copy, data: 'x', schemaVersion: 3 }), undefined);
  assert.equal(text.ofCopy({ ...copy, data: 'x', schemaVersion: 1 }), undefined);
  assert.equal(text.ofCopy({ ...copy, data: 'old', schemaVersion: 1 })!.text, '{"title":"new"}');
});

test('what is left out of what comes back is another text than the one it came from', () => {
  const text = given({ exclude: ['note'] });
  const record = {
    ...{ v: 1 as const, owner: 'u:a', key: 'k', writer: 'w1', stamp: 1, since: 1, schema: 1, base: null },
    ...{ dirty: true, at: 1, expires: 2, endpoint: null, saveId: 'w1.1', lineage: { w1: 1 } },
    text: '{"a":1,"note":2}',
  };
  const taken = text.ofRecord({ record, data: { a: 1 } });
  assert.equal(taken.isExact, false);
  text.take(taken, false);
  assert.equal(text.write().saveId, `${text.writer()}.1`);
});

test('data that is no JSON is said to be none', () => {
  const text = given();
  const cyclic: Record<string, unknown> = {};
  cyclic.self = cyclic;
  for (const data of [cyclic, 1n, undefined, () => {}]) {
    text.give(data);
    assert.throws(() => text.write(), TypeError);
    assert.equal(text.get(), undefined);
    assert.ok(text.isDirty());
  }
});
