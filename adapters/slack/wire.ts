import type { types } from '@slack/bolt';
import { z } from 'zod';

/** What of Slack's events and answers is read, and nothing else of it. */

/** Channels, people and workspaces. */
const id = z.string().regex(/^[A-Z][A-Z0-9]{0,31}$/);
/** Time stamps are ids, too: what is none has no time and no place in a channel's order. */
const ts = z.string().regex(/^\d{1,12}\.\d{1,9}$/);

export function isTs(given: string): boolean {
  return ts.safeParse(given).success;
}

const text = z.string().catch('');

const fileSchema = z.object({
  name: z.string().nullish(),
  mimetype: z.string().nullish(),
  size: z.number().nullish(),
  url_private_download: z.string().optional(),
  url_private: z.string().optional(),
  /** `tombstone`, `hidden_by_limit`, `external`: nothing that could be fetched. */
  mode: z.string().optional(),
});

const shared = z.object({
  text: z.string().optional(),
  fallback: z.string().optional(),
  author_name: z.string().optional(),
  is_share: z.boolean().optional(),
  is_msg_unfurl: z.boolean().optional(),
  files: z.array(fileSchema).optional().catch(undefined),
});

const messageShape = {
  user: id.optional(),
  bot_id: z.string().optional(),
  subtype: z.string().optional(),
  text,
  ts,
  thread_ts: ts.optional(),
  team: id.optional(),
  user_team: id.optional(),
  edited: z.object({ ts }).optional(),
  files: z.array(fileSchema).optional().catch(undefined),
  attachments: z.array(shared).optional().catch(undefined),
};

export const messageSchema = z.object({ ...messageShape, channel: id, channel_type: z.string().optional() });
export type WireMessage = z.infer<typeof messageSchema>;

/** Which installation of the app an event, a command or a click is for. */
export const addresseeSchema = z.object({
  team_id: z.string().nullish(),
  enterprise_id: z.string().nullish(),
  team: z.object({ id: z.string() }).nullish(),
  enterprise: z.object({ id: z.string() }).nullish(),
  /** The message whose button was clicked, and its author. */
  message: z.object({ team: z.string().nullish() }).nullish(),
  authorizations: z
    .array(
      z.object({
        team_id: z.string().nullish(),
        enterprise_id: z.string().nullish(),
        is_enterprise_install: z.boolean().nullish(),
      }),
    )
    .nullish(),
});

export const kindSchema = z.object({ subtype: z.string().optional() });

export const changeSchema = z.object({
  subtype: z.literal('message_changed'),
  channel: id,
  message: z.object(messageShape),
  previous_message: z.object(messageShape).optional().catch(undefined),
});
export type WireChange = z.infer<typeof changeSchema>;

export const deletionSchema = z.object({
  subtype: z.literal('message_deleted'),
  channel: id,
  deleted_ts: ts,
  previous_message: z.object(messageShape).optional().catch(undefined),
});
export type WireDeletion = z.infer<typeof deletionSchema>;

export const slashSchema = z.object({
  command: z.string(),
  text,
  channel_id: id,
  user_id: id,
  user_name: text,
  team_id: id.optional(),
  trigger_id: z.string(),
  response_url: z.string().optional(),
});
export type WireSlash = z.infer<typeof slashSchema>;

export const clickSchema = z.object({
  user: z.object({
    id,
    username: z.string().optional(),
    name: z.string().optional(),
    team_id: id.optional(),
  }),
  channel: z.object({ id }),
  container: z.object({
    message_ts: ts,
    thread_ts: ts.optional(),
    is_ephemeral: z.boolean().optional(),
  }),
  message: z.object({ ts, thread_ts: ts.optional() }).optional(),
  response_url: z.string().optional(),
  actions: z.array(z.object({ action_id: z.string(), block_id: z.string(), value: text, action_ts: ts })).min(1),
});
export type WireClick = z.infer<typeof clickSchema>;

export const homeSchema = z.object({
  user: id,
  channel: id,
  tab: z.string().optional(),
  event_ts: ts,
});
export type WireHome = z.infer<typeof homeSchema>;

export const paneSchema = z.object({
  assistant_thread: z.object({ channel_id: id, thread_ts: ts }),
});

/** A message of ours, as a channel or thread lists it. */
export const postSchema = z.object({
  ts,
  thread_ts: ts.optional(),
  user: z.string().optional(),
  text,
  blocks: z
    .array(z.custom<types.KnownBlock>((given) => typeof given === 'object' && given !== null && 'type' in given))
    .optional()
    .catch(undefined),
  metadata: z
    .object({ event_type: z.string(), event_payload: z.record(z.string(), z.unknown()) })
    .optional()
    .catch(undefined),
});
export type Post = z.infer<typeof postSchema>;

export const userSchema = z.object({
  user: z.object({
    id: z.string(),
    team_id: z.string().optional(),
    name: z.string().optional(),
    real_name: z.string().optional(),
    is_admin: z.boolean().optional(),
    is_owner: z.boolean().optional(),
    profile: z.object({ display_name: z.string().optional(), real_name: z.string().optional() }).optional(),
  }),
});
