import type { HLJSApi, LanguageFn } from 'highlight.js';

import { mayHaveColours } from './may-have-colours.ts';
import { inPortions } from './portions.ts';

/** Colours for code, loaded when the first finished block of a known language is shown. */

type Module = Promise<{ default: LanguageFn }>;

const languages: Readonly<Record<string, () => Module>> = {
  bash: () => import('highlight.js/lib/languages/bash'),
  cpp: () => import('highlight.js/lib/languages/cpp'),
  css: () => import('highlight.js/lib/languages/css'),
  diff: () => import('highlight.js/lib/languages/diff'),
  go: () => import('highlight.js/lib/languages/go'),
  java: () => import('highlight.js/lib/languages/java'),
  javascript: () => import('highlight.js/lib/languages/javascript'),
  json: () => import('highlight.js/lib/languages/json'),
  python: () => import('highlight.js/lib/languages/python'),
  rust: () => import('highlight.js/lib/languages/rust'),
  sql: () => import('highlight.js/lib/languages/sql'),
  typescript: () => import('highlight.js/lib/languages/typescript'),
  xml: () => import('highlight.js/lib/languages/xml'),
  yaml: () => import('highlight.js/lib/languages/yaml'),
};

const otherNames: Readonly<Record<string, string>> = {
  c: 'cpp',
  'c++': 'cpp',
  console: 'bash',
  html: 'xml',
  js: 'javascript',
  jsx: 'javascript',
  py: 'python',
  rs: 'rust',
  sh: 'bash',
  shell: 'bash',
  svg: 'xml',
  ts: 'typescript',
  tsx: 'typescript',
  yml: 'yaml',
  zsh: 'bash',
};

let core: Promise<HLJSApi> | undefined;

export async function highlight(within: ParentNode): Promise<void> {
  for (const code of within.querySelectorAll<HTMLElement>('.code code[class^="language-"]')) {
    const named = code.className.slice('language-'.length).toLowerCase();
    const language = otherNames[named] ?? named;
    const load = Object.hasOwn(languages, language) ? languages[language] : undefined;
    const text = code.textContent;
    if (load === undefined || !mayHaveColours(text) || code.dataset.coloured !== undefined) continue;
    code.dataset.coloured = '';
    core ??= import('highlight.js/lib/core').then((module) => module.default);
    const hljs = await core;
    if (hljs.getLanguage(language) === undefined) hljs.registerLanguage(language, (await load()).default);
    await new Promise<void>((resolve) => {
      inPortions(() => {
        // What it returns is the text, escaped, in spans of its own classes.
        code.innerHTML = hljs.highlight(text, { language, ignoreIllegals: true }).value;
        resolve();
      });
    });
  }
}
