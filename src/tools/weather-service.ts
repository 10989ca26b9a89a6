import { z } from 'zod';
import { BotError } from '../errors.ts';

/** A weather service that speaks Open-Meteo's format: https://open-meteo.com/en/docs */
export interface WeatherService {
  /** At most a hundred, the likeliest first. */
  places(name: string, signal: AbortSignal): Promise<Place[]>;
  current(place: Place, format: Format, signal: AbortSignal): Promise<Current>;
  forecast(place: Place, format: Format, days: number, signal: AbortSignal): Promise<Forecast>;
}

export type Format = 'celsius' | 'fahrenheit';

const text = z.string().max(200);
const placeSchema = z.object({
  name: text,
  latitude: z.number(),
  longitude: z.number(),
  country: text.optional(),
  country_code: text.optional(),
  admin1: text.optional(),
  admin2: text.optional(),
  admin3: text.optional(),
  admin4: text.optional(),
  population: z.number().optional(),
});
const placesSchema = z.object({ results: z.array(placeSchema).max(100).default([]) });

const reading = z.number().nullable().optional();
const readings = z.array(z.number().nullable()).max(16).default([]);
const currentSchema = z.object({
  timezone: text,
  current: z.object({
    time: text,
    temperature_2m: z.number(),
    apparent_temperature: reading,
    relative_humidity_2m: reading,
    precipitation: reading,
    weather_code: reading,
    wind_speed_10m: reading,
  }),
});
const forecastSchema = z.object({
  timezone: text,
  daily: z.object({
    time: z.array(text).min(1).max(16),
    weather_code: readings,
    temperature_2m_min: readings,
    temperature_2m_max: readings,
    precipitation_sum: readings,
    precipitation_probability_max: readings,
    wind_speed_10m_max: readings,
  }),
});

export type Place = z.output<typeof placeSchema>;
export type Current = z.output<typeof currentSchema>;
export type Forecast = z.output<typeof forecastSchema>;

interface ServiceOptions {
  geocodingUrl: string;
  forecastUrl: string;
  limitMs: number;
}

export function createWeatherService({ geocodingUrl, forecastUrl, limitMs }: ServiceOptions): WeatherService {
  const ask = async <T>(base: string, path: string, query: Query, schema: z.ZodType<T>, signal: AbortSignal) =>
    await readJson(toUrl(base, path, query), schema, AbortSignal.any([signal, AbortSignal.timeout(limitMs)]), signal);
  const at = ({ latitude, longitude }: Place, format: Format) => ({
    latitude,
    longitude,
    temperature_unit: format,
    timezone: 'auto',
  });

  return {
    places: async (name, signal) =>
      (await ask(geocodingUrl, 'v1/search', { name, count: 100, language: 'en', format: 'json' }, placesSchema, signal))
        .results,
    current: async (place, format, signal) => {
      const current = Object.keys(currentSchema.shape.current.shape).filter((name) => name !== 'time');
      const query = { ...at(place, format), current: current.join(',') };
      return await ask(forecastUrl, 'v1/forecast', query, currentSchema, signal);
    },
    forecast: async (place, format, days, signal) => {
      const daily = Object.keys(forecastSchema.shape.daily.shape).filter((name) => name !== 'time');
      const query = { ...at(place, format), daily: daily.join(','), forecast_days: days };
      return await ask(forecastUrl, 'v1/forecast', query, forecastSchema, signal);
    },
  };
}

type Query = Record<string, string | number>;

/** The address may be of the service or of this very path. What it asks for itself, a key for instance, stays. */
function toUrl(base: string, path: string, query: Query): URL {
  const url = new URL(base);
  const before = url.pathname.replace(/(?<!\/)\/+$/, '');
  if (!before.endsWith(`/${path}`)) url.pathname = `${before}/${path}`;
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, String(value));
  return url;
}

const maxBytes = 1 << 20;

async function readJson<T>(url: URL, schema: z.ZodType<T>, limit: AbortSignal, asked: AbortSignal): Promise<T> {
  let body: string;
  try {
    // Where the service is, the operator decides, and not the service.
    const response = await fetch(url, { redirect: 'manual', signal: limit, headers: { accept: 'application/json' } });
    if (!response.ok) {
      await response.body?.cancel();
      throw toRefusal(response.status);
    }
    body = await readBody(response);
  } catch (error) {
    if (error instanceof BotError) throw error;
    if (asked.aborted) throw new BotError('stopped', 'the question was stopped', { cause: error });
    const what = limit.aborted ? 'took too long to answer' : 'cannot be reached';
    throw new BotError('tool', `the weather service ${what}`, { cause: error });
  }
  return parse(body, schema);
}

function toRefusal(status: number): BotError {
  if (status === 429) return new BotError('busy', 'the weather service has had too many requests; try again later');
  const redirect = status >= 300 && status < 400 ? ', which would lead elsewhere' : '';
  return new BotError('tool', `the weather service answered with status ${status}${redirect}`);
}

async function readBody(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > maxBytes) throw new BotError('tool', 'the weather service sent far more than was asked for');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function parse<T>(body: string, schema: z.ZodType<T>): T {
  try {
    return schema.parse(JSON.parse(body));
  } catch (error) {
    throw new BotError('tool', 'the weather service sent something unreadable', { cause: error });
  }
}
