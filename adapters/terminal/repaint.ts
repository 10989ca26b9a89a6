import { widthOf } from './width.ts';

/** How a text that stands on the screen becomes another one, planned without a screen. */

export interface Geometry {
  columns: number;
  rows: number;
  /** Where the text's first line begins. */
  startColumn: number;
}

export type Repaint =
  | { kind: 'append'; added: string }
  /** Back to the first line that differs, clear, and on with `text` from `column`. */
  | { kind: 'rewind'; up: number; column: number; text: string }
  /** What would have to change has scrolled away. */
  | { kind: 'anew' };

export function planRepaint(shown: string, next: string, geometry: Geometry): Repaint {
  if (next.startsWith(shown)) return { kind: 'append', added: next.slice(shown.length) };
  const lineStart = shown.slice(0, commonLength(shown, next)).lastIndexOf('\n') + 1;
  const column = lineStart === 0 ? geometry.startColumn : 0;
  const up = rowsBelow(shown.slice(lineStart), geometry.columns, column);
  if (up >= geometry.rows) return { kind: 'anew' };
  return { kind: 'rewind', up, column, text: next.slice(lineStart) };
}

function commonLength(one: string, other: string): number {
  let length = 0;
  while (length < one.length && one[length] === other[length]) length++;
  return length;
}

/** How many rows under its first one a text ends. */
function rowsBelow(text: string, columns: number, startColumn: number): number {
  let row = 0;
  let column = startColumn;
  for (const character of text) {
    if (character === '\n') {
      row++;
      column = 0;
      continue;
    }
    const width = character === '\t' ? 8 - (column % 8) : widthOf(character);
    if (column + width > columns) {
      row++;
      column = 0;
    }
    column += width;
  }
  return row;
}
