import { expect, test } from 'vitest';
import { type SavedFacts, savedState, describe as words } from '../../src/live/savedState';

const CALM: SavedFacts = {
  status: 'open',
  synced: true,
  everSynced: true,
  edits: 0,
  writable: true,
  storeAvailable: true,
};

test.each<[Partial<SavedFacts>, string]>([
  [{}, 'saved'],
  [{ edits: 1 }, 'saving…'],
  [{ everSynced: false, synced: false, status: 'connecting' }, 'connecting…'],
  [{ everSynced: false, synced: false }, 'connecting…'],
  [{ status: 'waiting', synced: false, edits: 3 }, 'offline: 3 edits kept here'],
  [{ status: 'connecting', synced: false, edits: 1 }, 'offline: 1 edit kept here'],
  [{ synced: false, edits: 2 }, 'offline: 2 edits kept here'],
  [{ status: 'waiting', synced: false }, 'offline, all edits saved'],
  [{ storeAvailable: false, edits: 2 }, 'not saved, kept here'],
  [{ storeAvailable: false }, 'saved'],
  [{ writable: false }, 'read only'],
  [{ writable: false, edits: 2 }, 'not saved, kept here'],
  [{ status: 'closed', synced: false, edits: 2 }, 'not saved, kept here'],
  [{ status: 'closed', synced: false }, 'disconnected'],
])('%j reads %s', (facts, expected) => {
  expect(words(savedState({ ...CALM, ...facts }))).toBe(expected);
});
