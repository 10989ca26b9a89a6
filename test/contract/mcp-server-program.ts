import { spawn } from 'node:child_process';
import { fromJsonSchema, McpServer } from '@modelcontextprotocol/server';
import { StdioServerTransport, serveStdio } from '@modelcontextprotocol/server/stdio';
import { z } from 'zod';

/** A real MCP server that can be told to misbehave. Run as a program it speaks over stdin and stdout. */

const text = (value: string) => ({ content: [{ type: 'text' as const, text: value }] });

export function createServer(): McpServer {
  const server = new McpServer(
    { name: 'tester', version: '1.0.0' },
    { capabilities: { tools: { listChanged: true } } },
  );
  const none = z.object({});
  const add = (name: string, run: () => unknown): void => {
    server.registerTool(name, { description: name, inputSchema: none }, async () => text(String(await run())));
  };

  server.registerTool(
    'echo',
    { description: 'Says it again', inputSchema: z.object({ text: z.string() }) },
    async ({ text: said }) => text(`you said ${said}`),
  );
  // Without a word of arguments.
  server.registerTool('plain', { inputSchema: fromJsonSchema({ type: 'object' }) }, async () => text('plain'));
  server.registerTool('mixed', { inputSchema: none }, async () => ({
    content: [
      { type: 'text', text: 'a picture:' },
      { type: 'image', mimeType: 'image/png', data: Buffer.alloc(3000).toString('base64') },
      { type: 'resource', resource: { uri: 'file:///notes.txt', text: 'the notes' } },
      { type: 'resource', resource: { uri: 'file:///a.bin', mimeType: 'application/zip', blob: 'AAAA' } },
      { type: 'resource_link', uri: 'https://example.org/', name: 'a page' },
    ],
  }));
  server.registerTool('fail', { inputSchema: none }, async () => ({ ...text('no such ticket'), isError: true }));
  add('hang', () => new Promise(() => undefined));
  add('die', () => process.exit(3));
  add('big', () => 'x'.repeat(200_000));
  add('huge', () => 'x'.repeat(5 << 20));
  add('spin', () => {
    for (;;);
  });
  add('environment', () => JSON.stringify(Object.keys(process.env).sort()));
  add('pid', () => process.pid);
  add('files.read', () => 'dotted');
  add('helper', () => {
    const helper = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'inherit' });
    return helper.pid;
  });
  add('learn', () => {
    add('learned', () => 'I can do more now');
    return 'learned';
  });
  return server;
}

if (import.meta.main) {
  process.stdout.write('a greeting that is no message\n');
  // Speaks the newest revision of the protocol alone.
  if (process.argv.includes('--newest')) serveStdio(createServer, { legacy: 'reject' });
  else await createServer().connect(new StdioServerTransport());
}
