// @vitest-environment happy-dom
import { editor } from 'monaco-editor/editor';
import { describe, expect, test } from 'vitest';
import { LANGUAGE_ID, registerDotprompt } from '../../src/dotprompt/language';
import { LINE_TINT, PALETTES, WORD_TINT } from '../../src/dotprompt/palettes';
import { contrastOf } from '../../src/presence/color';

registerDotprompt();
// A second editor on the page registers it again.
registerDotprompt();

/** Pairs of token text and token type, in every line. */
function tokens(text: string): string[][] {
  const lines = text.split('\n');
  return editor.tokenize(text, LANGUAGE_ID).map((line, index) =>
    line.flatMap(({ offset, type }, position) => {
      const piece = (lines[index] ?? '').slice(offset, line[position + 1]?.offset);
      return piece.trim() ? [`${piece.trim()} ${type.replace(`.${LANGUAGE_ID}`, '')}`] : [];
    }),
  );
}

const PROMPT = `# Copyright
---
model: any/model
config:
  temperature: 0.3  # low
input:
  schema:
    tone?(enum, how to sound): [warm, plain]
    count: integer, how many
---
{{role "system"}}
Hello {{name}}, {{#if formal}}Sir{{else}}hi{{/if}}
{{! a comment }} {{!-- a }} longer one --}} {{> footer tone="warm"}}
{{#each items as |item|}}{{@index}} {{../name}}{{/each}} \\{{raw}} <rules>
# Heading {{name}}`;

describe('front matter', () => {
  const lines = tokens(PROMPT);
  test.each<[number, string[]]>([
    [0, ['# Copyright comment']],
    [1, ['--- delimiter.frontmatter']],
    [2, ['model key', ': delimiter', 'any/model value']],
    [4, ['temperature key', ': delimiter', '0.3 number', '# low comment']],
    [
      7,
      [
        'tone? key',
        '( delimiter',
        'enum type',
        ', how to sound value',
        '): delimiter',
        '[ delimiter',
        'warm value',
        ', delimiter',
        'plain value',
        '] delimiter',
      ],
    ],
    [8, ['count key', ': delimiter', 'integer type', ', delimiter', 'how value', 'many value']],
    [9, ['--- delimiter.frontmatter']],
  ])('line %i', (line, expected) => {
    expect(lines[line]).toEqual(expected);
  });
});

describe('body', () => {
  const lines = tokens(PROMPT);
  test.each<[number, string[]]>([
    [10, ['{{ delimiter.handlebars', 'role keyword.role', '"system" string', '}} delimiter.handlebars']],
    [
      11,
      [
        'Hello ',
        '{{ delimiter.handlebars',
        'name variable',
        '}} delimiter.handlebars',
        ', ',
        '{{ delimiter.handlebars',
        '#if keyword',
        'formal variable',
        '}} delimiter.handlebars',
        'Sir ',
        '{{ delimiter.handlebars',
        'else keyword',
        '}} delimiter.handlebars',
        'hi ',
        '{{ delimiter.handlebars',
        '/if keyword',
        '}} delimiter.handlebars',
      ],
    ],
  ])('line %i', (line, expected) => {
    expect(lines[line]).toEqual(expected);
  });

  test('comments, partials, context paths, escapes, tags, headings', () => {
    const all = lines.slice(12).flat();
    expect(all).toEqual(
      expect.arrayContaining([
        '{{! a comment }} comment',
        '{{!-- a }} longer one --}} comment',
        '> keyword',
        'footer partial',
        'tone key',
        '@index variable.predefined',
        '../name variable',
        '<rules> tag',
        '# Heading heading',
      ]),
    );
    expect(all.join('\n')).toContain('\\{{raw}}');
  });
});

test('a text without front matter is all body', () => {
  expect(tokens('{{name}}\n---\nx: y')[2]).toEqual(['x: y ']);
});

test.each(Object.entries(PALETTES))('%s: every token is legible where texts differ', (_name, palette) => {
  const { background, number, tokens: colors, added, removed } = palette;
  for (const tint of [added, removed]) {
    const line = blend(background, tint, LINE_TINT);
    for (const [token, color] of Object.entries({ ...colors, number })) {
      expect(contrastOf(color, line), `${token} on a line`).toBeGreaterThanOrEqual(4.5);
    }
    for (const [token, color] of Object.entries(colors)) {
      expect(contrastOf(color, blend(line, tint, WORD_TINT)), `${token} on a word`).toBeGreaterThanOrEqual(4.5);
    }
  }
});

/** What is seen of a ground below a tint; `alpha` as two digits. */
function blend(ground: string, tint: string, alpha: string): string {
  const share = Number.parseInt(alpha, 16) / 255;
  const channel = (color: string, place: number): number => Number.parseInt(color.slice(place, place + 2), 16);
  const mixed = [1, 3, 5].map((place) =>
    Math.round(channel(ground, place) * (1 - share) + channel(tint, place) * share),
  );
  return `#${mixed.map((value) => value.toString(16).padStart(2, '0')).join('')}`;
}

test.each(Object.entries(PALETTES))(
  '%s: every token is legible',
  (_name, { background, line, number, tokens: colors }) => {
    for (const [token, color] of Object.entries({ ...colors, number })) {
      expect(contrastOf(color, background), token).toBeGreaterThanOrEqual(4.5);
      expect(contrastOf(color, line), token).toBeGreaterThanOrEqual(4.5);
    }
  },
);
