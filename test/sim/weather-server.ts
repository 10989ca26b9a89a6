import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A weather service in Open-Meteo's format: its places are those it is given, its weather is always the same. */

export interface WeatherPlace {
  name: string;
  country?: string;
  admin1?: string;
}

export interface WeatherServer {
  /** For the geocoding and for the forecast. */
  url: string;
  /** Path and query of every request. */
  requests: string[];
  /** Until it is opened nothing is answered; resolves when something was asked for. */
  hold(): { asked: Promise<void>; open(): void };
  close(): Promise<void>;
}

export async function startWeatherServer(places: readonly WeatherPlace[]): Promise<WeatherServer> {
  const requests: string[] = [];
  let held: { asked: PromiseWithResolvers<void>; opened: PromiseWithResolvers<void> } | undefined;

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    response.on('error', () => undefined); // The client may go at any time.
    requests.push(request.url ?? '');
    held?.asked.resolve();
    await held?.opened.promise;
    const url = new URL(request.url ?? '', 'http://localhost');
    const body = url.pathname.endsWith('/search') ? found(places, url) : weather(url);
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  };
  const server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    hold() {
      const mine = { asked: Promise.withResolvers<void>(), opened: Promise.withResolvers<void>() };
      held = mine;
      return {
        asked: mine.asked.promise,
        open() {
          mine.opened.resolve();
          held = undefined;
        },
      };
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function found(places: readonly WeatherPlace[], url: URL): object {
  const wanted = (url.searchParams.get('name') ?? '').toLowerCase();
  const results = places
    .map((place, n) => ({
      id: n,
      latitude: 50 + n,
      longitude: n,
      country_code: 'XX',
      population: 1000 * (n + 1),
      ...place,
    }))
    .filter((place) => place.name.toLowerCase().startsWith(wanted));
  return results.length === 0 ? {} : { results };
}

function weather(url: URL): object {
  const days = Number(url.searchParams.get('forecast_days') ?? 0);
  const each = <T>(value: T): T[] => Array.from({ length: days }, () => value);
  return {
    timezone: 'Europe/London',
    current: { time: '2026-11-03T12:00', temperature_2m: Number(url.searchParams.get('latitude')), weather_code: 61 },
    daily: {
      time: each('').map((_, n) => `2026-11-0${n + 3}`),
      weather_code: each(3),
      temperature_2m_min: each(2),
      temperature_2m_max: each(9),
      precipitation_sum: each(0),
      precipitation_probability_max: each(10),
      wind_speed_10m_max: each(20),
    },
  };
}
