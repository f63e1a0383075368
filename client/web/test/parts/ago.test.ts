import { expect, test } from 'vitest';
import { ago } from '../../src/parts/ago';

const NOW = Date.parse('2026-03-01T12:00:00Z');

test.each([
  ['2026-03-01T12:00:05Z', 'just now'],
  ['2026-03-01T11:59:30Z', 'just now'],
  ['2026-03-01T11:58:00Z', '2 minutes ago'],
  ['2026-03-01T09:00:00Z', '3 hours ago'],
  ['2026-02-28T11:00:00Z', 'yesterday'],
  ['2025-12-01T12:00:00Z', '3 months ago'],
  ['2024-01-01T12:00:00Z', '2 years ago'],
])('%s', (date, expected) => {
  expect(ago(date, NOW)).toBe(expected);
});
