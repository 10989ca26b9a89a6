import { placeLabel } from './weather-places.ts';
import type { Current, Forecast, Format, Place } from './weather-service.ts';

/** Weather in words, for the model to retell. */

export function currentText(place: Place, { current, timezone }: Current, format: Format): string {
  const unit = unitOf(format);
  const parts = [
    sky(current.weather_code),
    `${current.temperature_2m} ${unit}`,
    told(current.apparent_temperature, (value) => `feels like ${value} ${unit}`),
    told(current.relative_humidity_2m, (value) => `humidity ${value} %`),
    told(current.precipitation, (value) => `precipitation ${value} mm`),
    told(current.wind_speed_10m, (value) => `wind ${value} km/h`),
  ];
  return `${placeLabel(place)}, ${current.time} (${timezone}): ${parts.filter(Boolean).join(', ')}`;
}

export function forecastText(place: Place, { daily, timezone }: Forecast, format: Format): string {
  const unit = unitOf(format);
  const lines = daily.time.map((day, index) => {
    const parts = [
      sky(daily.weather_code[index]),
      told(daily.temperature_2m_min[index], (value) => `${value} to ${daily.temperature_2m_max[index] ?? '?'} ${unit}`),
      told(daily.precipitation_sum[index], (value) => `precipitation ${value} mm`),
      told(daily.precipitation_probability_max[index], (value) => `chance of it ${value} %`),
      told(daily.wind_speed_10m_max[index], (value) => `wind up to ${value} km/h`),
    ];
    return `${day}: ${parts.filter(Boolean).join(', ')}`;
  });
  return [`${placeLabel(place)}, days by the clock of ${timezone}:`, ...lines].join('\n');
}

function unitOf(format: Format): string {
  return format === 'celsius' ? '°C' : '°F';
}

function told(value: number | null | undefined, tell: (value: number) => string): string {
  return value === null || value === undefined ? '' : tell(value);
}

/** The World Meteorological Organization's codes, as the service uses them. */
const skies: Record<number, string> = {
  0: 'clear sky',
  1: 'mostly clear',
  2: 'partly cloudy',
  3: 'overcast',
  45: 'fog',
  48: 'freezing fog',
  51: 'light drizzle',
  53: 'drizzle',
  55: 'dense drizzle',
  56: 'light freezing drizzle',
  57: 'freezing drizzle',
  61: 'light rain',
  63: 'rain',
  65: 'heavy rain',
  66: 'light freezing rain',
  67: 'freezing rain',
  71: 'light snow',
  73: 'snow',
  75: 'heavy snow',
  77: 'snow grains',
  80: 'light showers',
  81: 'showers',
  82: 'violent showers',
  85: 'light snow showers',
  86: 'heavy snow showers',
  95: 'thunderstorm',
  96: 'thunderstorm with light hail',
  99: 'thunderstorm with heavy hail',
};

function sky(code: number | null | undefined): string {
  return code === null || code === undefined ? '' : (skies[code] ?? '');
}
