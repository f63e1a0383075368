import { expect, test } from 'vitest';
import { Backoff } from '../../src/live/backoff';

test('doubles up to a bound, between half and the whole of it', () => {
  const shortest = new Backoff(() => 0);
  const longest = new Backoff(() => 1);
  const delays = Array.from({ length: 8 }, () => [shortest.next(), longest.next()]);
  expect(delays.slice(0, 3)).toEqual([
    [200, 400],
    [400, 800],
    [800, 1600],
  ]);
  expect(delays.at(-1)).toEqual([2500, 5000]);
});

test('starts over after a reset', () => {
  const backoff = new Backoff(() => 1);
  backoff.next();
  backoff.next();
  backoff.reset();
  expect(backoff.next()).toBe(400);
});
