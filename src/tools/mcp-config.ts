import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { BotError } from '../errors.ts';
import { type ChannelId, channelParts } from '../event.ts';

/** The MCP servers the operator names, in a file of the form that most MCP clients read. */

interface Offer {
  /** As it begins the names of its tools. */
  name: string;
  /** Where its tools are offered, as patterns; without any, everywhere. */
  channels: readonly string[] | undefined;
  /** Which of its tools are offered, as patterns; without any, all. */
  tools: readonly string[] | undefined;
}

export interface ChildSpec extends Offer {
  kind: 'child';
  command: string;
  args: readonly string[];
  env: Readonly<Record<string, string>>;
  cwd: string | undefined;
}

export interface RemoteSpec extends Offer {
  kind: 'remote';
  url: string;
  headers: Readonly<Record<string, string>>;
}

export type McpServerSpec = ChildSpec | RemoteSpec;

const text = z.string().min(1);
const texts = z.record(text, z.string());
const offer = { channels: z.array(text).min(1).optional(), tools: z.array(text).min(1).optional() };
const childSchema = z.object({
  command: text,
  args: z.array(z.string()).default([]),
  env: texts.default({}),
  cwd: text.optional(),
  ...offer,
});
const remoteSchema = z.object({ url: z.url({ protocol: /^https?$/ }), headers: texts.default({}), ...offer });
const serversSchema = z.record(text, z.record(z.string(), z.unknown()));
const fileSchema = z.union([
  z.object({ servers: serversSchema }).transform(({ servers }) => servers),
  z.object({ mcpServers: serversSchema }).transform(({ mcpServers }) => mcpServers),
]);

type Environment = Record<string, string | undefined>;

export function readMcpConfig(file: string, environment: Environment): McpServerSpec[] {
  let content: string;
  try {
    content = readFileSync(file, 'utf8');
  } catch (error) {
    throw problem('the file cannot be read', error);
  }
  return parseMcpConfig(content, environment);
}

export function parseMcpConfig(content: string, environment: Environment): McpServerSpec[] {
  let json: unknown;
  try {
    json = JSON.parse(content);
  } catch (error) {
    throw problem('the file is no valid JSON', error);
  }
  const file = fileSchema.safeParse(json);
  if (!file.success) throw problem('the file must be of the form {"servers": {"name": {…}}}', file.error);
  const servers = Object.entries(file.data).map(([name, given]) => toSpec(name, given, environment));
  const names = servers.map((server) => server.name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw problem(`two servers are called ${twice}, once their names are made fit for tools`);
  return servers;
}

function toSpec(given: string, fields: Record<string, unknown>, environment: Environment): McpServerSpec {
  const name = toPrefix(given);
  if (name === '') throw problem(`the server ${JSON.stringify(given)} needs letters or digits in its name`);
  const isRemote = 'url' in fields;
  if (isRemote === 'command' in fields) throw problem(`the server ${name} needs either a command or a url`);
  const expand = (values: Record<string, string>) => expanded(name, values, environment);
  if (isRemote) {
    const { url, headers, channels, tools } = checked(name, remoteSchema, fields);
    return { kind: 'remote', name, url, headers: expand(headers), channels, tools };
  }
  const { command, args, env, cwd, channels, tools } = checked(name, childSchema, fields);
  return { kind: 'child', name, command, args, env: expand(env), cwd, channels, tools };
}

/** Without `_`, so that the first one in a tool's name ends the server's. */
function toPrefix(name: string): string {
  return name
    .replace(/[^A-Za-z0-9]+/g, '-')
    .replace(/^-|-$/g, '')
    .slice(0, 24);
}

function checked<T>(name: string, schema: z.ZodType<T>, fields: unknown): T {
  const parsed = schema.safeParse(fields);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw problem(`the server ${name}: ${issue?.path.map(String).join('.')}: ${issue?.message}`, parsed.error);
}

/** `${NAME}` is taken from the environment, so that a secret need not stand in the file. */
function expanded(server: string, values: Record<string, string>, environment: Environment): Record<string, string> {
  const expand = (value: string): string =>
    value.replace(/\$\{(\w+)\}/g, (_, name: string) => {
      const known = environment[name];
      if (known === undefined) throw problem(`the server ${server} wants \${${name}}, which is not set`);
      return known;
    });
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, expand(value)]));
}

function problem(words: string, cause?: unknown): BotError {
  return new BotError('config', `MCP_CONFIG: ${words}`, { cause });
}

/** What must not stand in a log. */
export function mcpSecrets(specs: readonly McpServerSpec[]): string[] {
  const values = specs.flatMap((spec) => Object.values(spec.kind === 'child' ? spec.env : spec.headers));
  return values.flatMap((value) => [value, ...value.split(/\s+/)]).filter((value) => value.length >= 8);
}

/**
 * `*` stands for anything. A pattern without a slash is a channel's own id; one with slashes is compared part by part
 * with `platform/workspace/channel/thread`, and covers what lies below it.
 */
export function isOfferedIn(patterns: readonly string[] | undefined, id: ChannelId): boolean {
  if (patterns === undefined) return true;
  const { platform, workspace, channel, thread } = channelParts(id);
  const parts = [platform, workspace, channel, ...(thread === undefined ? [] : [thread])];
  return patterns.some((pattern) => {
    const wanted = pattern.split('/');
    if (wanted.length === 1) return matches(pattern, channel);
    return wanted.every((part, index) => matches(part, parts[index] ?? ''));
  });
}

export function isNamed(patterns: readonly string[] | undefined, name: string): boolean {
  return patterns?.some((pattern) => matches(pattern, name)) ?? true;
}

function matches(pattern: string, value: string): boolean {
  const [first = '', ...others] = pattern.split('*');
  const last = others.pop();
  if (last === undefined) return value === first;
  if (!value.startsWith(first)) return false;
  let at = first.length;
  for (const part of others) {
    const start = value.indexOf(part, at);
    if (start === -1) return false;
    at = start + part.length;
  }
  return at + last.length <= value.length && value.endsWith(last);
}
