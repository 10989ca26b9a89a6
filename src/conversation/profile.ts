import type { RequestSettings, ToolChoice } from '../model/model.ts';
import type { MemorySettings } from './limits.ts';

/** How the model is shown what is wanted of it: as if it had been asked and had answered so. */
export interface Example {
  user: string;
  assistant: string;
}

/** Everything that decides how a channel is answered, resolved thread, channel, workspace, default. */
export interface Profile {
  role: string;
  model: string;
  maxReplyTokens: number;
  request: RequestSettings;
  memory: MemorySettings;
  listen: 'addressed' | 'all';
  /** By name, out of those the operator offers. Absent: none. */
  tools?: 'all' | readonly string[];
  /** Absent: `auto`. */
  toolChoice?: ToolChoice;
  examples?: readonly Example[];
}
