/**
 * Colors of people, made legible on the background they stand on.
 *
 * Source of the contrast: WCAG 2.2, relative luminance and contrast ratio.
 */

/** Red, green and blue, each 0..255. */
type Rgb = readonly [number, number, number];

/** What stands in for a color that cannot be read. */
const FALLBACK = '#5a4fd0';
/** Of WCAG: carets and outlines need 3, text 4.5. */
export const GRAPHICS_CONTRAST = 3;

/** Of a selection with what is around it: enough to see, and text with a contrast of 5.9 keeps 4.5 on it. */
const TINT_CONTRAST = 1.3;

const WHITE: Rgb = [255, 255, 255];
const BLACK: Rgb = [0, 0, 0];
const STEPS = 20;

export interface FlagColors {
  /** The caret, and the ground of the flag: stands out from the editor. */
  readonly ground: string;
  /** The name on the flag: black or white. */
  readonly text: string;
}

/** Colors for the caret and flag of somebody whose color is `color`, in an editor with this background. */
export function flagColors(color: string, background: string): FlagColors {
  const ground = format(standOut(parse(color), parse(background)));
  return { ground, text: textOn(ground) };
}

/** What is laid over this background where somebody of this color has selected text; as `#rrggbbaa`. */
export function selectionTint(color: string, background: string): string {
  const behind = parse(background);
  const ground = standOut(parse(color), behind);
  let alpha = 1;
  while (alpha < 255 && contrast(mix(behind, ground, alpha / 255), behind) < TINT_CONTRAST) alpha += 1;
  return format(ground) + alpha.toString(16).padStart(2, '0');
}

/** Black or white, whichever is easier to read on a ground; one of them always has a contrast of 4.5. */
export function textOn(ground: string): string {
  const color = parse(ground);
  return format(contrast(color, WHITE) >= contrast(color, BLACK) ? WHITE : BLACK);
}

/** The contrast ratio of two colors, 1..21. */
export function contrastOf(one: string, other: string): number {
  return contrast(parse(one), parse(other));
}

/** A color that is safe to put into a style. */
export function safeColor(color: unknown): string {
  return typeof color === 'string' && /^#[0-9a-f]{6}$/i.test(color) ? color : FALLBACK;
}

/** Moves a color towards white or black, whichever is away from the background, until it stands out. */
function standOut(color: Rgb, background: Rgb): Rgb {
  const away = contrast(background, WHITE) > contrast(background, BLACK) ? WHITE : BLACK;
  for (let step = 0; step < STEPS; step += 1) {
    const mixed = mix(color, away, step / STEPS);
    if (contrast(mixed, background) >= GRAPHICS_CONTRAST) return mixed;
  }
  return away;
}

function mix(from: Rgb, to: Rgb, share: number): Rgb {
  const channel = (index: 0 | 1 | 2): number => Math.round(from[index] + (to[index] - from[index]) * share);
  return [channel(0), channel(1), channel(2)];
}

function contrast(one: Rgb, other: Rgb): number {
  const [a, b] = [luminance(one), luminance(other)];
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
}

function luminance([red, green, blue]: Rgb): number {
  return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
}

function linear(channel: number): number {
  const share = channel / 255;
  return share <= 0.040_45 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
}

function parse(color: string): Rgb {
  const value = Number.parseInt(safeColor(color).slice(1), 16);
  return [value >> 16, (value >> 8) & 0xff, value & 0xff];
}

function format(rgb: Rgb): string {
  return `#${rgb.map((channel) => channel.toString(16).padStart(2, '0')).join('')}`;
}
