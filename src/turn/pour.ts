import type { Job } from '../inbox/inbox.ts';
import { cacheKey } from '../model/cache-key.ts';
import type { ModelRequest, ToolCall, ToolChoice, Usage } from '../model/model.ts';
import { createCiting } from './citing.ts';
import { createOpening } from './opening.ts';
import type { Prepared } from './prepare.ts';
import { toSources } from './recalling.ts';
import type { CutBy, Question, SpeakDeps, Spell } from './speak.ts';

/** One call of the model: its text into the reply, what it cost onto the tab, also when it breaks. */

interface Poured {
  /** What it said this time. */
  text: string;
  calls: ToolCall[];
  cut: CutBy | undefined;
}

export async function pour(
  deps: SpeakDeps,
  job: Job,
  asked: { question: Question; prepared: Prepared; choice: ToolChoice },
  spell: Spell,
  signal: AbortSignal,
): Promise<Poured> {
  const { question, prepared } = asked;
  const { stream, tab } = spell;
  const { profile, person, payer } = question;
  const before = stream.text();
  const opening = createOpening();
  const citing = createCiting(toSources(prepared.along.recalled, deps.link, deps.now()));
  const calls: ToolCall[] = [];
  let cut: CutBy | undefined;
  let isWhole = false;
  const push = (text: string): void => {
    // Between what was said before a tool was called and what is said now.
    const isNext = before !== '' && stream.text() === before;
    const said = isNext ? text.trimStart() : text;
    if (said === '') return;
    if (!tab.isShown) deps.onFirstToken(deps.now() - job.acceptedAt);
    tab.isShown = true;
    stream.push(isNext && !before.slice(before.trimEnd().length).includes('\n') ? `\n\n${said}` : said);
  };
  const charge = (model: string, usage: Usage): number =>
    tab.charges.push({ person, payer, kind: 'answer', model, usage, at: deps.now() });
  try {
    for await (const event of deps.model.stream(toRequest(asked), signal)) {
      switch (event.type) {
        case 'text':
          push(citing.push(opening.push(event.text)));
          break;
        case 'waiting':
          await job.reply.progress(waitingNote(event.until - deps.now(), event.reason));
          break;
        case 'attempt':
          charge(event.model, event.usage);
          break;
        case 'passed-over':
          tab.passedOver = event.error;
          break;
        case 'tool-call':
          calls.push(event.call);
          break;
        case 'end':
          charge(event.model, event.usage);
          spell.model = event.model;
          cut = event.finish === 'length' || event.finish === 'content_filter' ? event.finish : undefined;
          isWhole = cut === undefined;
          // A fallback's window and way of counting say nothing about the model that was asked for.
          if (event.asked !== profile.model) break;
          deps.calibration.fitted(profile.model, prepared.promptTokens + profile.maxReplyTokens, true);
          if (!event.usage.estimated) await learn(deps, profile.model, prepared.promptTokens, event.usage.prompt);
          break;
      }
    }
  } finally {
    push(citing.push(opening.rest()) + citing.rest(!isWhole));
    for (const marker of citing.used()) spell.cited.add(marker);
  }
  return { text: stream.text().slice(before.length).trim(), calls, cut };
}

function toRequest({ question, prepared, choice }: Parameters<typeof pour>[2]): ModelRequest {
  const { channel, profile } = question;
  const tools = prepared.tools.map(({ name, description, parameters }) => ({ name, description, parameters }));
  return {
    purpose: 'answer',
    model: profile.model,
    messages: prepared.messages,
    maxTokens: profile.maxReplyTokens,
    settings: profile.request,
    ...(tools.length > 0 && { tools, toolChoice: choice }),
    cacheKey: cacheKey(channel, 'answer'),
    promptTokens: prepared.promptTokens,
  };
}

/** Better estimates are not worth an answer. */
async function learn(deps: SpeakDeps, model: string, counted: number, reported: number): Promise<void> {
  await deps.calibration.learn(model, counted, reported).catch((error: unknown) => {
    deps.log.warn({ model, error }, 'what a model counts could not be kept');
  });
}

/** The seconds come first: a platform may show no more than the first few words. */
function waitingNote(ms: number, reason: string): string {
  return `${Math.max(1, Math.ceil(ms / 1000))} s: ${reason}`;
}
