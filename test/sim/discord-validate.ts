/** What Discord refuses of a message, by its documentation. */

export interface Refusal {
  status: number;
  code: number;
  message: string;
  errors?: unknown;
}

const messageFields = new Set([
  'content',
  'nonce',
  'enforce_nonce',
  'tts',
  'embeds',
  'allowed_mentions',
  'message_reference',
  'components',
  'attachments',
  'flags',
]);
const suppressNotifications = 1 << 12;
const suppressEmbeds = 1 << 2;
const ephemeral = 1 << 6;
const knownFlags = suppressNotifications | suppressEmbeds | ephemeral;

export function invalid(message: string): Refusal {
  return { status: 400, code: 50035, message: `Invalid Form Body: ${message}` };
}

/** `isEdit`: what is absent stays as it was. */
export function refusalOf(body: Record<string, unknown>, files: number, isEdit: boolean): Refusal | undefined {
  const unknown = Object.keys(body).find((name) => !messageFields.has(name));
  if (unknown !== undefined) return invalid(`${unknown} is not a field of a message`);
  const { content } = body;
  if (content !== undefined && typeof content !== 'string') return invalid('content is no string');
  if (typeof content === 'string' && content.length > 2000) {
    return invalid('content: BASE_TYPE_MAX_LENGTH Must be 2000 or fewer in length.');
  }
  if (!isEdit && (content ?? '').trim() === '' && files === 0) {
    return { status: 400, code: 50006, message: 'Cannot send an empty message' };
  }
  if (isEdit && content !== undefined && content.trim() === '' && files === 0) {
    return { status: 400, code: 50006, message: 'Cannot send an empty message' };
  }
  if (files > 10) return invalid('attachments: more than 10');
  const { nonce } = body;
  if (nonce !== undefined && (typeof nonce !== 'string' || nonce.length > 25)) return invalid('nonce: 25 characters');
  if ((Number(body.flags ?? 0) & ~knownFlags) !== 0) return invalid('flags');
  return refusedMentions(body.allowed_mentions) ?? refusedComponents(body.components);
}

function refusedMentions(given: unknown): Refusal | undefined {
  if (given === undefined) return undefined;
  if (!isRecord(given) || !Array.isArray(given.parse)) return invalid('allowed_mentions');
  const known = ['parse', 'roles', 'users', 'replied_user'];
  return Object.keys(given).every((name) => known.includes(name)) ? undefined : invalid('allowed_mentions');
}

function refusedComponents(given: unknown): Refusal | undefined {
  if (given === undefined) return undefined;
  if (!Array.isArray(given) || given.length > 5) return invalid('components: at most 5 rows');
  const ids = new Set<unknown>();
  for (const row of given) {
    if (!isRecord(row) || row.type !== 1 || !Array.isArray(row.components)) return invalid('components: no row');
    if (row.components.length < 1 || row.components.length > 5) return invalid('components: 1 to 5 in a row');
    for (const button of row.components) {
      if (!isRecord(button) || button.type !== 2) return invalid('components: no button');
      const { style, label, custom_id: id } = button;
      if (typeof style !== 'number' || style < 1 || style > 4) return invalid('components: style');
      if (typeof label !== 'string' || label === '' || label.length > 80) return invalid('components: label');
      if (typeof id !== 'string' || id === '' || id.length > 100) return invalid('components: custom_id');
      if (ids.has(id)) return { status: 400, code: 50035, message: 'Component custom id cannot be duplicated' };
      ids.add(id);
    }
  }
  return undefined;
}

const optionFields = ['type', 'name', 'description', 'required', 'choices', 'options', 'autocomplete'];
const limitFields = ['min_value', 'max_value', 'min_length', 'max_length'];
const commandFields = ['name', 'description', 'type', 'options', 'contexts', 'integration_types'];
const nameForm = /^[-_\p{Ll}\p{Lo}\p{N}]{1,32}$/u;

/** A whole list of chat-input commands. */
export function refusedCommands(given: unknown): Refusal | undefined {
  if (!Array.isArray(given) || given.length > 100) return invalid('at most 100 commands');
  const names = new Set<unknown>();
  for (const command of given) {
    if (!isRecord(command)) return invalid('no command');
    const unknown = Object.keys(command).find((name) => !commandFields.includes(name));
    if (unknown !== undefined) return invalid(`${unknown} of a command`);
    if (names.has(command.name)) return invalid('two commands of one name');
    names.add(command.name);
    const refused = refusedNamed(command) ?? refusedOptions(command.options, 0);
    if (refused !== undefined) return refused;
    if (JSON.stringify(command).length > 8000) return invalid('a command of more than 8000 characters');
  }
  return undefined;
}

function refusedNamed(given: Record<string, unknown>): Refusal | undefined {
  const { name, description } = given;
  if (typeof name !== 'string' || !nameForm.test(name)) return invalid(`name ${String(name)}`);
  if (typeof description !== 'string' || description === '' || description.length > 100) {
    return invalid(`description of ${name}`);
  }
  return undefined;
}

function refusedOptions(given: unknown, depth: number): Refusal | undefined {
  if (given === undefined) return undefined;
  if (!Array.isArray(given) || given.length > 25) return invalid('at most 25 options');
  const isGroup = given.some((option) => isRecord(option) && Number(option.type) <= 2);
  let optionalSeen = false;
  for (const option of given) {
    if (!isRecord(option)) return invalid('no option');
    const unknown = Object.keys(option).find((name) => ![...optionFields, ...limitFields].includes(name));
    if (unknown !== undefined) return invalid(`${unknown} of an option`);
    const refused = refusedNamed(option) ?? refusedChoices(option);
    if (refused !== undefined) return refused;
    const type = Number(option.type);
    if (isGroup !== type <= 2) return invalid('subcommands beside options');
    if (type <= 2 && depth > 1) return invalid('nested too deep');
    if (type > 2 && option.required === true && optionalSeen) return invalid('required after optional');
    optionalSeen ||= option.required !== true;
    const inner = refusedOptions(option.options, depth + 1);
    if (inner !== undefined) return inner;
  }
  return undefined;
}

function refusedChoices(option: Record<string, unknown>): Refusal | undefined {
  const { choices } = option;
  if (choices === undefined) return undefined;
  if (option.autocomplete === true) return invalid('choices and autocomplete');
  if (!Array.isArray(choices) || choices.length > 25) return invalid('at most 25 choices');
  const isGood = choices.every(
    (one) => isRecord(one) && String(one.name).length <= 100 && String(one.value).length <= 100,
  );
  return isGood ? undefined : invalid('choices');
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
