import assert from 'node:assert/strict';
import { test } from 'node:test';
import { drawTables } from '../../adapters/discord/tables.ts';
import { toText as discordText } from '../../adapters/discord/text.ts';
import { fallback, growing, neutralised, toMrkdwn } from '../../adapters/slack/markdown.ts';
import { toText as slackText } from '../../adapters/slack/text.ts';
import { asCommand, inSlackWords } from '../../adapters/slack/words.ts';
import { parseLine } from '../../adapters/terminal/json-line.ts';
import { renderMarkdown, wrapText } from '../../adapters/terminal/markdown.ts';
import { planRepaint } from '../../adapters/terminal/repaint.ts';
import { paintSegments, toOneLine, toVisible } from '../../adapters/terminal/text.ts';
import { toName, visitorName } from '../../adapters/web/names.ts';
import { noBlocks, openCode, takeBlocks } from '../../adapters/web/page/blocks.ts';
import { completeLine } from '../../src/commands/complete.ts';
import { commands } from '../../src/commands/list.ts';
import { isUrgentLine, parseCommand } from '../../src/commands/parse.ts';
import { parsePreset } from '../../src/commands/preset.ts';
import { settings } from '../../src/commands/settings.ts';
import { foldFault, isEcho } from '../../src/conversation/fold-text.ts';
import { sanitizedData, withoutFrames } from '../../src/conversation/frames.ts';
import { cleanName } from '../../src/conversation/names.ts';
import { callingOf } from '../../src/conversation/recall-speakers.ts';
import { createTermReader, wordsOf } from '../../src/conversation/recall-terms.ts';
import { cleanText } from '../../src/conversation/recording.ts';
import { repeats, toWanted } from '../../src/conversation/repeats.ts';
import { sentenceEnds } from '../../src/conversation/sentences.ts';
import type { Turn } from '../../src/conversation/turn.ts';
import { toMessages, toTranscript } from '../../src/conversation/wire.ts';
import { createLog } from '../../src/log.ts';
import { answerFrom } from '../../src/model/demo-answer.ts';
import { readPrompt } from '../../src/model/demo-prompt.ts';
import { clip } from '../../src/model/demo-words.ts';
import { statementProblem } from '../../src/tools/sql-statement.ts';
import { createCiting } from '../../src/turn/citing.ts';
import { createLinkMap } from '../../src/turn/links.ts';
import { createOpening } from '../../src/turn/opening.ts';
import { createSplitter } from '../../src/turn/split.ts';
import { hostileTexts } from './hostile-texts.ts';
import { excess } from './linear.ts';

/** Whatever reads or draws a text takes no more than linear time, as the expressions do. */

const turn = (text: string): Turn => ({ seq: 1, id: 'm', rev: 0, at: 0, role: 'user', name: 'Ann', text, tokens: 1 });
const log = createLog({
  level: 'info',
  format: 'json',
  secrets: ['a-secret-key', 'postgres://bot:pass-word@localhost/db'],
  destination: { write: () => undefined },
});
const mentioned = { id: '1', username: 'bot' };
const names = {
  self: '1',
  ownRoles: new Set(['2']),
  role: () => 'role',
  channel: () => 'general',
  person: () => 'Ann',
};

/** What makes many small objects has pauses of its own, of some milliseconds; quadratic work of this length takes more. */
const matteringMs = 25;

/** Refused is done, too. */
function tried(work: () => unknown): void {
  try {
    work();
  } catch {
    return;
  }
}

function inPortions(text: string, push: (portion: string) => unknown): void {
  for (let at = 0; at < text.length; at += 7) push(text.slice(at, at + 7));
}

const readers: Record<string, (text: string) => unknown> = {
  'the splitter of answers': (text) => createSplitter(2000).push(text),
  'the splitter of answers, in portions': (text) => {
    const splitter = createSplitter(2000);
    inPortions(text, splitter.push);
  },
  links: (text) => createLinkMap(text).around(text.length - 1),
  sentences: (text) => Array.from(sentenceEnds(text)),
  citations: (text) => {
    const citing = createCiting([{ marker: 1, label: 'Ann, 3 Nov', link: 'https://example.org' }]);
    inPortions(text, citing.push);
    citing.rest(true);
  },
  'the beginning of an answer': (text) => {
    const opening = createOpening();
    inPortions(text, opening.push);
    opening.rest();
  },
  commands: (text) => {
    tried(() => parseCommand(commands, { line: text }));
    for (const start of ['memory search ', 'role set ', 'forget user ', 'settings set stop ', 'usage '])
      tried(() => parseCommand(commands, { line: start + text }));
    isUrgentLine(commands, text);
  },
  completion: (text) => completeLine(commands, `settings set ${text}`),
  'values of settings': (text) => {
    for (const setting of settings) tried(() => setting.parse(text));
  },
  presets: (text) => tried(() => parsePreset(`---\nname: x\n---\n${text}`)),
  'text as it is kept': cleanText,
  'names of people': (text) => [cleanName(text), toName(text, 60), visitorName(text.slice(0, 1000), false)],
  prompts: (text) => [toMessages(turn(text)), toTranscript(turn(text)), sanitizedData(text), withoutFrames(text)],
  summaries: (text) => {
    const input = { text, tokens: 100, cap: 50 };
    return [isEcho(input, text), foldFault(input, { text, tokens: 10, finish: 'stop' })];
  },
  'terms of search': (text) => [...createTermReader()(text)].length + wordsOf(text).length,
  'who is called': callingOf,
  quotations: (text) => repeats(turn(text), toWanted([text.slice(0, text.length / 2), `${text.slice(0, 100)}x`])),
  'log lines': (text) => log.info({ text, error: new Error(text) }, text),
  SQL: statementProblem,
  'the demo model': (text) => {
    clip(text, 200);
    return answerFrom(readPrompt([{ role: 'user', content: `Ann: ${text}` }] as Parameters<typeof readPrompt>[0]));
  },
  'messages of Discord': (text) =>
    discordText({ content: text, mentions: [mentioned], mention_roles: ['2'] } as never, names),
  'tables in Discord': (text) => drawTables(text, 2 * text.length),
  'messages of Slack': (text) => asCommand(slackText({ text }, names)),
  'text in Slack': (text) => [
    neutralised(text),
    growing(text),
    toMrkdwn(text),
    fallback(text),
    inSlackWords(text, commands),
  ],
  'Markdown in the terminal': (text) =>
    paintSegments(renderMarkdown(text, { columns: 80, startColumn: 0 }), 0, 'plain').length + wrapText(text, 80).length,
  'text in the terminal': (text) => {
    const shown = toVisible(text);
    return [
      toOneLine(shown, 200),
      planRepaint(shown, `${shown.slice(0, -1)}…`, { columns: 80, rows: 24, startColumn: 0 }),
    ];
  },
  'JSON lines': (text) => {
    parseLine(text, { now: 0, newId: () => 'x' });
    const message = { type: 'message', channel: 'c', author: { id: 'a' }, text };
    parseLine(JSON.stringify(message), { now: 0, newId: () => 'x' });
  },
  'blocks in the console': (text) => [takeBlocks(noBlocks, text), openCode(text), openCode(`\`\`\`\n${text}`)],
};

for (const [what, read] of Object.entries(readers)) {
  test(`${what}: no text takes more than linear time`, () => {
    const slow = [...hostileTexts()].flatMap(([name, make]) => {
      const ratio = excess(read, make, undefined, matteringMs);
      return ratio === undefined ? [] : [`${ratio.toFixed(0)} times as long for ${name}`];
    });
    assert.deepEqual(slow, []);
  });
}
