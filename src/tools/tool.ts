import { z } from 'zod';
import type { ChannelId } from '../event.ts';

/** OpenAI refuses a request with a longer one. What describes an argument may be of any length. */
export const mostDescriptionChars = 1024;

/** Something the model may call. */
export interface Tool {
  /** Letters, digits, `_` and `-`, at most 64. */
  name: string;
  /** At most `mostDescriptionChars`. */
  description: string;
  /** The arguments, as JSON Schema. */
  parameters: Record<string, unknown>;
  /**
   * Arguments as the model wrote them, parsed as JSON. What it returns is data for the model; what it throws the model
   * is told as an error it can act on: a `BotError`'s message, of anything else only that it failed.
   */
  run(args: unknown, call: ToolUse): Promise<string>;
}

/** In whose name and for how long. */
interface ToolUse {
  channel: ChannelId;
  signal: AbortSignal;
  now: number;
}

export interface ToolDefinition<S extends z.ZodType> {
  name: string;
  description: string;
  schema: S;
  run(args: z.output<S>, call: ToolUse): Promise<string>;
}

/** Some servers refuse a schema that says which dialect it is in. */
export function withoutDialect(schema: Record<string, unknown>): Record<string, unknown> {
  const { $schema: _, ...rest } = schema;
  return rest;
}

/** A tool whose arguments are checked before it runs: a `ZodError` says what is wrong with them. */
export function defineTool<S extends z.ZodType>({ name, description, schema, run }: ToolDefinition<S>): Tool {
  return {
    name,
    description,
    parameters: withoutDialect(z.toJSONSchema(schema)),
    async run(args, call) {
      const checked = schema.parse(args);
      try {
        return await run(checked, call);
      } catch (error) {
        // Of what the tool itself could not read the model must not think that its arguments were wrong.
        throw error instanceof z.ZodError ? new Error('unreadable', { cause: error }) : error;
      }
    },
  };
}
