import type { HttpBindings } from '@hono/node-server';
import type { Context } from 'hono';
import type { ChannelId } from '../../src/event.ts';
import type { ChannelRecord, ThreadRecord } from './own-channels.ts';
import type { Session } from './sessions.ts';

/** One of the things that can be asked of the console, and who may ask it. */

export type WebContext = Context<{ Bindings: HttpBindings }>;

export interface Visitor {
  person: Session['person'];
  admin: boolean;
  /** Where the requests come from. */
  address: string;
  /** The session's id. */
  session: string;
  /** Whose budget pays, where it is not the person's own. */
  payer: string | undefined;
  /** Whether the session still is what it was at the request: for what goes on afterwards. */
  holds(): boolean;
}

export interface OwnPlace {
  id: ChannelId;
  channel: ChannelRecord;
  thread: ThreadRecord | undefined;
}

interface Base {
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  path: string;
}

/** Who may ask is one thing; whether they may see or do it, the program's one policy for commands says. */
interface Permitted extends Base {
  /** The command that shows or does the same; nothing where the channel itself is read, or a command is run. */
  command: string | undefined;
}

/**
 * - `public`: anybody
 * - `console`: whoever may use the console; `admin`: whoever may look after everything
 * - `own`: as `console`, about one of the console's own channels, named by `:key`
 * - `any`: the same for the console's own channels, and as `admin` for those of other platforms
 */
export type Route =
  | (Base & { rights: 'public'; handle(c: WebContext): Promise<Response> })
  | (Base & { rights: 'console'; handle(c: WebContext, visitor: Visitor): Promise<Response> })
  | (Permitted & { rights: 'admin'; handle(c: WebContext, visitor: Visitor): Promise<Response> })
  | (Base & { rights: 'own'; handle(c: WebContext, visitor: Visitor, place: OwnPlace): Promise<Response> })
  | (Permitted & { rights: 'any'; handle(c: WebContext, visitor: Visitor, channel: ChannelId): Promise<Response> });

export function isApi(path: string): boolean {
  return path.startsWith('/api/');
}
