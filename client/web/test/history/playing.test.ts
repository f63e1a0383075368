import { expect, test } from 'vitest';
import type { Session } from '../../src/api/past';
import { advanced, headOf, sessionOf } from '../../src/history/playing';

function session(from_seq: number, to_seq: number, startedAt: number, endedAt: number): Session {
  const [started_at, ended_at] = [startedAt, endedAt].map((second) => new Date(second * 1000).toISOString());
  return { from_seq, to_seq, started_at: started_at ?? '', ended_at: ended_at ?? '', users: [] };
}

/** Twenty edits in ten seconds, and a day later eleven in one. */
const SESSIONS = [session(1, 20, 0, 10), session(21, 31, 86_400, 86_401)];

test('within a session, time runs as it was written', () => {
  expect(advanced(SESSIONS, 1, 2)).toBe(5);
  expect(advanced(SESSIONS, 21, 0.5)).toBe(26.5);
});

test('a pause takes no longer than an edit', () => {
  expect(advanced(SESSIONS, 19, 0.5)).toBe(20);
  expect(advanced(SESSIONS, 20, 1 / 11)).toBeCloseTo(21);
});

test('playing ends at the last edit', () => {
  expect(advanced(SESSIONS, 25, 60)).toBe(31);
  expect(advanced(SESSIONS, 31, 1)).toBe(31);
  expect(advanced([], 0, 1)).toBe(0);
});

test('whoever wrote slowly or in no time is not waited for', () => {
  expect(advanced([session(1, 4, 0, 600)], 1, 2)).toBe(3);
  expect(advanced([session(1, 1, 0, 0), session(2, 2, 5000, 5000)], 1, 1)).toBe(2);
});

test('edits belong to sessions', () => {
  expect(headOf(SESSIONS)).toBe(31);
  expect(headOf([])).toBe(0);
  expect(sessionOf(SESSIONS, 20)).toBe(SESSIONS[0]);
  expect(sessionOf(SESSIONS, 21)).toBe(SESSIONS[1]);
  expect(sessionOf(SESSIONS, 32)).toBeUndefined();
});
