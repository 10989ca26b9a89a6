import { type ChannelId, parentChannel } from '../event.ts';
import type { CommandDeps } from './context.ts';
import { type PresetLayer, withPreset } from './preset.ts';
import { chosenSettings, type Layer } from './settings.ts';

/** What was set here and above. */

interface Place extends PresetLayer {
  name: 'thread' | 'channel' | 'workspace';
  /** The name that was chosen, whether or not there is such a preset now. */
  chosen: string | undefined;
}

/** The nearest first. */
export async function placesOf({ memory, presets }: CommandDeps, channel: ChannelId): Promise<Place[]> {
  const place = async (name: Place['name'], one: ChannelId): Promise<Place> => {
    const { role, preset: chosen, settings } = (await memory.conversations.read(one)).head;
    return { name, role, chosen, preset: chosen === undefined ? undefined : await presets.find(chosen), settings };
  };
  const above = parentChannel(channel);
  const own = await place(above === undefined ? 'channel' : 'thread', channel);
  const settings = await memory.workspaces.settings(channel);
  return [
    own,
    ...(above === undefined ? [] : [await place('channel', above)]),
    { name: 'workspace', role: undefined, chosen: undefined, preset: undefined, settings },
  ];
}

/** What of it holds, and where each setting comes from. */
export function whatHolds(places: readonly Place[]) {
  const { preset, layers } = withPreset(places);
  const { chosen, ignored } = chosenSettings(layers);
  const origin = (layer: number): string => {
    const name = places[layer]?.name;
    return name === undefined ? `from the preset ${preset?.name}` : `set for this ${name}`;
  };
  return { preset, chosen: chosen.map((one) => ({ ...one, from: origin(one.layer) })), ignored };
}

export function without(layer: Layer, name: string): Layer {
  return Object.fromEntries(Object.entries(layer).filter(([key]) => key !== name));
}
