import type { Accepted, CommandPost, DeletionPost, EditPost, MessagePost, Upload } from '../wire.ts';
import { type Message, put, without } from './entries.ts';
import { channelPath, newId, problemOf, send, sendFile } from './server.ts';
import { me } from './session.ts';
import type { Talk } from './talk.ts';

/** What a person does in a conversation. It is shown at once, and marked where it did not arrive. */

interface Unsent {
  post: MessagePost;
  uploads: readonly Upload[];
}

/** By the id of the message, for as long as it may have to be sent again. */
const unsent = new Map<string, Unsent>();

/** The message's id, where it arrived. */
export async function say(talk: Talk, text: string, uploads: readonly Upload[]): Promise<string | undefined> {
  const person = me.value?.person;
  if (person === undefined) return undefined;
  const post: MessagePost = { id: newId(), at: Date.now(), text, uploads: uploads.map(({ id }) => id) };
  const message: Message = {
    kind: 'message',
    id: `${person.id}.${post.id}`,
    at: post.at,
    person,
    text,
    attachments: uploads,
    edited: false,
    state: 'sending',
  };
  unsent.set(message.id, { post, uploads });
  talk.change((entries) => put(entries, message));
  return (await deliver(talk, message)) ? message.id : undefined;
}

/** The same message once more: the program knows it by its id. */
export async function sayAgain(talk: Talk, message: Message): Promise<void> {
  const { problem: _problem, ...sending } = message;
  await deliver(talk, { ...sending, state: 'sending' });
}

async function deliver(talk: Talk, message: Message): Promise<boolean> {
  const kept = unsent.get(message.id);
  if (kept === undefined) return false;
  talk.change((entries) => put(entries, message));
  try {
    await send<Accepted>('POST', channelPath(talk.key, '/messages'), kept.post);
    unsent.delete(message.id);
    talk.change((entries) => put(entries, { ...message, state: 'kept' }));
    return true;
  } catch (error) {
    talk.change((entries) => put(entries, { ...message, state: 'failed', problem: problemOf(error) }));
    return false;
  }
}

export function giveUp(talk: Talk, message: Message): void {
  unsent.delete(message.id);
  talk.change((entries) => without(entries, `message ${message.id}`));
}

export async function edit(talk: Talk, message: Message, text: string): Promise<void> {
  const post: EditPost = { id: newId(), at: Date.now(), messageId: message.id, text };
  await reported(talk, () => send('POST', channelPath(talk.key, '/edits'), post));
}

/** One's own message, or an answer to it. */
export async function remove(talk: Talk, messageId: string): Promise<void> {
  const post: DeletionPost = { id: newId(), at: Date.now(), messageId };
  await reported(talk, () => send('POST', channelPath(talk.key, '/deletions'), post));
}

/** `target`: what the button is about. */
export async function command(talk: Talk, line: string, target?: string): Promise<void> {
  const post: CommandPost = { id: newId(), at: Date.now(), line, ...(target === undefined ? {} : { target }) };
  await reported(talk, () => send('POST', channelPath(talk.key, '/commands'), post));
}

export async function upload(file: File): Promise<Upload> {
  return await sendFile<Upload>(`/api/uploads?name=${encodeURIComponent(file.name)}`, file);
}

/** What did not arrive is said where it was tried. */
async function reported(talk: Talk, act: () => Promise<unknown>): Promise<void> {
  try {
    await act();
  } catch (error) {
    const said = { text: `⚠️ ${problemOf(error)}`, private: true, actions: [], files: [] };
    const id = newId();
    talk.change((entries) => put(entries, { kind: 'said', id, question: id, at: Date.now(), ...said }));
  }
}
