import { describe, expect, test } from 'vitest';
import type { Page } from '../../src/api/prompts';
import {
  type HistoryState,
  labelsOf,
  NOTHING_KNOWN,
  shortId,
  titleOf,
  withNewest,
  withOlder,
  withVersion,
} from '../../src/history/historyState';
import type { Version } from '../../src/wire/version';
import { idOf, label, version } from './versions';

function page(from: number, to: number): Page<Version> {
  const items = Array.from({ length: from - to + 1 }, (_, index) => version(from - index));
  return { items, next_cursor: to > 1 ? `before ${to}` : null };
}

function numbers({ versions }: HistoryState): number[] {
  return versions.map(({ number }) => number);
}

describe('versions', () => {
  test('come page by page, the newest first', () => {
    const first = withNewest(NOTHING_KNOWN, page(9, 6));
    expect([numbers(first), first.cursor, first.isLoaded]).toEqual([[9, 8, 7, 6], 'before 6', true]);
    const all = withOlder(first, page(5, 1));
    expect([numbers(all), all.cursor]).toEqual([[9, 8, 7, 6, 5, 4, 3, 2, 1], null]);
  });

  test('are there once, whether the event or the page comes first', () => {
    const eventFirst = withNewest(withVersion(NOTHING_KNOWN, version(10)), page(9, 6));
    expect(numbers(eventFirst)).toEqual([10, 9, 8, 7, 6]);
    const both = withNewest(withVersion(NOTHING_KNOWN, version(9)), page(9, 6));
    expect(numbers(both)).toEqual([9, 8, 7, 6]);
    expect(numbers(withVersion(both, version(9)))).toEqual([9, 8, 7, 6]);
  });

  test('that were made while this page was away join those that are known', () => {
    const known = withOlder(withNewest(NOTHING_KNOWN, page(9, 6)), page(5, 3));
    const again = withNewest(known, page(12, 10));
    expect([numbers(again), again.cursor]).toEqual([[12, 11, 10, 9, 8, 7, 6, 5, 4, 3], 'before 3']);
  });

  test('never have a hole between them', () => {
    const known = withNewest(NOTHING_KNOWN, page(9, 6));
    const again = withNewest(known, page(20, 17));
    expect([numbers(again), again.cursor]).toEqual([[20, 19, 18, 17], 'before 17']);
  });
});

test('a version has its labels, by name', () => {
  const labels = [label('staging', 2), label('production', 2), label('old', 1)];
  expect(labelsOf(labels, idOf(2)).map(({ name }) => name)).toEqual(['production', 'staging']);
  expect(labelsOf(labels, idOf(3))).toEqual([]);
});

test.each([
  ['First line\n\nand more', 'manual', 'First line'],
  ['', 'automatic', 'Automatic version'],
  [' \n', 'manual', 'Version without a message'],
] as const)('the title of %j', (message, kind, expected) => {
  expect(titleOf(version(1, { message, kind }))).toBe(expected);
});

test('an id is shown as Git shows it', () => {
  expect(shortId('0123456789abcdef')).toBe('0123456');
});
