import { z } from 'zod';

/** One thing said in a channel: a line of the journal. */

const toolResultSchema = z.object({ id: z.string(), content: z.string() });

const toolStepSchema = z.object({
  calls: z.array(z.object({ id: z.string(), name: z.string(), arguments: z.string() })),
  results: z.array(toolResultSchema),
});

const keptAttachmentSchema = z.object({
  name: z.string(),
  kind: z.enum(['text', 'image', 'file']),
  /** What could be read of it. */
  text: z.string().optional(),
  /** Why it could not be read. */
  problem: z.string().optional(),
  /** How the platform gives an image again, as it once told: a retry looks at it once more. */
  from: z.object({ mime: z.string(), bytes: z.number(), source: z.string() }).optional(),
});

/** Where it stands: what was said is not kept twice. */
const recalledSchema = z.object({
  /** In a thread: it was said in the channel above. */
  above: z.boolean().optional(),
  epoch: z.number(),
  seq: z.number(),
  /** Others that were said with it and stood in one line with it. */
  beside: z.array(z.number()).optional(),
  /** The answer names it. */
  cited: z.boolean().optional(),
});

const alternativeSchema = z.object({
  text: z.string(),
  tokens: z.number(),
  at: z.number(),
  model: z.string(),
  recalled: z.array(recalledSchema).optional(),
  tools: z.array(toolStepSchema).optional(),
  partial: z.string().optional(),
});

export type RecalledRef = z.infer<typeof recalledSchema>;

export const turnSchema = z.object({
  seq: z.number(),
  /** The platform's id of the message; of an answer, that of its first piece. */
  id: z.string(),
  /** Grows with every edit: what was derived from an older revision is void. */
  rev: z.number(),
  /** When the edit was made whose text it has. */
  editedAt: z.number().optional(),
  at: z.number(),
  role: z.enum(['user', 'assistant']),
  author: z.string().optional(),
  /** The name as shown when it was said; other turns keep theirs when it changes. */
  name: z.string().optional(),
  text: z.string(),
  /** What it costs in a prompt, overhead included; counted once. */
  tokens: z.number(),
  /** A date line stands before it in the prompt, because the talk had paused. */
  dated: z.boolean().optional(),
  /** The platform's id of the message it replies to. */
  replyTo: z.string().optional(),
  /** Of an answer: what was found again for it, in the order of the markers. */
  recalled: z.array(recalledSchema).optional(),
  /** The turn it is the answer to. */
  answers: z.number().optional(),
  /** The platform's ids of an answer's pieces. */
  posts: z.array(z.string()).optional(),
  attachments: z.array(keptAttachmentSchema).optional(),
  tools: z.array(toolStepSchema).optional(),
  /** Earlier answers to the same question. */
  alternatives: z.array(alternativeSchema).optional(),
  model: z.string().optional(),
  /** A question that got no answer is not part of the prompt until a retry answers it. */
  unanswered: z.string().optional(),
  /** Why an answer ended early. */
  partial: z.string().optional(),
  /** Nothing of it is left but its place. */
  erased: z.enum(['deleted', 'forgotten', 'expired']).optional(),
});

export type Turn = z.infer<typeof turnSchema>;
export type KeptAttachment = z.infer<typeof keptAttachmentSchema>;
export type ToolStep = z.infer<typeof toolStepSchema>;
export type ToolResult = z.infer<typeof toolResultSchema>;
export type Alternative = z.infer<typeof alternativeSchema>;

/** Does it take part in prompts and folds? */
export function isSpoken(turn: Turn): boolean {
  return turn.erased === undefined && turn.unanswered === undefined;
}

export function erasedTurn(turn: Turn, why: NonNullable<Turn['erased']>): Turn {
  const { seq, id, rev, at, role } = turn;
  return { seq, id, rev: rev + 1, at, role, text: '', tokens: 0, erased: why };
}

/** Whether one of its versions cites one of these turns of its own channel, or of the channel above. */
export function citesTurn(turn: Turn, own: ReadonlySet<number>, above: ReadonlySet<number>): boolean {
  const cited = [turn, ...(turn.alternatives ?? [])].flatMap((one) => one.recalled ?? []).filter((one) => one.cited);
  return cited.some(({ above: isAbove, seq, beside = [] }) =>
    [seq, ...beside].some((one) => (isAbove ? above : own).has(one)),
  );
}
