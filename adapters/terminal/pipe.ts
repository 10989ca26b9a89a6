import type { Readable, Writable } from 'node:stream';
import type { Face, Question, Talk } from './face.ts';
import { readLines } from './lines.ts';
import { createPaint, paintTranscript, toActionLine, toVisible } from './text.ts';

/** Seldom: only the answer as it stands in the end is printed. */
const minEditMs = 60_000;

/**
 * Lines in, answers out. Each line is sent when the one before has been answered, as a person would: a `/reset` must
 * not overtake the question above it.
 */
export function createPipe(input: Readable, output: Writable): Face {
  const answers = new Map<string, string[]>();
  let listening = true;

  const print = (question: Question | undefined, text: string, actions: string): void => {
    const earlier = question?.earlier === undefined ? '' : `(earlier you asked: ${question.earlier})\n`;
    const body = toVisible(text);
    output.write(`${earlier}${body}${body.endsWith('\n') ? '' : '\n'}${actions === '' ? '' : `${actions}\n`}`);
  };

  async function listen(talk: Talk): Promise<void> {
    await talk.idle();
    for await (const line of readLines(input)) {
      if (!listening) return;
      if (line?.trim() === 'q') break;
      if (line === undefined) print(undefined, '⚠️ This line is too long to be a message.', '');
      else if (line.trim() !== '') await talk.send(line);
    }
    await talk.idle();
  }

  return {
    minEditMs,
    progress() {},
    write(question, piece) {
      const pieces = answers.get(question.id) ?? [];
      pieces[piece.index] = piece.text;
      answers.set(question.id, pieces);
      if (!piece.last) return;
      answers.delete(question.id);
      // What can be done with an answer is no part of it.
      print(question, pieces.slice(0, piece.index + 1).join(''), '');
    },
    say(question, { text, transcript = [], actions }) {
      const printed = paintTranscript(transcript, createPaint(false));
      print(question, [text, printed].filter((part) => part !== '').join('\n'), toActionLine(actions));
    },
    withdraw: (question) => void answers.delete(question.id),
    setBusy() {},
    start(talk) {
      const end = (): void => talk.end();
      listen(talk).then(end, end); // what cannot be read has ended
    },
    pause() {
      listening = false;
    },
    close() {
      listening = false;
      input.destroy();
    },
  };
}
