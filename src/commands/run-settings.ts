import { withOpenSpan } from '../conversation/conversations.ts';
import { withChange } from '../conversation/head.ts';
import { withHead } from '../conversation/journal.ts';
import type { Profile } from '../conversation/profile.ts';
import type { BotError } from '../errors.ts';
import { type ChannelId, type Notice, parentChannel } from '../event.ts';
import { modelRefusal } from '../model/refusal.ts';
import type { StoredRecord } from '../storage/store.ts';
import { type CommandDeps, type Context, privately, publicly, type Result } from './context.ts';
import type { SettingValue } from './setting.ts';
import { chosenSettings, type Layer, settingNamed, settings } from './settings.ts';

/** What holds in a channel, changed and shown. */

const workspacePrefix = /^workspace\./i;

export async function showSettings({ deps, channel, profile }: Context): Promise<Result> {
  const layers = await layersOf(deps, channel);
  const { chosen, ignored } = chosenSettings(layers.map((layer) => layer.settings));
  const lines = settings.map((setting) => {
    const own = chosen.find((one) => one.setting.name === setting.name);
    const value = own?.value.shown ?? setting.shownIn(profile) ?? 'left to the provider';
    return `\`${setting.name.padEnd(18)}\` ${value}${own === undefined ? '' : ` (set for this ${layers[own.layer]?.name})`}`;
  });
  if (ignored.length > 0)
    lines.push(`⚠️ Stored, but no longer understood: ${ignored.join(', ')}. \`settings clear\` removes them.`);
  return privately(['**What holds here**', ...lines].join('\n'));
}

async function layersOf({ memory }: CommandDeps, channel: ChannelId): Promise<{ name: string; settings: Layer }[]> {
  const above = parentChannel(channel);
  const own = {
    name: above === undefined ? 'channel' : 'thread',
    settings: (await memory.conversations.read(channel)).head.settings,
  };
  const parent =
    above === undefined ? [] : [{ name: 'channel', settings: (await memory.conversations.read(above)).head.settings }];
  return [own, ...parent, { name: 'workspace', settings: await memory.workspaces.settings(channel) }];
}

export async function setSetting(context: Context): Promise<Result> {
  const { profile, by } = context;
  const { name, isWorkspace } = place(context);
  const setting = settingNamed(name);
  const value = setting.parse(String(context.values.value));
  await check(context, value, name);
  const where = isWorkspace ? 'for all channels of this workspace that have none of their own' : 'here';
  const line = `⚙️ ${by} set ${name} to ${value.shown} ${where}.`;
  const heard =
    name === 'listen' && value.stored === 'all'
      ? ' From now on I remember everything that is said, not only what is said to me.'
      : '';
  const result =
    name === 'listen'
      ? publicly(line + heard)
      : privately(
          `${line}${name === 'model' && profile.model !== value.stored ? ' An unknown model is undone with the next answer.' : ''}`,
        );
  await store(
    context,
    isWorkspace,
    `set ${name} to ${value.shown}`,
    (layer) => ({ ...layer, [name]: value.stored }),
    result.notice,
  );
  return result;
}

export async function clearSetting(context: Context): Promise<Result> {
  const { by } = context;
  const { name, isWorkspace } = place(context);
  const line = `⚙️ ${by} cleared ${name}${isWorkspace ? ' of the workspace' : ''}; what holds otherwise holds again.`;
  const result = name === 'listen' ? publicly(line) : privately(line);
  await store(context, isWorkspace, `cleared ${name}`, (layer) => without(layer, name), result.notice);
  return result;
}

function without(layer: Layer, name: string): Layer {
  return Object.fromEntries(Object.entries(layer).filter(([key]) => key !== name));
}

function place({ values }: Context): { name: string; isWorkspace: boolean } {
  const given = String(values.name).toLowerCase();
  return { name: given.replace(workspacePrefix, ''), isWorkspace: workspacePrefix.test(given) };
}

/** A value that would leave nothing to answer with is refused now, not at the next question. */
async function check({ deps, channel, profile, direct }: Context, value: SettingValue, name: string): Promise<void> {
  const changed: Profile = await value.applyTo(profile, deps.encode);
  const { tokens } = profile.memory;
  const fixedTokens = await deps.memory.fixedTokens(
    channel,
    { ...changed, memory: { ...changed.memory, tokens } },
    direct,
  );
  settingNamed(name).check(changed, { contextTokens: deps.model.contextTokens, fixedTokens });
}

async function store(
  { deps, channel, by, settle }: Context,
  isWorkspace: boolean,
  what: string,
  plan: (layer: Layer) => Layer,
  notice: Notice,
): Promise<void> {
  if (isWorkspace)
    return await deps.memory.workspaces.change(channel, (layer) => ({ ...plan(layer) }), [settle(notice)]);
  await changeHead(deps, channel, by, what, plan, [settle(notice)]);
}

async function changeHead(
  deps: CommandDeps,
  channel: ChannelId,
  by: string,
  what: string,
  plan: (layer: Layer) => Layer,
  also: StoredRecord[],
): Promise<void> {
  await deps.memory.conversations.change(channel, (state) => {
    const opened = withOpenSpan(state);
    const { head } = opened.state;
    const step = withHead(
      opened.state,
      withChange({ ...head, settings: { ...plan(head.settings) } }, { at: deps.now(), by, what }),
    );
    return { step: { ...step, records: [...opened.records, ...step.records] }, also, value: undefined };
  });
}

/** A model that the server does not know is taken back where it was set; answers what people are told. */
export async function undoUnknownModel(
  deps: CommandDeps,
  channel: ChannelId,
  error: BotError,
): Promise<string | undefined> {
  if (!modelRefusal(error)?.unknownModel) return undefined;
  const layers = await layersOf(deps, channel);
  const set = layers.find((layer) => 'model' in layer.settings);
  if (set === undefined) return undefined;
  const name = String(set.settings.model);
  const drop = (layer: Layer): Layer => without(layer, 'model');
  const above = parentChannel(channel);
  if (set.name === 'workspace') await deps.memory.workspaces.change(channel, (layer) => ({ ...drop(layer) }), []);
  else
    await changeHead(
      deps,
      set.name === 'channel' && above !== undefined ? above : channel,
      'I',
      `took back the unknown model ${name}`,
      drop,
      [],
    );
  const { model } = await deps.memory.profiles.of(channel);
  return `⚙️ There is no model “${name}”, so I took that setting back; ${model} answers again.`;
}
