import { expect, test } from 'vitest';
import { LIVE, nameOf, sidesOf } from '../../src/history/comparison';
import { idOf, version } from './versions';

const VERSIONS = [3, 2].map((number) => version(number));

test('the live text is newer than every version', () => {
  const sides = sidesOf({ versionId: idOf(3), against: LIVE }, VERSIONS);
  expect(sides).toEqual([{ kind: 'version', id: idOf(3) }, { kind: 'live' }]);
});

test.each([
  ['its parent', 3, 2],
  ['a newer one', 2, 3],
  ['one that is older than the list', 2, 1],
])('of a version and %s, the older one comes first', (_what, chosen, against) => {
  const sides = sidesOf({ versionId: idOf(chosen), against: idOf(against) }, VERSIONS);
  const [older, newer] = [Math.min(chosen, against), Math.max(chosen, against)];
  expect(sides).toEqual([
    { kind: 'version', id: idOf(older) },
    { kind: 'version', id: idOf(newer) },
  ]);
});

test('sides have names', () => {
  expect(nameOf({ kind: 'live' }, VERSIONS)).toBe('Live text');
  expect(nameOf({ kind: 'version', id: idOf(3) }, VERSIONS)).toBe('ccccccc Version 3');
  expect(nameOf({ kind: 'version', id: idOf(1) }, VERSIONS)).toBe('ccccccc');
});
