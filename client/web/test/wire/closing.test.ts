import { expect, test } from 'vitest';
import { readClosing, readDelay } from '../../src/wire/closing';

test.each([4400, 4403, 4404, 4409, 4413])('%i is final', (code) => {
  expect(readClosing(code, 'why')).toEqual({ kind: 'final', code, reason: 'why' });
});

test('4401 asks for a fresh token', () => {
  expect(readClosing(4401, '')).toEqual({ kind: 'fresh-token' });
});

test.each([1000, 1001, 1006, 1011, 1013])('%i is retried after our own back-off', (code) => {
  expect(readClosing(code, '5')).toEqual({ kind: 'retry', delay: null });
});

test('1012 carries the delay', () => {
  expect(readClosing(1012, 'restarting; retry in 1250 ms')).toEqual({ kind: 'retry', delay: 1250 });
});

test.each([
  ['1250ms', 1250],
  ['1.5', 1500],
  ['retry in 2 s', 2000],
  ['retry_after=0.25', 250],
  ['999999', 60_000],
  ['soon', null],
  ['', null],
])('the delay in %j', (reason, delay) => {
  expect(readDelay(reason)).toBe(delay);
});
