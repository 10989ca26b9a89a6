import { z } from 'zod';
import { BotError } from '../errors.ts';
import { defineTool, type Tool } from './tool.ts';
import { choosePlace, placeLabel, toWanted } from './weather-places.ts';
import { createWeatherService, type Place } from './weather-service.ts';
import { currentText, forecastText } from './weather-text.ts';

interface WeatherOptions {
  geocodingUrl: string;
  forecastUrl: string;
  /** For one request; a question takes two. */
  limitMs?: number;
}

const location = z
  .string()
  .trim()
  .min(1)
  .max(200)
  .describe('The place, with what tells it from others of its name: San Francisco, CA');
const format = z
  .enum(['celsius', 'fahrenheit'])
  .describe('The unit of temperature: the one usual at the place, unless the person wants another');
const askForPlace = 'If the person has not said for which place, do not guess one: ask back.';

export function createWeatherTools({ geocodingUrl, forecastUrl, limitMs = 8000 }: WeatherOptions): Tool[] {
  const service = createWeatherService({ geocodingUrl, forecastUrl, limitMs });

  async function withPlace(asked: string, signal: AbortSignal, tell: (place: Place) => Promise<string>) {
    const wanted = toWanted(asked);
    if (wanted.name === '') throw new BotError('input', 'location names no place; ask the person which one is meant');
    const choice = choosePlace(wanted, await service.places(wanted.name, signal));
    if (choice.kind === 'one') return await tell(choice.place);
    const places = choice.places.map((place) => `- ${placeLabel(place)}`);
    if (choice.kind === 'several') {
      return ['Several places have this name. Ask the person which one is meant:', ...places].join('\n');
    }
    if (places.length > 0) {
      return ['No place fits that. Ask the person whether one of these is meant:', ...places].join('\n');
    }
    throw new BotError('input', 'no place of that name is known; ask for its spelling, or for a larger place nearby');
  }

  return [
    defineTool({
      name: 'get_current_weather',
      description: `The weather at a place now. ${askForPlace}`,
      schema: z.object({ location, format }),
      run: async (args, { signal }) =>
        await withPlace(args.location, signal, async (place) =>
          currentText(place, await service.current(place, args.format, signal), args.format),
        ),
    }),
    defineTool({
      name: 'get_n_day_weather_forecast',
      description: `The weather at a place for the next days, today included. ${askForPlace} If the person has not said for how many days, ask back as well.`,
      schema: z.object({
        location,
        format,
        num_days: z.number().int().min(1).max(16).describe('How many days, from 1 to 16'),
      }),
      run: async (args, { signal }) =>
        await withPlace(args.location, signal, async (place) =>
          forecastText(place, await service.forecast(place, args.format, args.num_days, signal), args.format),
        ),
    }),
  ];
}
