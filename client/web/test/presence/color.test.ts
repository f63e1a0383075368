import { expect, test } from 'vitest';
import { PALETTES } from '../../src/dotprompt/palettes';
import { contrastOf, flagColors, GRAPHICS_CONTRAST, safeColor, selectionTint, textOn } from '../../src/presence/color';

const OF_THE_SERVER = ['#b4232a', '#a8410a', '#8a5a00', '#4f6f00', '#1a7a3a', '#00756b'];
const MORE_OF_THE_SERVER = ['#006f93', '#1f62c4', '#5a4fd0', '#8a3fc0', '#ad2f8e', '#b72561'];
const COLORS = [...OF_THE_SERVER, ...MORE_OF_THE_SERVER, '#000000', '#ffffff', '#808080', '#ffff00'];
const BACKGROUNDS = Object.values(PALETTES).map(({ background }) => background);

test.each(COLORS.flatMap((color) => BACKGROUNDS.map((background) => [color, background] as const)))(
  'a flag of %s is legible on %s',
  (color, background) => {
    const { ground, text } = flagColors(color, background);
    expect(contrastOf(ground, background)).toBeGreaterThanOrEqual(GRAPHICS_CONTRAST);
    expect(contrastOf(ground, text)).toBeGreaterThanOrEqual(4.5);
  },
);

/** As the browser lays a color with an alpha over another. */
function over(tint: string, background: string): string {
  const at = (color: string, index: number): number => Number.parseInt(color.slice(1 + 2 * index, 3 + 2 * index), 16);
  const share = at(tint, 3) / 255;
  const channel = (index: number): number => Math.round(at(background, index) * (1 - share) + at(tint, index) * share);
  return `#${[0, 1, 2].map((index) => channel(index).toString(16).padStart(2, '0')).join('')}`;
}

test.each(COLORS)('text stays legible where somebody of color %s has selected it', (color) => {
  for (const { background, line, foreground, tokens } of Object.values(PALETTES)) {
    const tint = selectionTint(color, background);
    expect(contrastOf(over(tint, background), background)).toBeGreaterThan(1.25);
    for (const [token, text] of Object.entries({ ...tokens, foreground })) {
      expect(contrastOf(text, over(tint, background)), token).toBeGreaterThanOrEqual(4.5);
      expect(contrastOf(text, over(tint, line)), `${token} in the current line`).toBeGreaterThanOrEqual(4.5);
    }
  }
});

test('a color that stands out stays what it is', () => {
  expect(flagColors('#1f62c4', '#ffffff').ground).toBe('#1f62c4');
});

test.each(COLORS)('initials are legible on %s', (color) => {
  expect(contrastOf(color, textOn(color))).toBeGreaterThanOrEqual(4.5);
});

test.each(['red;background:url(x)', '#12', 7, null, undefined])('%j is not put into a style', (color) => {
  expect(safeColor(color)).toMatch(/^#[0-9a-f]{6}$/);
});
