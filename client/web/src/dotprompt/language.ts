/**
 * The Dotprompt language for Monaco: YAML front matter between `---` lines, then a Handlebars body.
 *
 * Source: the Dotprompt specification (google/dotprompt) and the Handlebars language guide. Front matter that is
 * opened and never closed is colored as front matter, though Dotprompt takes it for text: a tokenizer cannot look
 * ahead, and the color tells the author that the end is missing.
 */
import { languages } from 'monaco-editor/editor';

export const LANGUAGE_ID = 'dotprompt';

const TOKENS: languages.IMonarchLanguage = {
  defaultToken: '',
  // Helpers that Dotprompt brings along, beside the block helpers of Handlebars.
  helpers: ['role', 'history', 'media', 'section', 'json', 'lookup', 'log'],
  blocks: ['if', 'unless', 'each', 'with', 'ifEquals', 'unlessEquals', 'else'],

  tokenizer: {
    root: [
      [/^---[ \t]*$/, { token: 'delimiter.frontmatter', switchTo: '@frontMatter' }],
      [/^#.*$/, 'comment'],
      [/^[ \t]+$/, ''],
      [/./, { token: '@rematch', switchTo: '@body' }],
    ],

    frontMatter: [
      [/^---[ \t]*$/, { token: 'delimiter.frontmatter', switchTo: '@body' }],
      [/(^|[ \t])(#.*$)/, ['', 'comment']],
      // Picoschema: `tone?(enum, how to sound): [warm, plain]`, then `count: integer, how many`.
      [
        /^([ \t]*)([\w.$*-]+\??)(\()(\w+)([^)]*)(\))(:)(?=\s|$)/,
        ['', 'key', 'delimiter', 'type', 'value', 'delimiter', 'delimiter'],
      ],
      [
        /^([ \t]*)([\w.$*-]+\??)(:[ \t]+)(string|number|integer|boolean|null|any)(?=[ \t]*(?:,|$))/,
        ['', 'key', 'delimiter', 'type'],
      ],
      [/^([ \t]*(?:- +)?)([\w.$*-]+\??)(:)(?=\s|$)/, ['delimiter', 'key', 'delimiter']],
      [/"(?:[^"\\]|\\.)*"|'(?:[^']|'')*'/, 'string'],
      [/[{}[\],:]|- /, 'delimiter'],
      [/(?:true|false|null|~)(?=\s*(?:$|[,\]}#]))/, 'constant'],
      [/-?\d+(?:\.\d+)?(?:e[+-]?\d+)?(?=\s*(?:$|[,\]}#]))/i, 'number'],
      [/[A-Za-z_][\w./-]*/, 'value'],
    ],

    body: [
      [/\\\{\{/, ''],
      [/\{\{~?!--/, 'comment', '@longComment'],
      [/\{\{~?!/, 'comment', '@comment'],
      [/(\{\{\{?~?)([ \t]*)(role)\b/, ['delimiter.handlebars', '', { token: 'keyword.role', next: '@expression' }]],
      [/\{\{\{?~?/, 'delimiter.handlebars', '@expression'],
      [/^#{1,6}[ \t].*?(?=\{\{|$)/, 'heading'],
      [/<\/?[A-Za-z][\w-]*\/?>/, 'tag'],
      [/[^{\\<#]+|./, ''],
    ],

    longComment: [
      [/--~?\}\}/, 'comment', '@pop'],
      [/[^-]+|./, 'comment'],
    ],

    comment: [
      [/\}\}/, 'comment', '@pop'],
      [/[^}]+|./, 'comment'],
    ],

    expression: [
      [/~?\}\}\}?/, 'delimiter.handlebars', '@pop'],
      // A new expression inside of one: the first was never closed.
      [/\{\{/, { token: 'delimiter.handlebars' }],
      [/([#/^])([ \t]*)([\w.-]+)/, ['keyword', '', 'keyword']],
      [/(>)([ \t]*)([\w./-]+)/, ['keyword', '', 'partial']],
      [/\bas\b|[|&^]/, 'keyword'],
      [/"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/, 'string'],
      [/-?\d+(?:\.\d+)?\b/, 'number'],
      [/\b(?:true|false|null|undefined)\b/, 'constant'],
      [/@[\w.]+/, 'variable.predefined'],
      [/[\w-]+(?==)/, 'key'],
      [
        /(?:\.\.\/)*[A-Za-z_$][\w.$/-]*/,
        { cases: { '@helpers': 'keyword', '@blocks': 'keyword', '@default': 'variable' } },
      ],
      [/[()=.]/, 'delimiter'],
    ],
  },
};

const CONFIGURATION: languages.LanguageConfiguration = {
  comments: { blockComment: ['{{!', '}}'] },
  brackets: [
    ['{{', '}}'],
    ['(', ')'],
    ['[', ']'],
    ['{', '}'],
  ],
  // Prompts are prose: nothing is closed for the author.
  autoClosingPairs: [],
  surroundingPairs: [
    { open: '{', close: '}' },
    { open: '(', close: ')' },
    { open: '[', close: ']' },
    { open: '"', close: '"' },
    { open: '`', close: '`' },
    { open: '*', close: '*' },
  ],
};

/** Makes Monaco know the language; once is enough. */
export function registerDotprompt(): void {
  if (languages.getLanguages().some(({ id }) => id === LANGUAGE_ID)) return;
  languages.register({ id: LANGUAGE_ID, extensions: ['.prompt'], aliases: ['Dotprompt'] });
  languages.setMonarchTokensProvider(LANGUAGE_ID, TOKENS);
  languages.setLanguageConfiguration(LANGUAGE_ID, CONFIGURATION);
}
