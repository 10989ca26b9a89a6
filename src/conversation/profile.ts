import type { RequestSettings } from '../model/model.ts';
import type { MemorySettings } from './limits.ts';

/** Everything that decides how a channel is answered, resolved thread, channel, workspace, default. */
export interface Profile {
  role: string;
  model: string;
  maxReplyTokens: number;
  request: RequestSettings;
  memory: MemorySettings;
  listen: 'addressed' | 'all';
}
