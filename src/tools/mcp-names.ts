import { createHash } from 'node:crypto';

const maxChars = 64;

/** Each tool's name behind its server's, in letters that the chat API takes; the same however the list is ordered. */
export function toolNames(server: string, tools: readonly string[]): Map<string, string> {
  const wanted = tools.map((tool) => ({ tool, name: `${server}_${tool.replace(/[^A-Za-z0-9_-]/g, '_')}` }));
  return new Map(
    wanted.map(({ tool, name }) => {
      const isOwn = name.length <= maxChars && wanted.filter((other) => other.name === name).length === 1;
      return [tool, isOwn ? name : withMark(name, tool)];
    }),
  );
}

function withMark(name: string, tool: string): string {
  const mark = createHash('sha256').update(tool).digest('hex').slice(0, 6);
  return `${name.slice(0, maxChars - mark.length - 1)}_${mark}`;
}
