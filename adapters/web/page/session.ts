import { signal } from '@preact/signals';
import type { Me, NamePost } from '../wire.ts';
import { get, send } from './server.ts';

/** Who sits here, and what they may do. */
export const me = signal<Me | undefined>(undefined);

export async function loadMe(): Promise<void> {
  me.value = await get<Me>('/api/me');
}

export async function rename(name: string): Promise<void> {
  const post: NamePost = { name };
  me.value = await send<Me>('POST', '/api/me', post);
}

export async function logOutEverybody(): Promise<void> {
  await send('POST', '/logout/everybody');
  location.assign('/login');
}

export async function leave(): Promise<void> {
  await send('POST', '/logout');
  location.assign('/login');
}
