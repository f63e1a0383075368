import { describe, expect, test } from 'vitest';
import { clean, editsOfDelta, moveOffset, narrow } from '../../src/binding/edits';

describe('narrow', () => {
  test.each([
    ['abc', 'abc', null],
    ['', 'x', { start: 10, end: 10, text: 'x' }],
    ['abc', 'abxc', { start: 12, end: 12, text: 'x' }],
    ['abxc', 'abc', { start: 12, end: 13, text: '' }],
    ['aaa', 'aa', { start: 12, end: 13, text: '' }],
    ['one two', 'one 2 two', { start: 14, end: 14, text: '2 ' }],
    ['😀', '😁', { start: 10, end: 12, text: '😁' }],
    ['a😀b', 'a😀😀b', { start: 13, end: 13, text: '😀' }],
    // U+1F600 and U+1F200 share the high half; U+1F600 and U+1FA00 the low one.
    ['x\u{1F600}', 'x\u{1FA00}', { start: 11, end: 13, text: '\u{1FA00}' }],
  ])('%j to %j', (before, after, edit) => {
    expect(narrow(before, after, 10)).toEqual(edit);
  });

  test('never splits a pair when the other half is shared', () => {
    const edit = narrow('\u{1F600}', '\u{10600}');
    expect(edit).toEqual({ start: 0, end: 2, text: '\u{10600}' });
  });
});

test('clean removes carriage returns and lone surrogates', () => {
  expect(clean('a\r\nb\rc')).toBe('a\nbc');
  expect(clean('x\ud83d')).toBe('x\ufffd');
  expect(clean('😀')).toBe('😀');
});

describe('editsOfDelta', () => {
  test('gives offsets of the old text and joins what touches', () => {
    const delta = [{ retain: 2 }, { insert: 'x' }, { delete: 3 }, { retain: 1 }, { delete: 1 }, { insert: 'y' }];
    expect(editsOfDelta(delta)).toEqual([
      { start: 2, end: 5, text: 'x' },
      { start: 6, end: 7, text: 'y' },
    ]);
  });

  test('gives up on what is not text', () => {
    expect(editsOfDelta([{ insert: {} }])).toBeNull();
  });
});

describe('moveOffset', () => {
  const edits = [
    { start: 2, end: 2, text: 'xx' },
    { start: 5, end: 8, text: 'y' },
  ];
  test.each([
    [1, 1],
    [2, 2],
    [3, 5],
    [5, 7],
    [6, 7],
    [8, 8],
    [9, 9],
  ])('%i becomes %i', (before, after) => {
    expect(moveOffset(before, edits)).toBe(after);
  });
});
