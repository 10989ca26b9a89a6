import { readFileSync } from 'node:fs';
import { z } from 'zod';

/** Labelled conversations: one a line, with questions and the turns that answer them. */

const id = z.union([z.string(), z.number()]).transform(String);

const conversation = z.object({
  id,
  turns: z.array(z.object({ id, at: z.union([z.string(), z.number()]), speaker: z.string(), text: z.string() })),
  questions: z.array(z.object({ text: z.string(), evidence: z.array(id) })),
});

export interface Spoken {
  id: string;
  at: number;
  speaker: string;
  text: string;
}

export interface Conversation {
  id: string;
  turns: Spoken[];
  /** Only those that some turn answers. */
  questions: { text: string; evidence: ReadonlySet<string> }[];
}

export function readConversations(file: string): Conversation[] {
  const lines = readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line.trim() !== '');
  return lines.map((line, n) => {
    const parsed = conversation.safeParse(JSON.parse(line));
    if (!parsed.success) throw new Error(`line ${n + 1} of ${file}: ${z.prettifyError(parsed.error)}`);
    const { turns, questions } = parsed.data;
    const known = new Set(turns.map((turn) => turn.id));
    return {
      id: parsed.data.id,
      turns: turns.map((turn) => ({ ...turn, at: new Date(turn.at).getTime() })),
      questions: questions
        .map(({ text, evidence }) => ({ text, evidence: new Set(evidence.filter((one) => known.has(one))) }))
        .filter(({ evidence }) => evidence.size > 0),
    };
  });
}
