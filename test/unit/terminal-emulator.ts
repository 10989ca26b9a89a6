import { Writable } from 'node:stream';

/** What a person would see: the little of a terminal that our output and readline's need. */
export function createEmulator(columns = 80, rows = 1_000) {
  const cells: string[][] = [[]];
  let row = 0;
  let column = 0;
  let raw = '';

  function move(by: { rows?: number; column?: number }): void {
    row = Math.max(0, row + (by.rows ?? 0));
    column = Math.max(0, by.column ?? column);
    while (cells.length <= row) cells.push([]);
  }

  function clearRow(from: number): void {
    cells[row] = Array.from({ length: Math.min(from, cells[row]?.length ?? 0) }, (_, i) => cells[row]?.[i] ?? ' ');
  }

  function control(parameter: string, letter: string): void {
    const n = Number(parameter) || 1;
    if (letter === 'A') move({ rows: -n });
    else if (letter === 'B') move({ rows: n });
    else if (letter === 'C') move({ column: Math.min(columns - 1, column + n) });
    else if (letter === 'D') move({ column: column - n });
    else if (letter === 'G') move({ column: n - 1 });
    else if (letter === 'J') {
      clearRow(column);
      cells.length = row + 1;
    } else if (letter === 'K') clearRow(parameter === '2' ? 0 : column);
    else if (!'mhl'.includes(letter)) throw new Error(`the emulator does not know ${parameter}${letter}`);
  }

  function print(character: string): void {
    if (character === '\n') move({ rows: 1, column: 0 });
    else if (character === '\r') move({ column: 0 });
    else {
      if (column >= columns) move({ rows: 1, column: 0 });
      const line = cells[row] ?? [];
      while (line.length < column) line.push(' ');
      line[column] = character;
      column++;
    }
  }

  function feed(text: string): void {
    raw += text;
    const [first = '', ...sequences] = text.split('\u001b[');
    for (const character of first) print(character);
    for (const sequence of sequences) {
      const [, parameter = '', letter = '', rest = ''] = /^([?\d;]*)(.)(.*)$/s.exec(sequence) ?? [];
      control(parameter, letter);
      for (const character of rest) print(character);
    }
  }

  const output = new Writable({
    decodeStrings: false,
    write(chunk: string | Buffer, _encoding, done) {
      feed(chunk.toString());
      done();
    },
  });
  return {
    output: Object.assign(output, { columns, rows }),
    /** Every byte so far. */
    raw: () => raw,
    seen: () =>
      cells
        .map((line) => line.join('').trimEnd())
        .join('\n')
        .trimEnd(),
  };
}
