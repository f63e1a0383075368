import { expect, test } from 'vitest';
import type { Kind, Passage } from '../../src/api/past';
import { blamedLines, describeLine } from '../../src/editor/blameLines';

const [ADA, GRACE] = ['Ada', 'Grace'].map((name, index) => ({ id: name, name, color: `#00000${index}` }));

function passage(start: number, end: number, user: typeof ADA, kind: Kind = 'typed'): Passage {
  if (!user) throw new Error('nobody');
  return { start, end, user, kind, created_at: new Date().toISOString() };
}

function names(content: string, passages: Passage[]): [number, string[]][] {
  return blamedLines({ content, passages }).map((line) => [line.number, line.passages.map(({ user }) => user.name)]);
}

test('a line belongs to whoever wrote most of it, and names all', () => {
  const passages = [passage(0, 1, ADA), passage(1, 4, GRACE, 'pasted'), passage(4, 9, ADA, 'api')];
  const lines = blamedLines({ content: 'aggg\naaaa', passages });
  expect(lines.map(({ number, text, color }) => [number, text, color])).toEqual([
    [1, 'aggg', GRACE?.color],
    [2, 'aaaa', ADA?.color],
  ]);
  expect(lines.map(describeLine)).toEqual(['Grace, pasted, just now\nAda, typed, just now', 'Ada, by API, just now']);
});

test('an empty line belongs to whoever ended it, and what nobody wrote to nobody', () => {
  expect(names('a\n\ng', [passage(0, 2, ADA), passage(2, 4, GRACE)])).toEqual([
    [1, ['Ada']],
    [2, ['Grace']],
    [3, ['Grace']],
  ]);
  expect(names('a\n', [passage(0, 2, ADA)])).toEqual([[1, ['Ada']]]);
  expect(names('', [])).toEqual([]);
});

test('small parts of one person count together', () => {
  const passages = [passage(0, 2, ADA), passage(2, 5, GRACE), passage(5, 7, ADA, 'pasted')];
  expect(blamedLines({ content: 'aagggaa', passages })[0]?.color).toBe(ADA?.color);
});
