import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import {
  deserializeMessage,
  type JSONRPCMessage,
  serializeMessage,
  type Transport,
} from '@modelcontextprotocol/client';
import type { ChildSpec } from './mcp-config.ts';

/**
 * An MCP server that runs as a child and speaks over its stdin and stdout. It leads a process group of its own: what it
 * starts ends with it, also where it is only a starter (npx, a shell).
 */

const maxMessageBytes = 4 << 20;
const patienceMs = 2000;

export function createChildTransport(spec: ChildSpec, onLine: (line: string) => void): Transport {
  const parts: Buffer[] = [];
  let bytes = 0;
  let child: ChildProcess | undefined;
  let exited: Promise<void> = Promise.resolve();
  const transport: Transport = {
    async start() {
      const started = spawn(spec.command, spec.args, {
        cwd: spec.cwd,
        env: { PATH: process.env.PATH, HOME: process.env.HOME, ...spec.env },
        stdio: 'pipe',
        detached: true,
        windowsHide: true,
      });
      child = started;
      exited = new Promise((resolve) => {
        started.once('exit', () => resolve());
        started.once('error', () => resolve());
      });
      started.stdin.on('error', onError);
      started.stdout.on('error', onError);
      started.stdout.on('data', read);
      createInterface({ input: started.stderr }).on('line', onLine);
      await new Promise<void>((resolve, reject) => {
        started.once('spawn', resolve);
        started.once('error', reject);
      });
      // Not `close`, which waits for all that hold its pipes.
      void exited.then(() => {
        killGroup(started);
        transport.onclose?.();
      });
    },

    async send(message: JSONRPCMessage) {
      const stdin = child?.stdin;
      if (!stdin?.writable) throw new Error('the server has ended');
      await new Promise<void>((resolve, reject) => {
        stdin.write(serializeMessage(message), (error) => (error ? reject(error) : resolve()));
      });
    },

    /** As the protocol wants it: first its input ends, then it is asked to end, then it is ended. */
    async close() {
      const ending = child;
      if (ending === undefined) return;
      ending.stdin?.end();
      if (await within(exited, patienceMs / 4)) return;
      killGroup(ending, 'SIGTERM');
      if (await within(exited, patienceMs)) return;
      killGroup(ending);
      await exited;
    },
  };

  const onError = (error: Error): void => transport.onerror?.(error);

  /** Each line is a message; one that is none, a greeting for instance, is passed over. */
  function read(chunk: Buffer): void {
    let from = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, from)) {
      parts.push(chunk.subarray(from, end));
      const line = Buffer.concat(parts.splice(0)).toString();
      bytes = 0;
      from = end + 1;
      passOn(line);
    }
    parts.push(chunk.subarray(from));
    bytes += chunk.length - from;
    // More than it may say at once: it is not listened to any longer.
    if (bytes > maxMessageBytes && child !== undefined) killGroup(child);
  }

  function passOn(line: string): void {
    try {
      transport.onmessage?.(deserializeMessage(line));
    } catch (error) {
      onError(error instanceof Error ? error : new Error(String(error)));
    }
  }

  return transport;
}

function killGroup(child: ChildProcess, signal: 'SIGTERM' | 'SIGKILL' = 'SIGKILL'): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // Nobody of the group is left, or the system knows no groups.
    child.kill(signal);
  }
}

async function within(work: Promise<void>, ms: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => resolve(false), ms);
  void work.then(() => resolve(true));
  return await promise.finally(() => clearTimeout(timer));
}
