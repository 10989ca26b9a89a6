import { createHmac } from 'node:crypto';
import type { ServerSocket } from './discord-websocket.ts';
import { toRecord } from './slack-world.ts';

/** How events, commands and clicks reach the program: over its sockets, or as signed requests; again where unacknowledged. */

export interface Delivery {
  kind: 'events_api' | 'slash_commands' | 'interactive';
  payload: Record<string, unknown>;
  attempts: number;
  sentAt: number;
  /** What came back, and when. */
  ack: { at: number; body: unknown } | undefined;
  /** It came too late, or never. */
  failed: boolean;
}

export interface DeliveryFaults {
  /** On so many sockets each, or so many requests. */
  copies: number;
  /** The next is held back until the one after it has gone. */
  swap: boolean;
}

interface DeliveryOptions {
  now(): number;
  signingSecret: string;
  ackMs: number;
  /** How long until what was not acknowledged comes again. */
  retryMs: number;
  onAcknowledged(): void;
}

const mostAttempts = 4;

export function createDelivery(options: DeliveryOptions) {
  const { now } = options;
  const sockets = new Set<ServerSocket>();
  /** Also those that were not greeted. */
  const accepted = new Set<ServerSocket>();
  const deliveries: Delivery[] = [];
  /** What each request was answered with. */
  const answers = new Map<Delivery, number[]>();
  const byEnvelope = new Map<string, Delivery>();
  const waiting: Delivery[] = [];
  const unreached = new Set<Delivery>();
  const timers = new Set<NodeJS.Timeout>();
  const faults: DeliveryFaults = { copies: 1, swap: false };
  /** `gaps`: how often there was no socket any more. */
  const counts = { connected: 0, gaps: 0 };
  let requestUrl: string | undefined;
  let held: Delivery | undefined;
  let envelope = 0;
  let turn = 0;
  let closed = false;

  function later(ms: number, task: () => void): void {
    const timer = setTimeout(() => {
      timers.delete(timer);
      if (!closed) task();
    }, ms);
    timers.add(timer);
  }

  function acknowledge(delivery: Delivery, body: unknown): void {
    if (delivery.ack !== undefined) return;
    delivery.ack = { at: now(), body };
    delivery.failed = delivery.kind !== 'events_api' && now() - delivery.sentAt > options.ackMs;
    options.onAcknowledged();
  }

  function toSocket(delivery: Delivery, socket: ServerSocket): void {
    const id = `envelope-${++envelope}`;
    byEnvelope.set(id, delivery);
    const retry = { retry_attempt: delivery.attempts - 1, retry_reason: delivery.attempts > 1 ? 'timeout' : '' };
    const whole = { type: delivery.kind, envelope_id: id, payload: delivery.payload, accepts_response_payload: true };
    socket.send(JSON.stringify(delivery.kind === 'events_api' ? { ...whole, ...retry } : whole));
  }

  async function toUrl(delivery: Delivery, url: string): Promise<void> {
    const { body, type } = toBody(delivery);
    const headers = {
      ...sign(body),
      'content-type': type,
      ...(delivery.attempts > 1 ? { 'x-slack-retry-num': String(delivery.attempts - 1) } : {}),
    };
    const signal = AbortSignal.timeout(options.ackMs);
    const response = await fetch(url, { method: 'POST', body, headers, signal });
    const text = await response.text();
    answers.set(delivery, [...(answers.get(delivery) ?? []), response.status]);
    if (response.ok) acknowledge(delivery, text === '' ? undefined : text.startsWith('{') ? JSON.parse(text) : text);
  }

  /** Where nobody listens nothing was tried: a start may take long on a busy machine. */
  function noteUnreached(delivery: Delivery, error: unknown): void {
    if (!(error instanceof Error && error.name === 'TimeoutError')) unreached.add(delivery);
  }

  function attempt(delivery: Delivery): void {
    if (closed) return;
    delivery.attempts++;
    if (requestUrl !== undefined) {
      const url = requestUrl;
      for (let n = 0; n < faults.copies; n++)
        toUrl(delivery, url).catch((error: unknown) => noteUnreached(delivery, error));
    } else {
      const open = [...sockets];
      if (open.length === 0) {
        delivery.attempts--;
        waiting.push(delivery);
        return;
      }
      for (let n = 0; n < faults.copies; n++) {
        const socket = open[turn++ % open.length];
        if (socket !== undefined) toSocket(delivery, socket);
      }
    }
    later(options.retryMs, () => {
      if (delivery.ack !== undefined) return;
      if (unreached.delete(delivery)) delivery.attempts--;
      if (delivery.kind !== 'events_api' || delivery.attempts >= mostAttempts) delivery.failed = true;
      else attempt(delivery);
    });
  }

  function sign(body: string, at = Math.floor(now() / 1000)): Record<string, string> {
    const hash = createHmac('sha256', options.signingSecret).update(`v0:${at}:${body}`).digest('hex');
    return { 'x-slack-request-timestamp': String(at), 'x-slack-signature': `v0=${hash}` };
  }

  return {
    deliveries,
    answers,
    sockets,
    faults,
    counts,
    sign,

    send(kind: Delivery['kind'], payload: Record<string, unknown>): Delivery {
      const delivery: Delivery = { kind, payload, attempts: 0, sentAt: now(), ack: undefined, failed: false };
      deliveries.push(delivery);
      if (faults.swap) {
        faults.swap = false;
        held = delivery;
        return delivery;
      }
      attempt(delivery);
      if (held !== undefined) {
        const late = held;
        held = undefined;
        attempt(late);
      }
      return delivery;
    },

    /** The same again, whether it was acknowledged or not. */
    repeat(delivery: Delivery): void {
      attempt(delivery);
    },

    useUrl(url: string | undefined): void {
      requestUrl = url;
      for (const delivery of waiting.splice(0)) attempt(delivery);
    },

    accept(socket: ServerSocket, hello: boolean): void {
      socket.onMessage((text) => {
        const { envelope_id: id, payload } = toRecord(JSON.parse(text));
        const delivery = byEnvelope.get(String(id));
        if (delivery !== undefined) acknowledge(delivery, payload);
      });
      accepted.add(socket);
      socket.onClose(() => {
        accepted.delete(socket);
        if (sockets.delete(socket) && sockets.size === 0) counts.gaps++;
        options.onAcknowledged();
      });
      if (!hello) return;
      counts.connected++;
      sockets.add(socket);
      socket.send(
        JSON.stringify({ type: 'hello', num_connections: sockets.size, connection_info: { app_id: 'A0APP' } }),
      );
      for (const delivery of waiting.splice(0)) attempt(delivery);
    },

    /** Slack asks the program to connect anew. */
    refresh(): void {
      const text = JSON.stringify({ type: 'disconnect', reason: 'refresh_requested', debug_info: {} });
      for (const socket of sockets) socket.send(text);
    },

    drop(): void {
      for (const socket of sockets) socket.drop();
    },

    close(): void {
      closed = true;
      for (const timer of timers) clearTimeout(timer);
      for (const socket of accepted) socket.drop();
    },
  };
}

function toBody({ kind, payload }: Delivery): { body: string; type: string } {
  if (kind === 'events_api') return { body: JSON.stringify(payload), type: 'application/json' };
  const type = 'application/x-www-form-urlencoded';
  if (kind === 'interactive') {
    return { body: new URLSearchParams({ payload: JSON.stringify(payload) }).toString(), type };
  }
  const fields = Object.entries(payload).map(([name, value]): [string, string] => [name, String(value)]);
  return { body: new URLSearchParams(fields).toString(), type };
}
