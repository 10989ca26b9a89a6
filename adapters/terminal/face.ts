import type { Action, Notice, Piece } from '../../src/event.ts';

/** What the answers are about. */
export interface Question {
  id: string;
  /** Its words, where it was asked in an earlier run of the program: the person no longer sees them. */
  earlier: string | undefined;
}

/** What is said beside an answer. */
export interface Said {
  text: string;
  transcript?: Notice['transcript'];
  actions: readonly Action[];
}

/** How a conversation looks to the one who types: on a screen, or in a pipe. */
export interface Face {
  readonly minEditMs: number;
  progress(note: string, about?: 'tool'): void;
  write(question: Question, piece: Piece): void;
  say(question: Question | undefined, said: Said): void;
  withdraw(question: Question): void;
  /** Whether something waits for its end. */
  setBusy(busy: boolean): void;
  /** Begins to listen to what is typed. */
  start(talk: Talk): void;
  /** Listens no longer; what is answered is still shown. */
  pause(): void;
  close(): void;
}

/** What a face does with what was typed. */
export interface Talk {
  /** A message, or a command when it begins with a slash. Resolves when it has been answered, whatever the answer. */
  send(line: string): Promise<void>;
  /** Ends the answer being written. */
  interrupt(): void;
  /** Resolves when everything has been answered. */
  idle(): Promise<void>;
  /** The person is done. */
  end(): void;
}
