import { isIP } from 'node:net';
import path from 'node:path';
import { z } from 'zod';
import { BotError } from './errors.ts';
import { type Platforms, toIds, workspaceProblem } from './id-lists.ts';

/**
 * The environment, parsed once. Every variable the program reads is a key of `variables`; a test holds `.env.example`
 * to the same list. Modules get the slice they need, never the environment.
 */

const text = z.string().trim();
const wholeNumber = (min: number, max: number) =>
  z
    .string()
    .trim()
    .regex(/^\d+$/, 'must be a whole number')
    .transform(Number)
    .pipe(z.number().min(min, `must be at least ${min}`).max(max, `must be at most ${max}`));
const decimal = (min: number, max: number) =>
  z
    .string()
    .trim()
    .regex(/^\d+(\.\d+)?$/, 'must be a number')
    .transform(Number)
    .pipe(z.number().min(min, `must be at least ${min}`).max(max, `must be at most ${max}`));
const list = text.transform((value) =>
  value
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== ''),
);
const httpUrl = text.refine((value) => URL.canParse(value) && /^https?:$/.test(new URL(value).protocol), {
  error: 'must be an http:// or https:// address',
});
const siteUrl = httpUrl.refine((value) => isSiteUrl(value), {
  error: 'must be an address without a path, a query or a password, such as https://bot.example.org',
});
const addressRanges = list.refine((ranges) => ranges.every(isAddressRange), {
  error: 'must be addresses or ranges, such as 127.0.0.1 or 10.0.0.0/8',
});
const headerId = text.regex(/^[\x21-\x7e]{1,200}$/, 'must be an id, without blanks');
const storeUrl = text.refine((value) => /^(memory:$|sqlite:.+)/s.test(value), {
  error: 'must be sqlite:PATH or memory:',
});
const password = text.pipe(z.string().min(8, 'must have at least 8 characters').max(1000, 'must be shorter'));
const timeZone = text.refine(
  (value) => {
    try {
      new Intl.DateTimeFormat('en', { timeZone: value });
      return true;
    } catch {
      return false;
    }
  },
  { error: 'must be a time zone such as Europe/Berlin or UTC' },
);

const variables = {
  OPENAI_API_KEY: text.optional(),
  OPENAI_BASE_URL: httpUrl.optional(),
  OPENAI_API_BASE: httpUrl.optional(),
  OPENAI_ORGANIZATION: headerId.optional(),
  OPENAI_PROJECT: headerId.optional(),
  OPENAI_MODEL: text.default('gpt-6-luna'),
  FALLBACK_MODELS: list.default([]),
  FOLD_MODEL: text.optional(),
  EMBEDDING_MODEL: text.optional(),
  SYSTEM_ROLE: text.default('You are a helpful assistant in a chat channel.'),
  ROLES_DIR: text.default('roles'),
  MEMORY_TOKENS: wholeNumber(200, 10_000_000).default(12_000),
  MEMORY_HIGH: wholeNumber(1, 10_000_000).optional(),
  MEMORY_LOW: wholeNumber(1, 10_000_000).optional(),
  SUMMARY_TOKENS: wholeNumber(1, 1_000_000).optional(),
  RECALL_TOKENS: wholeNumber(0, 1_000_000).optional(),
  MEMORY_ROUNDS: wholeNumber(1, 100_000).optional(),
  MODEL_CONTEXT_TOKENS: wholeNumber(500, 100_000_000).optional(),
  TIMEZONE: timeZone.default('UTC'),
  MAX_REPLY_TOKENS: wholeNumber(1, 1_000_000).default(1024),
  TEMPERATURE: decimal(0, 2).optional(),
  MODEL_FIRST_TOKEN_SECONDS: decimal(0.1, 3600).default(60),
  MODEL_IDLE_SECONDS: decimal(0.1, 3600).default(30),
  HOST: text.default('127.0.0.1'),
  PORT: wholeNumber(0, 65_535).default(7860),
  METRICS_PORT: wholeNumber(0, 65_535).optional(),
  PUBLIC_URL: siteUrl.optional(),
  TRUSTED_PROXIES: addressRanges.default([]),
  APP_PASSWORD: password.optional(),
  ADMIN_PASSWORD: password.optional(),
  STORE_URL: storeUrl.optional(),
  DATA_DIR: text.default('./data'),
  LISTEN: z.enum(['addressed', 'all'], { error: 'must be addressed or all' }).default('addressed'),
  ADMIN_USERS: list.default([]),
  ALLOWED_USERS: list.default([]),
  ALLOWED_ROLES: list.default([]),
  ALLOWED_CHANNELS: list.default([]),
  BLOCKED_USERS: list.default([]),
  ALLOWED_WORKSPACES: list.default([]),
  RESTRICTED_COMMANDS: list.default([]),
  BUDGET_USER_TOKENS: wholeNumber(1, 1_000_000_000_000).optional(),
  BUDGET_CHANNEL_TOKENS: wholeNumber(1, 1_000_000_000_000).optional(),
  BUDGET_WORKSPACE_TOKENS: wholeNumber(1, 1_000_000_000_000).optional(),
  BUDGET_WORKSPACE_USD: decimal(0.01, 1_000_000_000).optional(),
  BUDGET_TOTAL_TOKENS: wholeNumber(1, 1_000_000_000_000).optional(),
  BUDGET_TOTAL_USD: decimal(0.01, 1_000_000_000).optional(),
  PRICES_FILE: text.optional(),
  TOOLS: list.default([]),
  SQL_TOOL_FILE: text.optional(),
  MCP_CONFIG: text.optional(),
  WEATHER_URL: httpUrl.default('https://api.open-meteo.com/v1/forecast'),
  GEOCODING_URL: httpUrl.default('https://geocoding-api.open-meteo.com/v1/search'),
  RETENTION_DAYS: wholeNumber(1, 100_000).optional(),
  AUDIT_DAYS: wholeNumber(1, 100_000).default(365),
  CATCH_UP_MINUTES: wholeNumber(0, 1440).default(15),
  DISCORD_BOT_TOKEN: text.optional(),
  DISCORD_TOKEN: text.optional(),
  DISCORD_API_URL: httpUrl.optional(),
  SLACK_BOT_TOKEN: text.optional(),
  SLACK_APP_TOKEN: text.optional(),
  SLACK_SIGNING_SECRET: text.optional(),
  SLACK_PORT: wholeNumber(0, 65_535).default(3000),
  SLACK_API_URL: httpUrl.optional(),
  OLLAMA_URL: httpUrl.default('http://127.0.0.1:11434'),
  LOG_LEVEL: z
    .enum(['trace', 'debug', 'info', 'warn', 'error', 'silent'], {
      error: 'must be trace, debug, info, warn, error or silent',
    })
    .optional(),
  LOG_FORMAT: z.enum(['pretty', 'json'], { error: 'must be pretty or json' }).optional(),
};

const schema = z.object(variables);

export const variableNames = Object.keys(variables);

/** The variables whose values must never be shown. */
const secretNames = [
  'OPENAI_API_KEY',
  'DISCORD_BOT_TOKEN',
  'DISCORD_TOKEN',
  'SLACK_BOT_TOKEN',
  'SLACK_APP_TOKEN',
  'SLACK_SIGNING_SECRET',
  'APP_PASSWORD',
  'ADMIN_PASSWORD',
] as const;

export type Config = ReturnType<typeof toConfig>;

/** What is started: the platforms and the console, a conversation in the terminal, or JSON lines. */
export type Mode = 'serve' | 'chat' | 'lines';

/** Reads the environment; every problem is listed at once, by the variable's name, never with its value. */
export function parseConfig(environment: Record<string, string | undefined>, mode: Mode = 'serve'): Config {
  const given = Object.fromEntries(
    variableNames.map((name) => [name, environment[name]]).filter(([, value]) => value?.trim()),
  );
  const parsed = schema.safeParse(given);
  const issues = parsed.success ? [] : parsed.error.issues;
  // Of several problems of one variable, the later follow from the first.
  const bad = new Map(issues.toReversed().map((issue) => [String(issue.path[0]), issue.message]));
  // What is wrong by itself does not hide what the others are between them.
  const values = schema.parse(Object.fromEntries(Object.entries(given).filter(([name]) => !bad.has(name))));
  const lines = [
    ...[...bad].reverse().map(([name, message]) => `${name}: ${message}`),
    ...rules.filter(({ about }) => !about.some((name) => bad.has(name))).flatMap(({ check }) => check(values, mode)),
  ];
  if (lines.length > 0) {
    throw new BotError(
      'config',
      `the configuration has ${lines.length === 1 ? 'a problem' : 'problems'}:\n${lines.map((line) => `  - ${line}`).join('\n')}`,
    );
  }
  return toConfig(values, mode);
}

type Values = z.output<typeof schema>;

/** What values are to each other. Asked only where each of those it is about can be understood. */
interface Rule {
  about: readonly (keyof Values)[];
  check(values: Values, mode: Mode): string[];
}

const idLists = ['ADMIN_USERS', 'ALLOWED_USERS', 'ALLOWED_ROLES', 'ALLOWED_CHANNELS', 'BLOCKED_USERS'] as const;
const ownWorkspaces = ['web/console', 'terminal/local', 'lines/local'];
const tokenNames = ['DISCORD_BOT_TOKEN', 'DISCORD_TOKEN', 'SLACK_BOT_TOKEN'] as const;

const rules: readonly Rule[] = [
  {
    about: ['MEMORY_HIGH', 'MEMORY_TOKENS'],
    check: ({ MEMORY_HIGH: high, MEMORY_TOKENS: total }) =>
      when(high !== undefined && high > total, 'MEMORY_HIGH: must not be above MEMORY_TOKENS'),
  },
  {
    about: ['MEMORY_LOW', 'MEMORY_HIGH'],
    check: ({ MEMORY_LOW: low, MEMORY_HIGH: high }) =>
      when(low !== undefined && high !== undefined && low >= high, 'MEMORY_LOW: must be below MEMORY_HIGH'),
  },
  {
    about: ['MEMORY_LOW', 'MEMORY_HIGH', 'MEMORY_TOKENS'],
    check: ({ MEMORY_LOW: low, MEMORY_HIGH: high, MEMORY_TOKENS: total }) =>
      when(low !== undefined && high === undefined && low >= total, 'MEMORY_LOW: must be below MEMORY_TOKENS'),
  },
  ...(['SUMMARY_TOKENS', 'RECALL_TOKENS'] as const).map(
    (name): Rule => ({
      about: [name, 'MEMORY_TOKENS'],
      check: (values) =>
        when((values[name] ?? 0) > values.MEMORY_TOKENS / 2, `${name}: must not be above half of MEMORY_TOKENS`),
    }),
  ),
  {
    about: ['MODEL_CONTEXT_TOKENS', 'MEMORY_TOKENS', 'MAX_REPLY_TOKENS'],
    check: ({ MODEL_CONTEXT_TOKENS: window, MEMORY_TOKENS: total, MAX_REPLY_TOKENS: reply }) =>
      when(
        window !== undefined && total + reply > window,
        'MEMORY_TOKENS: with MAX_REPLY_TOKENS it is more than MODEL_CONTEXT_TOKENS',
      ),
  },
  {
    about: ['SLACK_BOT_TOKEN', 'SLACK_APP_TOKEN', 'SLACK_SIGNING_SECRET'],
    check({ SLACK_BOT_TOKEN: slack, SLACK_APP_TOKEN: socket, SLACK_SIGNING_SECRET: signing }) {
      if (slack === undefined) {
        const name = socket === undefined ? 'SLACK_SIGNING_SECRET' : 'SLACK_APP_TOKEN';
        return when((socket ?? signing) !== undefined, `${name}: needs SLACK_BOT_TOKEN beside it`);
      }
      const needs = 'SLACK_BOT_TOKEN: needs SLACK_APP_TOKEN (Socket Mode) or SLACK_SIGNING_SECRET (HTTP) beside it';
      return when((socket ?? signing) === undefined, needs);
    },
  },
  ...(['APP_PASSWORD', 'ADMIN_PASSWORD'] as const).map(
    (name): Rule => ({
      // One of them that can be understood is reason enough.
      about: [name],
      check(values) {
        const others = reachedByOthers(values);
        return when(others !== undefined && values[name] === undefined, `${name}: is needed where ${others}`);
      },
    }),
  ),
  ...idLists.map(
    (name): Rule => ({
      about: [name, ...tokenNames],
      check(values, mode) {
        const { problem } = toIds(values[name], platformsOf(values, mode));
        return problem === undefined ? [] : [`${name}: ${problem}`];
      },
    }),
  ),
  {
    about: ['ALLOWED_WORKSPACES'],
    check({ ALLOWED_WORKSPACES: workspaces }) {
      const problem = workspaceProblem(workspaces, ['discord', 'slack']);
      return problem === undefined ? [] : [`ALLOWED_WORKSPACES: ${problem}`];
    },
  },
];

function when(isSo: boolean, problem: string): string[] {
  return isSo ? [problem] : [];
}

/** Where a bare id can come from. The console's ids are made by the program and never typed into a list beside others. */
function platformsOf(values: Values, mode: Mode): Platforms {
  const { DISCORD_BOT_TOKEN, DISCORD_TOKEN, SLACK_BOT_TOKEN } = values;
  const withToken = [
    ...((DISCORD_BOT_TOKEN ?? DISCORD_TOKEN) === undefined ? [] : ['discord']),
    ...(SLACK_BOT_TOKEN === undefined ? [] : ['slack']),
  ];
  const alone = { serve: 'web', chat: 'terminal', lines: 'lines' }[mode];
  return {
    known: ['discord', 'slack', 'web', 'terminal', 'lines'],
    running: mode === 'lines' ? [...withToken, alone] : withToken.length > 0 ? withToken : [alone],
    chosenIds: mode === 'lines',
  };
}

/** Why others than this machine's programs reach the console, if they do. */
function reachedByOthers({ HOST, PUBLIC_URL, TRUSTED_PROXIES }: Values): string | undefined {
  if (!isLoopback(HOST)) return 'HOST is not this machine alone';
  if (TRUSTED_PROXIES.length > 0) return 'TRUSTED_PROXIES is set';
  if (PUBLIC_URL !== undefined && !isLoopback(new URL(PUBLIC_URL).hostname)) return 'PUBLIC_URL is not this machine';
  return undefined;
}

function isSiteUrl(value: string): boolean {
  if (!URL.canParse(value)) return false;
  const { pathname, search, hash, username, password: secret } = new URL(value);
  return pathname === '/' && search + hash + username + secret === '';
}

function isAddressRange(range: string): boolean {
  const [address = '', bits, ...more] = range.split('/');
  const family = isIP(address);
  if (family === 0 || more.length > 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 6 ? 128 : 32));
}

/** Reached by programs of this machine and by nobody else. */
export function isLoopback(host: string): boolean {
  return /^(localhost|127(\.\d{1,3}){3}|::1|\[::1\])$/i.test(host);
}

function toConfig(values: Values, mode: Mode) {
  const platforms = platformsOf(values, mode);
  return {
    model: {
      apiKey: values.OPENAI_API_KEY,
      baseUrl: values.OPENAI_BASE_URL ?? values.OPENAI_API_BASE,
      organization: values.OPENAI_ORGANIZATION,
      project: values.OPENAI_PROJECT,
      name: values.OPENAI_MODEL,
      fallbacks: values.FALLBACK_MODELS,
      foldName: values.FOLD_MODEL,
      embeddingName: values.EMBEDDING_MODEL,
      contextTokens: values.MODEL_CONTEXT_TOKENS,
      maxReplyTokens: values.MAX_REPLY_TOKENS,
      temperature: values.TEMPERATURE,
      firstTokenMs: values.MODEL_FIRST_TOKEN_SECONDS * 1000,
      idleMs: values.MODEL_IDLE_SECONDS * 1000,
    },
    memory: {
      tokens: values.MEMORY_TOKENS,
      high: values.MEMORY_HIGH,
      low: values.MEMORY_LOW,
      foldTokens: values.SUMMARY_TOKENS,
      recallTokens: values.RECALL_TOKENS,
      rounds: values.MEMORY_ROUNDS,
    },
    role: values.SYSTEM_ROLE,
    // Those that come along are found wherever the program is started.
    rolesDir: values.ROLES_DIR === 'roles' ? path.resolve(import.meta.dirname, '../roles') : values.ROLES_DIR,
    tools: {
      names: values.TOOLS,
      databaseFile: values.SQL_TOOL_FILE,
      mcpFile: values.MCP_CONFIG,
      forecastUrl: values.WEATHER_URL,
      geocodingUrl: values.GEOCODING_URL,
    },
    listen: values.LISTEN,
    timeZone: values.TIMEZONE,
    host: values.HOST,
    port: values.PORT,
    metricsPort: values.METRICS_PORT,
    publicUrl: values.PUBLIC_URL === undefined ? undefined : new URL(values.PUBLIC_URL).origin,
    trustedProxies: values.TRUSTED_PROXIES,
    passwords: { app: values.APP_PASSWORD, admin: values.ADMIN_PASSWORD },
    storeUrl: values.STORE_URL ?? `sqlite:${values.DATA_DIR}/channelore.db`,
    catchUpMs: values.CATCH_UP_MINUTES * 60_000,
    discord: { token: values.DISCORD_BOT_TOKEN ?? values.DISCORD_TOKEN, apiUrl: values.DISCORD_API_URL },
    slack: {
      botToken: values.SLACK_BOT_TOKEN,
      appToken: values.SLACK_APP_TOKEN,
      signingSecret: values.SLACK_SIGNING_SECRET,
      port: values.SLACK_PORT,
      apiUrl: values.SLACK_API_URL,
    },
    ollamaUrl: values.OLLAMA_URL,
    policy: {
      adminUsers: toIds(values.ADMIN_USERS, platforms).ids,
      allowedUsers: toIds(values.ALLOWED_USERS, platforms).ids,
      allowedRoles: toIds(values.ALLOWED_ROLES, platforms).ids,
      allowedChannels: toIds(values.ALLOWED_CHANNELS, platforms).ids,
      blockedUsers: toIds(values.BLOCKED_USERS, platforms).ids,
      // What is the program's own is always served.
      allowedWorkspaces: values.ALLOWED_WORKSPACES.length === 0 ? [] : [...values.ALLOWED_WORKSPACES, ...ownWorkspaces],
      restrictedCommands: values.RESTRICTED_COMMANDS,
    },
    budgets: {
      userTokens: values.BUDGET_USER_TOKENS,
      channelTokens: values.BUDGET_CHANNEL_TOKENS,
      workspaceTokens: values.BUDGET_WORKSPACE_TOKENS,
      workspaceUsd: values.BUDGET_WORKSPACE_USD,
      totalTokens: values.BUDGET_TOTAL_TOKENS,
      totalUsd: values.BUDGET_TOTAL_USD,
    },
    pricesFile: values.PRICES_FILE,
    retentionDays: values.RETENTION_DAYS,
    auditDays: values.AUDIT_DAYS,
    log: { level: values.LOG_LEVEL, format: values.LOG_FORMAT },
    secrets: secretNames.map((name) => values[name]).filter((value) => value !== undefined),
  };
}
