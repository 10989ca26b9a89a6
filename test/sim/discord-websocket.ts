import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';

/** The server's side of RFC 6455, as far as a chat gateway needs it: whole text messages, pings, closing. */
export interface ServerSocket {
  send(text: string): void;
  close(code: number, reason?: string): void;
  /** Cuts the connection without a word. */
  drop(): void;
  onMessage(listener: (text: string) => void): void;
  onClose(listener: (code: number) => void): void;
}

const acceptSuffix = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const op = { more: 0, text: 1, close: 8, ping: 9, pong: 10 };
const abnormal = 1006;

export function acceptSocket(request: IncomingMessage, stream: Duplex): ServerSocket {
  const key = createHash('sha1').update(`${request.headers['sec-websocket-key']}${acceptSuffix}`).digest('base64');
  stream.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${key}\r\n\r\n`,
  );
  const messages = new Set<(text: string) => void>();
  const closes = new Set<(code: number) => void>();
  let closed = false;
  let waiting = Buffer.alloc(0);
  let parts: Buffer[] = [];

  function end(code: number): void {
    if (closed) return;
    closed = true;
    for (const listener of closes) listener(code);
    stream.destroy();
  }

  function onFrame(frame: Frame): void {
    if (frame.op === op.ping) stream.write(toFrame(op.pong, frame.payload));
    else if (frame.op === op.close) {
      stream.write(toFrame(op.close, frame.payload));
      end(frame.payload.length >= 2 ? frame.payload.readUInt16BE(0) : 1005);
    } else if (frame.op === op.text || frame.op === op.more) {
      parts.push(frame.payload);
      if (!frame.final) return;
      const text = Buffer.concat(parts).toString('utf8');
      parts = [];
      for (const listener of messages) listener(text);
    }
  }

  stream.on('data', (bytes: Buffer) => {
    waiting = Buffer.concat([waiting, bytes]);
    for (let frame = readFrame(waiting); frame !== undefined; frame = readFrame(waiting)) {
      waiting = waiting.subarray(frame.size);
      onFrame(frame);
    }
  });
  stream.on('error', () => end(abnormal));
  stream.on('close', () => end(abnormal));

  return {
    send(text) {
      if (!closed) stream.write(toFrame(op.text, Buffer.from(text)));
    },
    close(code, reason = '') {
      if (closed) return;
      const payload = Buffer.alloc(2 + Buffer.byteLength(reason));
      payload.writeUInt16BE(code, 0);
      payload.write(reason, 2);
      stream.write(toFrame(op.close, payload), () => end(code));
    },
    drop: () => end(abnormal),
    onMessage: (listener) => void messages.add(listener),
    onClose: (listener) => void closes.add(listener),
  };
}

interface Frame {
  op: number;
  final: boolean;
  payload: Buffer;
  size: number;
}

function readFrame(bytes: Buffer): Frame | undefined {
  if (bytes.length < 2) return undefined;
  const first = bytes.readUInt8(0);
  const second = bytes.readUInt8(1);
  const short = second & 0x7f;
  const extra = short === 126 ? 2 : short === 127 ? 8 : 0;
  const start = 2 + extra + 4;
  if (bytes.length < start) return undefined;
  const length = extra === 0 ? short : extra === 2 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2));
  if (bytes.length < start + length) return undefined;
  const mask = bytes.subarray(start - 4, start);
  const payload = Buffer.from(bytes.subarray(start, start + length));
  for (let at = 0; at < payload.length; at++) payload[at] = (payload[at] ?? 0) ^ (mask[at % 4] ?? 0);
  return { op: first & 0x0f, final: (first & 0x80) !== 0, payload, size: start + length };
}

function toFrame(code: number, payload: Buffer): Buffer {
  const { length } = payload;
  const size = length < 126 ? 2 : length < 65_536 ? 4 : 10;
  const head = Buffer.alloc(size);
  head[0] = 0x80 | code;
  if (size === 2) head[1] = length;
  else if (size === 4) {
    head[1] = 126;
    head.writeUInt16BE(length, 2);
  } else {
    head[1] = 127;
    head.writeBigUInt64BE(BigInt(length), 2);
  }
  return Buffer.concat([head, payload]);
}
