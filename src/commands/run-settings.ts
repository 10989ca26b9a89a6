import { withOpenSpan } from '../conversation/conversations.ts';
import { type Change, withChange } from '../conversation/head.ts';
import { withHead } from '../conversation/journal.ts';
import type { Profile } from '../conversation/profile.ts';
import { BotError } from '../errors.ts';
import { type ChannelId, type Notice, parentChannel } from '../event.ts';
import { modelRefusal } from '../model/refusal.ts';
import type { StoredRecord } from '../storage/store.ts';
import { type CommandDeps, type Context, privately, publicly, type Result } from './context.ts';
import { placesOf, whatHolds, without } from './layers.ts';
import type { SettingValue } from './setting.ts';
import { type Layer, settingNamed, settings } from './settings.ts';

/** What holds in a channel, changed and shown. */

const workspacePrefix = /^workspace\./i;

export async function showSettings({ deps, channel, profile }: Context): Promise<Result> {
  const { chosen, ignored } = whatHolds(await placesOf(deps, channel));
  const lines = settings.map((setting) => {
    const own = chosen.find((one) => one.setting.name === setting.name);
    const value = own?.value.shown ?? setting.shownIn(profile) ?? 'left to the provider';
    return `\`${setting.name.padEnd(18)}\` ${value}${own === undefined ? '' : ` (${own.from})`}`;
  });
  if (ignored.length > 0)
    lines.push(`⚠️ Stored, but no longer understood: ${ignored.join(', ')}. \`settings clear\` removes them.`);
  return privately(['**What holds here**', ...lines].join('\n'));
}

export async function setSetting(context: Context): Promise<Result> {
  const { profile, who, here } = context;
  const { name, isWorkspace } = place(context);
  const setting = settingNamed(name);
  const value = setting.parse(String(context.values.value));
  await check(context, value, name);
  const where = isWorkspace ? 'for all channels of this workspace that have none of their own' : `for ${here}`;
  const line = `⚙️ ${who} set ${name} to ${value.shown} ${where}.`;
  const heard =
    name === 'listen' && value.stored === 'all'
      ? ' From now on I remember everything that is said, not only what is said to me.'
      : '';
  const result =
    name === 'listen'
      ? publicly(line + heard)
      : privately(
          `${line}${name === 'model' && profile.model !== value.stored ? ' If the chat API does not know it, I take it back at the next question.' : ''}`,
        );
  await store(
    context,
    isWorkspace,
    `set ${name} to ${value.shown}${isWorkspace ? ' for the workspace' : ''}`,
    (layer) => ({ ...layer, [name]: value.stored }),
    result.notice,
  );
  return result;
}

export async function clearSetting(context: Context): Promise<Result> {
  const { deps, channel, who, here } = context;
  const { name, isWorkspace } = place(context);
  const where = isWorkspace ? 'the workspace' : here;
  const places = await placesOf(deps, channel);
  const own = isWorkspace ? places.at(-1) : places[0];
  if (own !== undefined && !Object.hasOwn(own.settings, name)) {
    throw new BotError(
      'input',
      `\`${name}\` is not set for ${where}; \`settings show\` tells what holds, and from where`,
    );
  }
  const line = `⚙️ ${who} cleared ${name} for ${where}; what holds otherwise holds again.`;
  const result = name === 'listen' ? publicly(line) : privately(line);
  const what = `cleared ${name}${isWorkspace ? ' for the workspace' : ''}`;
  await store(context, isWorkspace, what, (own) => without(own, name), result.notice);
  return result;
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
  settingNamed(name).check(changed, {
    contextTokens: deps.model.contextTokens,
    fixedTokens,
    toolNames: deps.memory.toolbox.names(),
  });
}

async function store(
  { deps, channel, changed, settle }: Context,
  isWorkspace: boolean,
  what: string,
  plan: (layer: Layer) => Layer,
  notice: Notice,
): Promise<void> {
  const change = changed(what);
  if (isWorkspace)
    await deps.memory.workspaces.change(channel, (layer) => ({ ...plan(layer) }), change, [settle(notice)]);
  else await changeHead(deps, channel, change, plan, [settle(notice)]);
}

async function changeHead(
  deps: CommandDeps,
  channel: ChannelId,
  change: Change,
  plan: (layer: Layer) => Layer,
  also: StoredRecord[],
): Promise<void> {
  await deps.memory.conversations.change(channel, (state) => {
    const opened = withOpenSpan(state);
    const { head } = opened.state;
    const step = withHead(opened.state, withChange({ ...head, settings: { ...plan(head.settings) } }, change));
    return { step: { ...step, records: [...opened.records, ...step.records] }, also, value: undefined };
  });
}

/**
 * A model that the server does not know is taken back where it was set, unless another one was set meanwhile; answers
 * what people are told. The one a preset names is its author's to change.
 */
export async function undoUnknownModel(
  deps: CommandDeps,
  channel: ChannelId,
  model: string,
  error: BotError,
): Promise<string | undefined> {
  if (!modelRefusal(error)?.unknownModel) return undefined;
  const places = await placesOf(deps, channel);
  const set = places.find((one) => 'model' in one.settings);
  const { preset } = whatHolds(places);
  if (set === undefined && preset?.settings.model === model) {
    return `⚙️ The preset **${preset.name}** names the model “${model}”, which is not there. \`role preset\` chooses another, or an admin sets the model with \`settings set model\`.`;
  }
  if (set === undefined || set.settings.model !== model) return undefined;
  const drop = (layer: Layer): Layer => (layer.model === model ? without(layer, 'model') : layer);
  const change = { at: deps.now(), by: 'I', what: `took back the unknown model ${model}` };
  const above = parentChannel(channel);
  const where = set.name === 'channel' && above !== undefined ? above : channel;
  if (set.name === 'workspace')
    await deps.memory.workspaces.change(channel, (layer) => ({ ...drop(layer) }), change, []);
  else await changeHead(deps, where, change, drop, []);
  const now = await deps.memory.profiles.of(channel);
  return `⚙️ There is no model “${model}”, so I took that setting back; ${now.model} answers again.`;
}
