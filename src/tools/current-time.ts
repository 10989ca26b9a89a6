import { z } from 'zod';
import { BotError } from '../errors.ts';
import { defineTool, type Tool } from './tool.ts';

/** Models do not know what time it is. */
export function createCurrentTime(timeZone: string): Tool {
  return defineTool({
    name: 'current_time',
    description: `The date and the time now, with the weekday. Without a time zone: in ${timeZone}.`,
    schema: z.object({
      time_zone: z
        .string()
        .max(64)
        .optional()
        .describe('An IANA time zone, such as Europe/Berlin or America/New_York; only if another one is asked for'),
    }),
    run: async ({ time_zone: asked }, { now }) => timeText(now, asked?.trim() || timeZone),
  });
}

function timeText(now: number, timeZone: string): string {
  const local = formatOf(timeZone).format(now);
  return `${local} in ${timeZone}; ${new Date(now).toISOString().slice(0, 19)}Z`;
}

function formatOf(timeZone: string): Intl.DateTimeFormat {
  try {
    return new Intl.DateTimeFormat('en-GB', {
      timeZone,
      weekday: 'long',
      day: 'numeric',
      month: 'long',
      year: 'numeric',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
      hourCycle: 'h23',
      timeZoneName: 'longOffset',
    });
  } catch (error) {
    const text = 'there is no such time zone; it must be an IANA name such as Europe/Berlin';
    throw new BotError('input', text, { cause: error });
  }
}
