import {
  ApplicationFlags,
  GatewayCloseCodes,
  type GatewayDispatchEvents,
  GatewayIntentBits,
  GatewayOpcodes,
  type GatewayReadyDispatchData,
} from 'discord-api-types/v10';
import type { ServerSocket } from './discord-websocket.ts';
import type { World } from './discord-world.ts';

/** The gateway: sessions that are identified, resumed, cut, and closed for good. */

export interface GatewayFaults {
  /** The next identify is closed with this code. */
  closeAtIdentify?: number;
  /** Heartbeats are not acknowledged. */
  deaf: boolean;
  /** No connection gets a hello. */
  mute: boolean;
  /** Each event is delivered so often. */
  copies: number;
  /** The developer portal has this privileged intent switched off. */
  noMessageContent: boolean;
}

export interface GatewayOptions {
  world: World;
  token: string;
  url: () => string;
  heartbeatMs: number;
}

interface Session {
  id: string;
  intents: number;
  shard: [number, number];
  sent: { seq: number; text: string }[];
  seq: number;
  socket: ServerSocket | undefined;
}

export type Gateway = ReturnType<typeof createGateway>;

export function createGateway({ world, token, url, heartbeatMs }: GatewayOptions) {
  const sessions = new Map<string, Session>();
  const sockets = new Set<ServerSocket>();
  const faults: GatewayFaults = { deaf: false, mute: false, copies: 1, noMessageContent: false };
  const counts = { identified: 0, resumed: 0 };
  let held: (() => void)[] | undefined;

  function dispatch(session: Session, t: string, d: unknown): void {
    session.seq++;
    const text = JSON.stringify({ op: GatewayOpcodes.Dispatch, s: session.seq, t, d });
    session.sent.push({ seq: session.seq, text });
    session.socket?.send(text);
  }

  function identify(socket: ServerSocket, d: Record<string, unknown>): void {
    if (faults.closeAtIdentify !== undefined) {
      socket.close(faults.closeAtIdentify);
      return;
    }
    if (d.token !== token) {
      socket.close(GatewayCloseCodes.AuthenticationFailed, 'Authentication failed.');
      return;
    }
    const intents = Number(d.intents);
    if (faults.noMessageContent && (intents & GatewayIntentBits.MessageContent) !== 0) {
      socket.close(GatewayCloseCodes.DisallowedIntents, 'Disallowed intent(s).');
      return;
    }
    const [index = 0, count = 1] = Array.isArray(d.shard) ? d.shard.map(Number) : [];
    const id = `session${world.newId()}`;
    const session: Session = { id, intents, shard: [index, count], sent: [], seq: 0, socket };
    sessions.set(id, session);
    counts.identified++;
    const mine = [...world.guilds.values()].filter((guild) => shardOf(guild.id, count) === index);
    const ready: GatewayReadyDispatchData = {
      v: 10,
      user: world.bot,
      guilds: mine.map((guild) => ({ id: guild.id, unavailable: true })),
      session_id: id,
      resume_gateway_url: url(),
      shard: [index, count],
      application: { id: world.bot.id, flags: ApplicationFlags.GatewayMessageContent, flags_new: '0' },
    };
    dispatch(session, 'READY', ready);
    for (const guild of mine) dispatch(session, 'GUILD_CREATE', guild);
  }

  function resume(socket: ServerSocket, d: Record<string, unknown>): void {
    const session = sessions.get(String(d.session_id));
    if (d.token !== token || session === undefined) {
      socket.send(JSON.stringify({ op: GatewayOpcodes.InvalidSession, d: false }));
      return;
    }
    session.socket = socket;
    counts.resumed++;
    for (const one of session.sent.filter(({ seq }) => seq > Number(d.seq))) socket.send(one.text);
    dispatch(session, 'RESUMED', {});
  }

  function onMessage(socket: ServerSocket, text: string): void {
    const { op, d } = JSON.parse(text);
    if (op === GatewayOpcodes.Heartbeat && !faults.deaf)
      socket.send(JSON.stringify({ op: GatewayOpcodes.HeartbeatAck }));
    if (op === GatewayOpcodes.Identify) identify(socket, d);
    if (op === GatewayOpcodes.Resume) resume(socket, d);
  }

  function live(): Session[] {
    return [...sessions.values()].filter((session) => session.socket !== undefined);
  }

  function emit(t: GatewayDispatchEvents, d: unknown, guildId: string | undefined): void {
    for (const session of sessions.values()) {
      if (guildId === undefined ? session.shard[0] !== 0 : shardOf(guildId, session.shard[1]) !== session.shard[0]) {
        continue;
      }
      for (let n = 0; n < faults.copies; n++) dispatch(session, t, d);
    }
  }

  return {
    faults,
    counts,
    connected: () => live().length,
    intents: () => live()[0]?.intents ?? 0,

    accept(socket: ServerSocket): void {
      sockets.add(socket);
      socket.onMessage((text) => onMessage(socket, text));
      socket.onClose((code) => {
        sockets.delete(socket);
        for (const session of sessions.values()) {
          if (session.socket !== socket) continue;
          session.socket = undefined;
          // A client that says goodbye ends its session; a broken line may be taken up again.
          if (code === 1000 || code === 1001) sessions.delete(session.id);
        }
      });
      if (!faults.mute)
        socket.send(JSON.stringify({ op: GatewayOpcodes.Hello, d: { heartbeat_interval: heartbeatMs } }));
    },

    emit(t: GatewayDispatchEvents, d: unknown, guildId: string | undefined): void {
      const frozen = structuredClone(d);
      if (held === undefined) emit(t, frozen, guildId);
      else held.push(() => emit(t, frozen, guildId));
    },

    /** What happens from now on is delivered by `release`, in the order it is given there. */
    hold(): void {
      held ??= [];
    },
    release(order: (count: number) => number[] = (count) => Array.from({ length: count }, (_, n) => n)): void {
      const waiting = held ?? [];
      held = undefined;
      for (const n of order(waiting.length)) waiting[n]?.();
    },

    drop(): void {
      for (const socket of sockets) socket.drop();
    },
    close(code: number): void {
      for (const socket of sockets) socket.close(code);
    },
    send: (op: GatewayOpcodes, d: unknown) => {
      for (const socket of sockets) socket.send(JSON.stringify({ op, d }));
    },
    /** No session can be resumed any more. */
    forgetSessions: () => sessions.clear(),
  };
}

function shardOf(guildId: string, count: number): number {
  return Number((BigInt(guildId) >> 22n) % BigInt(count));
}
