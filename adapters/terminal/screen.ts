import type { Writable } from 'node:stream';
import { stripVTControlCharacters } from 'node:util';
import type { Piece } from '../../src/event.ts';
import type { Question, Said } from './face.ts';
import { renderMarkdown, type Segment, wrapText } from './markdown.ts';
import { planRepaint } from './repaint.ts';
import {
  type Paint,
  paintSegments,
  paintTranscript,
  toActionLine,
  toOneLine,
  toVisible,
  withoutHalfEnd,
} from './text.ts';

/** The part of the terminal above the prompt: answers as they grow, notices, and one line that says "thinking…". */
export interface Screen {
  think(note: string): void;
  write(question: Question, piece: Piece): void;
  say(question: Question | undefined, said: Said): void;
  /** A tool that is called for an answer: a line of its own that stays. */
  tool(question: string): void;
  withdraw(question: Question): void;
  /** Ends the line being written and the thinking: the prompt may follow. */
  rest(): void;
}

interface ScreenDeps {
  output: Writable;
  paint: Paint;
  color: boolean;
  /** How a command is typed here, where a piece of code is one. */
  toCommand(code: string): string | undefined;
  /** Called before anything is printed, so that the prompt can make room. */
  makeRoom: () => void;
}

interface Answer {
  pieces: string[];
  /** What of it stands on the screen, if anything does. */
  shown: string | undefined;
  columns: number;
}

const label = 'assistant: ';
const clearLine = '\r\u001b[2K';
const frames = Array.from('⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏');
const frameMs = 100;

export function createScreen({ output, paint, color, toCommand, makeRoom }: ScreenDeps): Screen {
  const answers = new Map<string, Answer>();
  const introduced = new Set<string>();
  let atLineStart = true;
  /** The answer at whose end the cursor stands, so that it can be gone back into. */
  let growing: Answer | undefined;
  let thinking: { note: string; frame: number; timer: NodeJS.Timeout } | undefined;

  function put(text: string): void {
    if (text === '') return;
    makeRoom();
    stopThinking();
    output.write(text);
    atLineStart = stripVTControlCharacters(text).endsWith('\n');
  }

  /** Prints on lines of its own what is not part of a growing answer. */
  function putLines(text: string): void {
    const ended = stripVTControlCharacters(text).endsWith('\n');
    put(`${atLineStart ? '' : '\n'}${text}${ended ? '' : '\n'}`);
    growing = undefined;
  }

  function stopThinking(): void {
    if (thinking === undefined) return;
    clearInterval(thinking.timer);
    thinking = undefined;
    output.write(clearLine);
  }

  function drawThinking(): void {
    if (thinking === undefined) return;
    const frame = frames[thinking.frame++ % frames.length] ?? '';
    output.write(`${clearLine}${paint('dim', toOneLine(`${frame} ${thinking.note}`, sizeOf(output).columns - 1))}`);
  }

  function introduce(question: Question | undefined): void {
    if (question?.earlier === undefined || introduced.has(question.id)) return;
    introduced.add(question.id);
    putLines(paint('dim', `earlier you asked: ${question.earlier}`));
  }

  const paintAnswer = (next: readonly Segment[], from: number): string =>
    paintSegments(next, from, color ? 'answer' : 'none');

  function begin(answer: Answer, next: readonly Segment[]): void {
    put(`${atLineStart ? '' : '\n'}${paint('assistant', label)}${paintAnswer(next, 0)}`);
    answer.columns = sizeOf(output).columns;
    growing = answer;
  }

  function grow(answer: Answer, next: readonly Segment[]): void {
    const size = sizeOf(output);
    if (answer.shown === undefined) {
      begin(answer, next);
      return;
    }
    const text = plainOf(next);
    const planned = planRepaint(answer.shown, text, { ...size, startColumn: label.length });
    if (planned.kind === 'append') {
      if (growing !== answer) {
        if (!atLineStart) put('\n');
        growing = undefined;
      }
      put(paintAnswer(next, text.length - planned.added.length));
    } else if (planned.kind === 'rewind' && growing === answer && answer.columns === size.columns) {
      put(`${goTo(planned.up, planned.column)}${paintAnswer(next, text.length - planned.text.length)}`);
    } else {
      putLines(paint('dim', '(the answer was written anew)'));
      begin(answer, next);
    }
  }

  return {
    think(note) {
      if (!atLineStart) return; // an answer is being written: that is progress enough
      if (thinking !== undefined) thinking.note = note;
      else {
        makeRoom();
        thinking = { note, frame: 0, timer: setInterval(drawThinking, frameMs).unref() };
      }
      drawThinking();
    },
    write(question, piece) {
      introduce(question);
      const answer = answers.get(question.id) ?? { pieces: [], shown: undefined, columns: 0 };
      answers.set(question.id, answer);
      answer.pieces[piece.index] = piece.text;
      const whole = answer.pieces.slice(0, piece.last ? piece.index + 1 : undefined).join('');
      const visible = toVisible(piece.last ? whole : withoutHalfEnd(whole));
      const next = renderMarkdown(visible, { columns: sizeOf(output).columns, startColumn: label.length });
      const text = plainOf(next);
      if (text !== (answer.shown ?? '')) {
        grow(answer, next);
        answer.shown = text;
      }
      if (!piece.last) return;
      answers.delete(question.id);
      introduced.delete(question.id);
      if (!atLineStart) put('\n');
    },
    tool(line) {
      putLines(paint('tool', `tool: ${toVisible(line)}`));
    },
    say(question, { text, transcript = [], actions }) {
      introduce(question);
      const { columns } = sizeOf(output);
      const segments = renderMarkdown(toVisible(text), { columns, startColumn: 0, toCommand });
      putLines(paintSegments(segments, 0, color ? 'plain' : 'none'));
      // As wide as the longest of the labels leaves room for.
      const lines = transcript.map((one) => ({ ...one, text: wrapText(one.text, columns - label.length) }));
      if (lines.length > 0) putLines(paintTranscript(lines, paint));
      if (actions.length > 0) putLines(paint('dim', toActionLine(actions)));
    },
    withdraw(question) {
      answers.delete(question.id);
      putLines(paint('dim', '(taken back: the question is gone)'));
    },
    rest() {
      stopThinking();
      if (!atLineStart) put('\n');
    },
  };
}

function plainOf(segments: readonly Segment[]): string {
  return segments.map(({ text }) => text).join('');
}

function goTo(up: number, column: number): string {
  return `${up > 0 ? `\u001b[${up}A` : ''}\r${column > 0 ? `\u001b[${column}C` : ''}\u001b[J`;
}

function sizeOf(output: Writable): { columns: number; rows: number } {
  const columns = 'columns' in output && typeof output.columns === 'number' ? output.columns : 0;
  const rows = 'rows' in output && typeof output.rows === 'number' ? output.rows : 0;
  return { columns: columns || 80, rows: rows || 24 };
}
