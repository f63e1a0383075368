/** What every editor of ours has in common: Monaco's parts, the language, both themes, and how text is set. */
import './features';
import type { editor } from 'monaco-editor/editor';
import { registerDotprompt } from '../dotprompt/language';
import { defineThemes } from '../dotprompt/themes';

registerDotprompt();
defineThemes();

/** How text is set, wherever it is shown. */
export const TEXT_OPTIONS = {
  automaticLayout: true,
  fixedOverflowWidgets: true,
  fontFamily:
    'ui-monospace, "SF Mono", "Cascadia Mono", "Segoe UI Mono", "Liberation Mono", Menlo, Consolas, monospace',
  fontSize: 14,
  guides: { indentation: false },
  lineHeight: 22,
  minimap: { enabled: false },
  overviewRulerBorder: false,
  padding: { top: 20, bottom: 20 },
  scrollbar: { verticalScrollbarSize: 12, horizontalScrollbarSize: 12, useShadows: false },
  scrollBeyondLastLine: false,
  // Prompts are written in every language: only what cannot be seen is worth a warning.
  unicodeHighlight: { ambiguousCharacters: false, invisibleCharacters: true },
  // U+2028 and the like are text; asking to remove them would edit what others wrote.
  unusualLineTerminators: 'off',
  wordWrap: 'on',
} as const satisfies editor.IEditorOptions;
