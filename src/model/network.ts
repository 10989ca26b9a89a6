import { readFileSync } from 'node:fs';
import http from 'node:http';
import tls from 'node:tls';
import { BotError } from '../errors.ts';

type Environment = Record<string, string | undefined>;

/** For the log. */
export interface NetworkNotes {
  applied: string[];
  /** What was set and has no effect. */
  ignored: string[];
}

/**
 * Makes `fetch` obey HTTPS_PROXY, HTTP_PROXY, NO_PROXY and NODE_EXTRA_CA_CERTS. Node by itself looks at the proxies only
 * when NODE_USE_ENV_PROXY is set, and at the certificates only before the program could read a `.env`. To be called
 * once, before the first request.
 */
export function applyNetworkEnvironment(environment: Environment): NetworkNotes {
  const applied = [applyProxies(environment), applyCertificates(environment)];
  return { applied: applied.filter((line) => line !== undefined), ignored: ignoredProxies(environment) };
}

/** Desktops set it for all programs: no reason not to start, but whoever counts on it must know. */
function ignoredProxies(environment: Environment): string[] {
  const { ALL_PROXY: all } = pick(environment, ['ALL_PROXY']);
  if (all === undefined || Object.keys(pick(environment, ['HTTPS_PROXY'])).length > 0) return [];
  const what = isSocks(all) ? 'it names a SOCKS proxy, which I do not speak' : 'I read HTTPS_PROXY and HTTP_PROXY only';
  return [`ALL_PROXY has no effect: ${what}; requests do not go through it`];
}

function isSocks(address: string): boolean {
  return /^socks/i.test(address);
}

function applyProxies(environment: Environment): string | undefined {
  const proxies = pick(environment, ['HTTP_PROXY', 'HTTPS_PROXY']);
  const names = Object.keys(proxies);
  if (names.length === 0) return undefined;
  for (const name of names) checkProxy(name, proxies[name] ?? '');
  const direct = Object.values(pick(environment, ['NO_PROXY']));
  // A model server on this machine is never meant to be reached through the proxy.
  const exceptions = [...direct, 'localhost', '127.0.0.1', '[::1]', '::1'].join(',');
  // Node 24 has it since 24.14 only.
  if (typeof http.setGlobalProxyFromEnv !== 'function') {
    if (environment.NODE_USE_ENV_PROXY === '1') return undefined;
    throw new BotError('config', `${names.join(', ')}: needs Node 24.14 or newer, or NODE_USE_ENV_PROXY=1`);
  }
  http.setGlobalProxyFromEnv({ ...proxies, NO_PROXY: exceptions });
  return `requests go through ${names.join(' and ')}`;
}

/** The small spelling wins, as with curl. */
function pick(environment: Environment, names: readonly string[]): Environment {
  const found = names.map((name) => [name, environment[name.toLowerCase()]?.trim() || environment[name]?.trim()]);
  return Object.fromEntries(found.filter(([, value]) => value));
}

/** Its value may hold a password, and is not repeated. */
function checkProxy(name: string, value: string): void {
  if (URL.canParse(value) && /^https?:$/.test(new URL(value).protocol)) return;
  if (isSocks(value)) {
    throw new BotError('config', `${name}: I do not speak SOCKS; set an http:// or https:// proxy, or remove it`);
  }
  throw new BotError('config', `${name}: must be an http:// or https:// address`);
}

function applyCertificates(environment: Environment): string | undefined {
  const path = environment.NODE_EXTRA_CA_CERTS?.trim();
  if (path === undefined || path === '' || tls.getCACertificates('extra').length > 0) return undefined;
  try {
    tls.setDefaultCACertificates([...tls.getCACertificates('default'), readFileSync(path, 'utf8')]);
  } catch (cause) {
    throw new BotError('config', 'NODE_EXTRA_CA_CERTS: the file cannot be read as PEM certificates', { cause });
  }
  return 'certificates of NODE_EXTRA_CA_CERTS are trusted';
}
