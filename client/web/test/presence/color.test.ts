import { expect, test } from 'vitest';
import { PALETTES } from '../../src/dotprompt/palettes';
import { contrastOf, flagColors, GRAPHICS_CONTRAST, safeColor, textOn } from '../../src/presence/color';

const COLORS = ['#b4232a', '#8a5a00', '#1a7a3a', '#1f62c4', '#8a3fc0', '#000000', '#ffffff', '#808080', '#ffff00'];
const BACKGROUNDS = Object.values(PALETTES).map(({ background }) => background);

test.each(COLORS.flatMap((color) => BACKGROUNDS.map((background) => [color, background] as const)))(
  'a flag of %s is legible on %s',
  (color, background) => {
    const { ground, text } = flagColors(color, background);
    expect(contrastOf(ground, background)).toBeGreaterThanOrEqual(GRAPHICS_CONTRAST);
    expect(contrastOf(ground, text)).toBeGreaterThanOrEqual(4.5);
  },
);

test('a color that stands out stays what it is', () => {
  expect(flagColors('#1f62c4', '#ffffff').ground).toBe('#1f62c4');
});

test.each(COLORS)('initials are legible on %s', (color) => {
  expect(contrastOf(color, textOn(color))).toBeGreaterThanOrEqual(4.5);
});

test.each(['red;background:url(x)', '#12', 7, null, undefined])('%j is not put into a style', (color) => {
  expect(safeColor(color)).toMatch(/^#[0-9a-f]{6}$/);
});
