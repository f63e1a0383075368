import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import * as Y from 'yjs';
import type { Collection } from '../../src/live/collection';
import { Stash, type StashOwner, type StashRecord } from '../../src/live/stash';

class MemoryCollection implements Collection<StashRecord> {
  readonly records = new Map<string, StashRecord>();

  all = async (): Promise<StashRecord[]> => [...this.records.values()];
  put = async (record: StashRecord): Promise<void> => {
    this.records.set(`${record.owner} ${record.tab}`, record);
  };
  remove = async (key: string[]): Promise<void> => {
    this.records.delete(key.join(' '));
  };
  removeIf = async (key: string[], condition: (record: StashRecord) => boolean): Promise<void> => {
    const current = this.records.get(key.join(' '));
    if (current && condition(current)) this.records.delete(key.join(' '));
  };
}

const OWNER: StashOwner = { userId: 'u1', promptId: 'p1', epoch: 1 };
let collection: MemoryCollection;

beforeEach(() => {
  vi.useFakeTimers();
  collection = new MemoryCollection();
});

afterEach(() => {
  vi.useRealTimers();
});

function stash(tab = 'tab-1', owner = OWNER): Stash {
  return new Stash(owner, tab, async () => collection);
}

function updatesOf(text: string): Uint8Array[] {
  const doc = new Y.Doc();
  const updates: Uint8Array[] = [];
  doc.on('update', (update: Uint8Array) => updates.push(update));
  for (const character of text) doc.getText('content').insert(doc.getText('content').length, character);
  return updates;
}

function textOf(updates: readonly Uint8Array[]): string {
  const doc = new Y.Doc();
  for (const update of updates) Y.applyUpdate(doc, update);
  return doc.getText('content').toString();
}

test('what waits is written, and adopted by the next page', async () => {
  const first = stash();
  for (const update of updatesOf('abc')) first.keep(update);
  await vi.advanceTimersByTimeAsync(250);
  expect(textOf(await stash('tab-2').adopt())).toBe('abc');
});

test('what is acknowledged at once is never written', async () => {
  const first = stash();
  for (const update of updatesOf('abc')) first.keep(update);
  await first.forget();
  await vi.advanceTimersByTimeAsync(1000);
  expect(collection.records.size).toBe(0);
});

test('is removed when it is acknowledged, with what was adopted', async () => {
  const first = stash();
  for (const update of updatesOf('abc')) first.keep(update);
  await first.flush();
  const second = stash('tab-2');
  for (const update of await second.adopt()) second.keep(update);
  await second.flush();
  expect(collection.records.size).toBe(2);
  await second.forget();
  expect(collection.records.size).toBe(0);
});

test('what another tab added meanwhile is not removed', async () => {
  const [a, b, c] = updatesOf('abc') as [Uint8Array, Uint8Array, Uint8Array];
  const first = stash();
  first.keep(a);
  await first.flush();
  const second = stash('tab-2');
  await second.adopt();
  await vi.advanceTimersByTimeAsync(1);
  first.keep(b);
  first.keep(c);
  await first.flush();
  await second.forget();
  expect(textOf(await stash('tab-3').adopt())).toBe('abc');
});

test.each<[string, Partial<StashOwner>]>([
  ['user', { userId: 'u2' }],
  ['prompt', { promptId: 'p2' }],
  ['epoch', { epoch: 2 }],
])('another %s does not get it', async (_name, other) => {
  const first = stash();
  for (const update of updatesOf('abc')) first.keep(update);
  await first.flush();
  expect(await stash('tab-2', { ...OWNER, ...other }).adopt()).toEqual([]);
});

test('large edits stay apart, small ones are merged', async () => {
  const first = stash();
  const large = updatesOf('').concat(
    ['x', 'y'].map((letter) => {
      const doc = new Y.Doc();
      doc.getText('content').insert(0, letter.repeat(1_100_000));
      return Y.encodeStateAsUpdate(doc);
    }),
  );
  for (const update of [...large, ...updatesOf('abc')]) {
    first.keep(update);
    await first.flush();
  }
  const [record] = collection.records.values();
  expect(record?.updates).toHaveLength(3);
});

test('a browser without storage costs nothing else', async () => {
  const refused = new Stash(OWNER, 'tab-1', () => Promise.reject(new Error('no storage')));
  expect(await refused.adopt()).toEqual([]);
  for (const update of updatesOf('a')) refused.keep(update);
  await refused.flush();
  await refused.forget();
});

test('what nobody came back for is removed after a month', async () => {
  const first = stash();
  for (const update of updatesOf('abc')) first.keep(update);
  await first.flush();
  await vi.advanceTimersByTimeAsync(31 * 24 * 3600 * 1000);
  expect(await stash('tab-2').adopt()).toEqual([]);
  await vi.advanceTimersByTimeAsync(0);
  expect(collection.records.size).toBe(0);
});
