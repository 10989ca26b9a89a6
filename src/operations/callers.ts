import type { IncomingMessage } from 'node:http';
import { BlockList, isIP } from 'node:net';
import os from 'node:os';

/**
 * Who sends a request, and whether it is answered at all. Every port asks here before anything else looks at a request:
 * a page of another site must not reach the program by a name of its own that leads to this machine, and a proxy that
 * nobody vouched for must not make the whole world look like a program of this machine.
 */
export interface Callers {
  /** One sentence for whoever is refused; nothing for a request that may be answered. */
  refusal(request: CallerRequest): string | undefined;
  caller(request: CallerRequest): Caller;
}

export type CallerRequest = Pick<IncomingMessage, 'headers' | 'socket'>;

interface Caller {
  /** The address of the browser or program, behind the proxies in TRUSTED_PROXIES. */
  address: string;
  /** The name it was asked for, with its port. */
  host: string | undefined;
  /** The browser speaks TLS, up to the proxy at least. */
  secure: boolean;
}

interface CallerRules {
  /** Where the program listens. */
  host: string;
  /** Only programs of this machine reach it. */
  isLoopback: boolean;
  /** Nobody gets in without a password. */
  hasPassword: boolean;
  /** Addresses and ranges, as 10.0.0.0/8. */
  trustedProxies: readonly string[];
  /** What people type into their browser. */
  publicUrl: string | undefined;
}

const proxyHeader = /^(forwarded|via|x-real-ip|x-forwarded-.*)$/;
/** Longer chains of proxies are nobody's. */
const maxHops = 32;

export function createCallers(rules: CallerRules): Callers {
  const { isLoopback, hasPassword } = rules;
  const trusted = toBlockList(rules.trustedProxies);
  const publicUrl = rules.publicUrl === undefined ? undefined : new URL(rules.publicUrl);
  const names = new Set([rules.host, os.hostname()].map((name) => name.toLowerCase()));

  const isTrusted = (address: string): boolean =>
    isIP(address) !== 0 && trusted.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');

  function mayBeCalled(host: string | undefined): boolean {
    // No browser leaves the name out.
    if (host === undefined) return hasPassword;
    if (publicUrl !== undefined && host.toLowerCase() === publicUrl.host) return true;
    if (isOwnName(host)) return true;
    const name = nameOf(host);
    // Who can make an address or a name without a dot lead here owns the network.
    return !isLoopback && name !== undefined && (names.has(name) || isIP(name) !== 0 || /^[\w-]+$/.test(name));
  }

  function isByProxy({ headers, socket }: CallerRequest): boolean {
    return isTrusted(plainAddress(socket.remoteAddress)) && Object.keys(headers).some((name) => proxyHeader.test(name));
  }

  function caller(request: CallerRequest): Caller {
    const { headers, socket } = request;
    const peer = plainAddress(socket.remoteAddress);
    const isPublic = (host: string | undefined): boolean =>
      publicUrl?.protocol === 'https:' && host?.toLowerCase() === publicUrl.host;
    if (!isByProxy(request)) return { address: peer, host: headers.host, secure: isPublic(headers.host) };
    const hops = hopsOf(request);
    // From the right: what stands left of the first address that nobody vouches for was written by anybody.
    const given = hops.findLast((one) => !isTrusted(one.address)) ?? hops[0];
    const host = lastOf(headers['x-forwarded-host']) ?? given?.host ?? headers.host;
    const isTls = lastOf(headers['x-forwarded-proto'])?.toLowerCase() === 'https' || given?.secure === true;
    return { address: given?.address ?? peer, host, secure: isTls || isPublic(host) };
  }

  return {
    refusal(request) {
      const { headers } = request;
      if (!hasPassword && Object.keys(headers).some((name) => proxyHeader.test(name))) {
        return 'This request came through a proxy, and without a password only this machine is answered. Set APP_PASSWORD and ADMIN_PASSWORD.';
      }
      if (isByProxy(request) && namesTwoClients(request)) {
        return 'The proxy sends both Forwarded and X-Forwarded-For, and they differ. Let it send one of them.';
      }
      if (mayBeCalled(headers.host) && mayBeCalled(caller(request).host)) return undefined;
      return hasPassword
        ? 'This is not an address of mine. Set PUBLIC_URL to the address people use.'
        : 'Without a password the console answers only to localhost, 127.0.0.1 and [::1].';
    },
    caller,
  };
}

/** The names of this machine that lead nowhere else, with or without a port. */
function isOwnName(host: string): boolean {
  return /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d{1,5})?$/i.test(host);
}

function nameOf(host: string): string | undefined {
  const [, name, inner] = /^(\[([\da-f:.]+)\]|[^:[\]@/\s]+)(?::\d{1,5})?$/i.exec(host) ?? [];
  return (inner ?? name)?.toLowerCase();
}

interface Hop {
  address: string;
  secure?: boolean;
  host?: string | undefined;
}

/** As the proxies tell it, the client's own first; of what is no address, nothing left of it counts. */
function hopsOf({ headers }: CallerRequest): Hop[] {
  const chain = partsOf(headers['x-forwarded-for']);
  const hops =
    chain.length > 0 ? chain.map((one): Hop => ({ address: hopAddress(one) })) : forwardedHops(headers.forwarded);
  return hops.slice(hops.findLastIndex((one) => one.address === '') + 1);
}

function forwardedHops(header: string | undefined): Hop[] {
  return partsOf(header).map((part): Hop => {
    const fields = new Map(
      part.split(';').map((field): [string, string] => {
        const at = field.indexOf('=');
        const value = field.slice(at + 1).trim();
        return [field.slice(0, at).trim().toLowerCase(), value.replace(/^"(.*)"$/, '$1')];
      }),
    );
    const secure = fields.get('proto')?.toLowerCase() === 'https';
    return { address: hopAddress(fields.get('for') ?? ''), secure, host: fields.get('host') };
  });
}

/** Some proxies pass on what a client sends in the header that they do not write themselves. */
function namesTwoClients({ headers }: CallerRequest): boolean {
  const [one, other] = [partsOf(headers['x-forwarded-for']), forwardedHops(headers.forwarded)];
  if (one.length === 0 || other.length === 0) return false;
  return hopAddress(one.at(-1) ?? '') !== other.at(-1)?.address;
}

function partsOf(header: string | string[] | undefined): string[] {
  const parts = (Array.isArray(header) ? header.join(',') : (header ?? '')).split(',');
  return parts
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .slice(-maxHops);
}

function lastOf(header: string | string[] | undefined): string | undefined {
  return partsOf(header).at(-1);
}

/** Empty where it is no address; some proxies write its port behind it. */
function hopAddress(text: string): string {
  const [, inner] = /^\[([\da-f:.]+)\](?::\d{1,5})?$/i.exec(text) ?? [];
  const [, plain] = /^(\d{1,3}(?:\.\d{1,3}){3})(?::\d{1,5})?$/.exec(text) ?? [];
  const address = plainAddress(inner ?? plain ?? text);
  return isIP(address) === 0 ? '' : address;
}

/** An IPv4 address the same, whether or not the socket speaks IPv6. */
function plainAddress(address: string | undefined): string {
  const [plain = ''] = (address ?? '').replace(/^::ffff:(?=\d{1,3}\.)/i, '').split('%');
  return plain;
}

function toBlockList(ranges: readonly string[]): BlockList {
  const found = new BlockList();
  for (const range of ranges) {
    const [address = '', bits] = range.split('/');
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
    if (bits === undefined) found.addAddress(address, family);
    else found.addSubnet(address, Number(bits), family);
  }
  return found;
}
