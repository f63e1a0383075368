import { expect, test } from 'vitest';
import { promptIdOf, promptPath, safeNext } from '../src/routing';

test.each(['a', '0192-ab', 'ä/ö'])('the path of %j leads back to it', (id) => {
  expect(promptIdOf(promptPath(id))).toBe(id);
});

test.each(['/', '/signin', '/prompts', '/prompts/a/b'])('%s is no prompt', (path) => {
  expect(promptIdOf(path)).toBeNull();
});

test.each([
  ['/prompts/a', '/prompts/a'],
  ['//evil.example', '/'],
  ['/\\evil.example', '/'],
  ['https://evil.example', '/'],
  [null, '/'],
])('after signing in, %j leads to %s', (next, expected) => {
  expect(safeNext(next)).toBe(expected);
});
