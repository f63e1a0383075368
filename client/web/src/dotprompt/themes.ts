/** Both palettes as Monaco's themes. */
import { editor } from 'monaco-editor/editor';
import { LINE_TINT, PALETTES, type Palette, type ThemeName, WORD_TINT } from './palettes';

const BOLD = new Set(['heading', 'keyword.role']);

/** Makes Monaco know both themes. */
export function defineThemes(): void {
  for (const name of Object.keys(PALETTES) as ThemeName[]) {
    const palette = PALETTES[name];
    editor.defineTheme(name, {
      base: name === 'promptroom-dark' ? 'vs-dark' : 'vs',
      inherit: true,
      rules: rules(palette),
      colors: colors(palette),
    });
  }
}

function rules({ tokens }: Palette): editor.ITokenThemeRule[] {
  return Object.entries(tokens).map(([token, color]) => ({
    token,
    foreground: color.slice(1),
    ...(BOLD.has(token) ? { fontStyle: 'bold' } : {}),
  }));
}

function colors(palette: Palette): editor.IColors {
  const { background, foreground, line, number, activeNumber, selection, accent, widget, border, added, removed } =
    palette;
  return {
    'editor.background': background,
    'editor.foreground': foreground,
    'editor.lineHighlightBackground': line,
    'editor.lineHighlightBorder': '#00000000',
    'editorLineNumber.foreground': number,
    'editorLineNumber.dimmedForeground': number,
    'editorLineNumber.activeForeground': activeNumber,
    'editor.selectionBackground': selection,
    'editor.inactiveSelectionBackground': `${selection}99`,
    'editorCursor.foreground': accent,
    'editor.placeholder.foreground': number,
    'editorWidget.background': widget,
    'editorWidget.border': border,
    'input.background': background,
    'input.border': border,
    'inputValidation.infoBackground': widget,
    'inputValidation.infoBorder': border,
    'inputValidation.infoForeground': foreground,
    focusBorder: accent,
    'quickInput.background': widget,
    'menu.background': widget,
    'menu.border': border,
    'menu.foreground': foreground,
    'menu.selectionBackground': line,
    'menu.selectionForeground': foreground,
    'menu.separatorBackground': border,
    'diffEditor.insertedLineBackground': added + LINE_TINT,
    'diffEditor.insertedTextBackground': added + WORD_TINT,
    'diffEditor.removedLineBackground': removed + LINE_TINT,
    'diffEditor.removedTextBackground': removed + WORD_TINT,
    'diffEditor.border': border,
    'diffEditor.diagonalFill': `${number}33`,
    'quickInput.foreground': foreground,
    'quickInputList.focusBackground': selection,
    'quickInputList.focusForeground': foreground,
    'list.highlightForeground': accent,
    'widget.border': border,
    'widget.shadow': '#00000040',
    'editorOverviewRuler.border': '#00000000',
    'scrollbar.shadow': '#00000000',
    'scrollbarSlider.background': `${number}40`,
    'scrollbarSlider.hoverBackground': `${number}70`,
    'scrollbarSlider.activeBackground': `${number}90`,
  };
}
