/** The colors of both themes. Every token has a contrast of at least 4.5, in somebody's selection too. */

export type ThemeName = 'promptroom-light' | 'promptroom-dark';

export interface Palette {
  readonly background: string;
  readonly foreground: string;
  readonly line: string;
  readonly number: string;
  readonly activeNumber: string;
  readonly selection: string;
  readonly accent: string;
  readonly widget: string;
  readonly border: string;
  /** What tints text that was added or removed, in a comparison. */
  readonly added: string;
  readonly removed: string;
  readonly tokens: Readonly<Record<string, string>>;
}

/** How much of the tint lies on a line that differs, and on top of that on the words that do; as the end of `#rrggbbaa`. */
export const LINE_TINT = '14';
export const WORD_TINT = '29';

export const PALETTES: Readonly<Record<ThemeName, Palette>> = {
  'promptroom-light': {
    background: '#ffffff',
    foreground: '#1f2430',
    line: '#f6f7fa',
    number: '#686e7d',
    activeNumber: '#1f2430',
    selection: '#cfdcfb',
    accent: '#2a56c6',
    widget: '#ffffff',
    border: '#d9dce4',
    added: '#2da44e',
    removed: '#e5484d',
    tokens: {
      comment: '#565c6c',
      'delimiter.frontmatter': '#565c6c',
      delimiter: '#565c6c',
      'delimiter.handlebars': '#8236b8',
      key: '#2a56c6',
      value: '#1f2430',
      type: '#006b65',
      string: '#21693a',
      number: '#a03c08',
      constant: '#a03c08',
      keyword: '#8236b8',
      'keyword.role': '#ad1f6b',
      variable: '#0a628a',
      'variable.predefined': '#0a628a',
      partial: '#006b65',
      heading: '#1f2430',
      tag: '#7a5300',
    },
  },
  'promptroom-dark': {
    background: '#171a21',
    foreground: '#e3e6ee',
    line: '#1e222b',
    number: '#828a9b',
    activeNumber: '#e3e6ee',
    selection: '#2f4a86',
    accent: '#8fb0ff',
    widget: '#1e222b',
    border: '#333947',
    added: '#2ea043',
    removed: '#f85149',
    tokens: {
      comment: '#9aa2b4',
      'delimiter.frontmatter': '#9aa2b4',
      delimiter: '#a2a9b8',
      'delimiter.handlebars': '#c99bf0',
      key: '#8fb0ff',
      value: '#e3e6ee',
      type: '#5fd0c5',
      string: '#8fd19e',
      number: '#f0a878',
      constant: '#f0a878',
      keyword: '#c99bf0',
      'keyword.role': '#ff8fc0',
      variable: '#77cdf0',
      'variable.predefined': '#77cdf0',
      partial: '#5fd0c5',
      heading: '#ffffff',
      tag: '#e0be78',
    },
  },
};
