import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type CallerRequest, createCallers } from '../../src/operations/callers.ts';

/** Who sent a request, as far as what it says may be believed. */

const rules = {
  host: '0.0.0.0',
  isLoopback: false,
  hasPassword: true,
  trustedProxies: ['127.0.0.1', '10.0.0.0/8', 'fd00::/8'],
  publicUrl: 'https://bot.example.org',
};
const callers = createCallers(rules);

function from(remoteAddress: string, headers: CallerRequest['headers'] = {}): CallerRequest {
  return { socket: { remoteAddress } as CallerRequest['socket'], headers: { host: 'localhost', ...headers } };
}

test('an address is the peer’s own, whatever it says, unless it is a proxy of ours', () => {
  const headers = { 'x-forwarded-for': '203.0.113.7', 'x-forwarded-proto': 'https', forwarded: 'for=203.0.113.7' };
  for (const peer of ['198.51.100.9', '::ffff:198.51.100.9']) {
    const { address, secure } = callers.caller(from(peer, headers));
    assert.deepEqual([address, secure], ['198.51.100.9', false]);
  }
  assert.equal(callers.caller(from('127.0.0.1')).address, '127.0.0.1');
});

test('behind proxies of ours it is the last address that none of them vouches for', () => {
  const chains: [string, string][] = [
    ['203.0.113.7', '203.0.113.7'],
    ['1.1.1.1, 203.0.113.7', '203.0.113.7'],
    ['1.1.1.1, 203.0.113.7, 10.1.2.3, 10.0.0.9', '203.0.113.7'],
    ['10.0.0.1', '10.0.0.1'],
    ['10.0.0.2, 10.0.0.1', '10.0.0.2'],
    ['203.0.113.7:4711', '203.0.113.7'],
    ['2001:db8::1', '2001:db8::1'],
    ['[2001:db8::1]:443, fd00::5', '2001:db8::1'],
    ['::ffff:203.0.113.7', '203.0.113.7'],
    // Beyond what is no address nothing counts.
    ['1.1.1.1, unknown, 10.0.0.1', '10.0.0.1'],
    ['unknown', '127.0.0.1'],
    [', ,', '127.0.0.1'],
  ];
  for (const [chain, expected] of chains) {
    assert.equal(callers.caller(from('127.0.0.1', { 'x-forwarded-for': chain })).address, expected, chain);
  }
});

test('Forwarded is read as well, and refused where it says something else than X-Forwarded-For', () => {
  const chains: [string, string][] = [
    ['for=203.0.113.7;proto=https;host=bot.example.org', '203.0.113.7'],
    ['for=1.1.1.1, for="[2001:db8::1]:443";proto=https, for=10.0.0.1', '2001:db8::1'],
    ['For=203.0.113.7 ; Proto=https', '203.0.113.7'],
  ];
  for (const [forwarded, expected] of chains) {
    const { address, secure } = callers.caller(from('127.0.0.1', { forwarded }));
    assert.deepEqual([address, secure], [expected, true], forwarded);
  }
  const both = (other: string) =>
    callers.refusal(from('127.0.0.1', { forwarded: `for=${other}`, 'x-forwarded-for': '203.0.113.7' }));
  assert.equal(both('203.0.113.7'), undefined);
  assert.match(both('1.1.1.1') ?? '', /they differ/);
});

test('TLS is what a proxy of ours says, or what the public address says of its own name', () => {
  assert.equal(callers.caller(from('127.0.0.1', { 'x-forwarded-proto': 'https' })).secure, true);
  assert.equal(callers.caller(from('127.0.0.1', { 'x-forwarded-proto': 'http' })).secure, false);
  assert.equal(callers.caller(from('198.51.100.9', { host: 'bot.example.org' })).secure, true);
  const behind = from('127.0.0.1', { 'x-forwarded-for': '203.0.113.7', 'x-forwarded-host': 'bot.example.org' });
  assert.deepEqual(callers.caller(behind), { address: '203.0.113.7', host: 'bot.example.org', secure: true });
});

test('a name that a proxy of ours passes on is checked like any other', () => {
  const named = (host: string) => callers.refusal(from('127.0.0.1', { 'x-forwarded-host': host }));
  assert.equal(named('bot.example.org'), undefined);
  assert.match(named('evil.example') ?? '', /PUBLIC_URL/);
});

test('chains and names of any length are read in no time', () => {
  const long = '1.1.1.1,'.repeat(100_000);
  assert.equal(callers.caller(from('127.0.0.1', { 'x-forwarded-for': `${long}203.0.113.7` })).address, '203.0.113.7');
  for (const host of ['a'.repeat(100_000), `${'.'.repeat(100_000)}x`, `[${':'.repeat(100_000)}`, ' '.repeat(100_000)]) {
    callers.refusal(from('127.0.0.1', { host }));
    callers.refusal(from('127.0.0.1', { 'x-forwarded-for': host, forwarded: `for="${host}` }));
  }
});
