import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, afterEach, before, test } from 'node:test';
import { BotError } from '../../src/errors.ts';
import { toChannelId } from '../../src/event.ts';
import { createWeatherTools } from '../../src/tools/weather.ts';

/** The weather tools against a server that speaks Open-Meteo's format on loopback. */

const places = [
  {
    name: 'Paris',
    latitude: 48.85,
    longitude: 2.35,
    country: 'France',
    country_code: 'FR',
    admin1: 'Île-de-France',
    population: 2138551,
    timezone: 'Europe/Paris',
    postcodes: ['75001'],
  },
  {
    name: 'Paris',
    latitude: 33.66,
    longitude: -95.55,
    country: 'United States',
    country_code: 'US',
    admin1: 'Texas',
    population: 24782,
  },
  { name: 'Parisot', latitude: 44.26, longitude: 1.85, country: 'France', country_code: 'FR', population: 500 },
  {
    name: 'Springfield',
    latitude: 37.2,
    longitude: -93.3,
    country: 'United States',
    country_code: 'US',
    admin1: 'Missouri',
    population: 166810,
  },
  {
    name: 'Springfield',
    latitude: 42.1,
    longitude: -72.6,
    country: 'United States',
    country_code: 'US',
    admin1: 'Massachusetts',
    population: 155929,
  },
  {
    name: 'San Francisco',
    latitude: 37.77,
    longitude: -122.42,
    country: 'United States',
    country_code: 'US',
    admin1: 'California',
    population: 864816,
  },
  {
    name: 'San Francisco',
    latitude: 9.9,
    longitude: -84.0,
    country: 'Costa Rica',
    country_code: 'CR',
    admin1: 'Heredia',
    population: 55923,
  },
];

const asked: URL[] = [];
let special: ((request: IncomingMessage, response: ServerResponse) => void) | undefined;

const server = createServer((request, response) => {
  const url = new URL(request.url ?? '/', 'http://weather');
  asked.push(url);
  if (special !== undefined) return special(request, response);
  response.setHeader('content-type', 'application/json');
  if (url.pathname === '/geo/v1/search') {
    const name = (url.searchParams.get('name') ?? '').toLowerCase();
    const results = places.filter((place) => place.name.toLowerCase().startsWith(name));
    return response.end(JSON.stringify(results.length === 0 ? { generationtime_ms: 0.2 } : { results }));
  }
  if (url.pathname !== '/v1/forecast') return response.writeHead(404).end('{}');
  const warm = url.searchParams.get('temperature_unit') === 'fahrenheit' ? 68 : 20;
  if (url.searchParams.has('current')) {
    const current = {
      time: '2026-11-21T14:30',
      interval: 900,
      temperature_2m: warm,
      weather_code: 61,
      wind_speed_10m: 12.5,
    };
    return response.end(JSON.stringify({ timezone: 'Europe/Paris', current, elevation: 38 }));
  }
  const days = Number(url.searchParams.get('forecast_days'));
  const time = Array.from({ length: days }, (_, index) => `2026-11-${21 + index}`);
  const all = (value: number) => time.map(() => value);
  const daily = {
    time,
    weather_code: all(3),
    temperature_2m_min: all(warm - 9),
    temperature_2m_max: all(warm),
    precipitation_sum: time.map(() => null),
  };
  response.end(JSON.stringify({ timezone: 'Europe/Paris', daily }));
});

let base = '';
before(async () => {
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
after(() => {
  server.closeAllConnections();
  server.close();
});
afterEach(() => {
  asked.length = 0;
  special = undefined;
});

const channel = toChannelId({ platform: 'test', workspace: 'w', channel: 'c' });

async function call(name: string, args: unknown, { limitMs = 5000, signal = new AbortController().signal } = {}) {
  const tools = createWeatherTools({
    geocodingUrl: `${base}/geo/`,
    forecastUrl: `${base}/v1/forecast?apikey=k1`,
    limitMs,
  });
  const tool = tools.find((one) => one.name === name);
  assert.ok(tool);
  return await tool.run(args, { channel, signal, now: 0 });
}

const now = (location: string, format = 'celsius') => call('get_current_weather', { location, format });
const said = (kind: string, words: RegExp) => (error: unknown) =>
  error instanceof BotError && error.kind === kind && words.test(error.message);

test('the weather of a city is told in the unit asked for', async () => {
  assert.match(
    await now('Paris'),
    /^Paris, Île-de-France, France, 2026-11-21T14:30 .*light rain, 20 °C.*wind 12.5 km\/h/,
  );
  assert.match(await now('paris', 'fahrenheit'), /68 °F/);
  assert.equal(asked.at(-1)?.searchParams.get('latitude'), '48.85');
});

test('what the service address itself asks for, a key for instance, is sent along', async () => {
  await now('Paris');
  assert.deepEqual(
    asked.map((url) => [url.pathname, url.searchParams.get('apikey')]),
    [
      ['/geo/v1/search', null],
      ['/v1/forecast', 'k1'],
    ],
  );
});

test('a state or a country says which place is meant, spelled out or short', async () => {
  assert.match(await now('Paris, Texas'), /^Paris, Texas, United States/);
  assert.match(await now('Paris, TX, USA'), /^Paris, Texas, United States/);
  assert.match(await now('San Francisco, CA'), /^San Francisco, California/);
  assert.match(await now('Paris, Ile de France'), /^Paris, Île-de-France/);
});

test('a name that several places share is answered with the choices, and nothing is guessed', async () => {
  const told = await now('Springfield');
  assert.match(
    told,
    /Ask the person.*\n- Springfield, Missouri, United States\n- Springfield, Massachusetts, United States$/s,
  );
  assert.equal(asked.length, 1);
});

test('a place that does not exist there is answered with those of its name, and an unknown one with what to ask', async () => {
  assert.match(await now('Paris, Norway'), /No place fits.*\n- Paris, Île-de-France, France\n- Paris, Texas/s);
  await assert.rejects(now('Qwrtz'), said('input', /no place of that name/));
  await assert.rejects(now(' , '), said('input', /names no place/));
});

test('a forecast has the days asked for, and leaves out what the service does not know', async () => {
  const told = await call('get_n_day_weather_forecast', { location: 'Paris', format: 'celsius', num_days: 5 });
  assert.equal(told.split('\n').length, 6);
  assert.match(told, /2026-11-25: overcast, 11 to 20 °C$/);
});

test('arguments that are missing or out of range are refused before the service is asked', async () => {
  for (const args of [{}, { location: '' }, { location: 'Paris', format: 'kelvin', num_days: 1 }]) {
    await assert.rejects(call('get_n_day_weather_forecast', args), { name: 'ZodError' });
  }
  for (const days of [0, 17, 2.5, 'x']) {
    const args = { location: 'Paris', format: 'celsius', num_days: days };
    await assert.rejects(call('get_n_day_weather_forecast', args), { name: 'ZodError' });
  }
  assert.deepEqual(asked, []);
});

test('the model is told to ask back for the place and the number of days', () => {
  const [current, forecast] = createWeatherTools({ geocodingUrl: base, forecastUrl: base });
  assert.match(current?.description ?? '', /not said for which place.*ask back/);
  assert.match(forecast?.description ?? '', /not said for how many days, ask back/);
  assert.deepEqual(forecast?.parameters.required, ['location', 'format', 'num_days']);
  assert.equal(forecast?.parameters.$schema, undefined, 'some servers refuse a schema that names its dialect');
});

test('a service that redirects elsewhere is not followed', async () => {
  special = (_, response) => response.writeHead(302, { location: `${base}/elsewhere` }).end();
  await assert.rejects(now('Paris'), said('tool', /would lead elsewhere/));
  assert.equal(asked.length, 1);
});

test('a service that hangs, at its first word or in the middle, is given up in time', async () => {
  special = () => undefined;
  await assert.rejects(
    call('get_current_weather', { location: 'Paris', format: 'celsius' }, { limitMs: 100 }),
    said('tool', /took too long/),
  );
  special = (_, response) => response.write('{"results":[');
  await assert.rejects(
    call('get_current_weather', { location: 'Paris', format: 'celsius' }, { limitMs: 100 }),
    said('tool', /took too long/),
  );
});

test('stopping the answer ends the request at once', async () => {
  const stop = new AbortController();
  special = () => stop.abort();
  const args = { location: 'Paris', format: 'celsius' };
  await assert.rejects(call('get_current_weather', args, { signal: stop.signal }), said('stopped', /stopped/));
});

test('a service that sends without end is cut off', async () => {
  special = (_, response) => {
    const write = (): void => {
      while (response.write(Buffer.alloc(1 << 16, 32)));
      response.once('drain', write);
    };
    write();
  };
  await assert.rejects(now('Paris'), said('tool', /far more than was asked/));
});

test('refusals, limits and rubbish of the service become sentences without its words', async () => {
  const cases: [number, string, string, RegExp][] = [
    [400, '{"error":true,"reason":"secret words"}', 'tool', /status 400/],
    [429, '{}', 'busy', /too many requests/],
    [500, '<html>', 'tool', /status 500/],
    [200, '<html>', 'tool', /unreadable/],
    [200, '{"results":[{"name":"Paris"}]}', 'tool', /unreadable/],
  ];
  for (const [status, body, kind, words] of cases) {
    special = (_, response) => response.writeHead(status).end(body);
    await assert.rejects(now('Paris'), said(kind, words), body);
  }
  server.closeAllConnections();
});
