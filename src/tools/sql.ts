import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { z } from 'zod';
import { BotError } from '../errors.ts';
import type { Log } from '../log.ts';
import { createSqlReader, type SqlReader } from './sql-reader.ts';
import { schemaText } from './sql-schema.ts';
import { statementProblem } from './sql-statement.ts';
import { defineTool, mostDescriptionChars, type Tool } from './tool.ts';
import type { ToolSource } from './toolbox.ts';

/** `ask_database`: the model reads the operator's SQLite file, and only reads it. */
export interface DatabaseTool extends ToolSource {
  tools(): Promise<readonly Tool[]>;
  close(): Promise<void>;
}

interface DatabaseOptions {
  file: string;
  log: Log;
  /** For one query. */
  limitMs?: number;
}

const name = 'ask_database';
const limits = { rows: 100, chars: 16_000 };
const schemaMs = 10_000;

export async function openDatabaseTool({ file, log, limitMs = 5000 }: DatabaseOptions): Promise<DatabaseTool> {
  const path = resolve(file);
  const reader = createSqlReader(path);
  let known = await opened();
  let reading: Promise<void> | undefined;
  let isTroubled = false;

  /** When the file changed; the tool stays the same object where its tables did not. */
  async function refresh(): Promise<void> {
    const version = await versionOf(path);
    if (version === known.version) return;
    const schema = await readSchema(reader);
    known = { version, schema, tool: schema === known.schema ? known.tool : toTool(schema) };
  }

  function toTool(schema: string): Tool {
    return defineTool({
      name,
      ...described(schema),
      run: async ({ query }, { signal }) => await run(query, signal),
    });
  }

  async function run(sql: string, signal: AbortSignal): Promise<string> {
    const problem = statementProblem(sql);
    if (problem !== undefined) throw new BotError('input', problem);
    const reply = await reader.ask({ op: 'query', sql, limits }, limitMs, signal);
    switch (reply.kind) {
      case 'rows':
        return reply.text;
      case 'refused':
        throw new BotError('input', reply.reason);
      case 'failed':
        return `The query failed: ${reply.message}`;
      case 'tables':
        throw new BotError('bug', 'the database answered another question');
    }
  }

  async function opened() {
    try {
      const version = await versionOf(path);
      const schema = await readSchema(reader);
      return { version, schema, tool: toTool(schema) };
    } catch (error) {
      await reader.close();
      throw new BotError('config', 'SQL_TOOL_FILE: it cannot be read as a SQLite file', { cause: error });
    }
  }

  return {
    async tools() {
      try {
        reading ??= refresh().finally(() => {
          reading = undefined;
        });
        await reading;
        isTroubled = false;
      } catch (error) {
        // Gone or being replaced: a query will say so.
        if (!isTroubled) log.warn({ error }, 'SQL_TOOL_FILE cannot be read; its tables are offered as they were');
        isTroubled = true;
      }
      return [known.tool];
    },
    names: () => [name],
    close: reader.close,
  };
}

const purpose =
  'Answers questions from a database: give it one query in the SQL of SQLite, which may only read. If it fails, mend the query and try again.';
const bound = `At most ${limits.rows} rows come back: count, group and sort in the query.`;
const argument = 'One SELECT in the SQL of SQLite, as plain text';

/** The tables stand where there is room for them. */
function described(tables: string) {
  const whole = `${purpose}\n${bound} These are its tables:\n${tables}`;
  const fits = whole.length <= mostDescriptionChars;
  const query = z.string().describe(fits ? argument : `${argument}. These are the tables:\n${tables}`);
  return {
    description: fits ? whole : `${purpose}\n${bound} Its tables are told with the argument.`,
    schema: z.object({ query }),
  };
}

/** A journal beside the file may hold its latest state. */
async function versionOf(path: string): Promise<string> {
  const [main, journal] = await Promise.all([stat(path), stat(`${path}-wal`).catch(() => undefined)]);
  return [main.mtimeMs, main.size, main.ino, journal?.mtimeMs, journal?.size].join();
}

async function readSchema(reader: SqlReader): Promise<string> {
  const reply = await reader.ask({ op: 'tables' }, schemaMs, new AbortController().signal);
  if (reply.kind !== 'tables') throw new Error(`no tables, but ${reply.kind}`, { cause: reply });
  return schemaText(reply.tables);
}
