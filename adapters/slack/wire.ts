import { z } from 'zod';

/** What of Slack's events and answers is read, and nothing else of it. */

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
  user: z.string().optional(),
  bot_id: z.string().optional(),
  subtype: z.string().optional(),
  text,
  ts: z.string(),
  thread_ts: z.string().optional(),
  team: z.string().optional(),
  user_team: z.string().optional(),
  edited: z.object({ ts: z.string() }).optional(),
  files: z.array(fileSchema).optional().catch(undefined),
  attachments: z.array(shared).optional().catch(undefined),
};

export const messageSchema = z.object({ ...messageShape, channel: z.string(), channel_type: z.string().optional() });
export type WireMessage = z.infer<typeof messageSchema>;

export const kindSchema = z.object({ subtype: z.string().optional() });

export const changeSchema = z.object({
  subtype: z.literal('message_changed'),
  channel: z.string(),
  message: z.object(messageShape),
  previous_message: z.object(messageShape).optional().catch(undefined),
});
export type WireChange = z.infer<typeof changeSchema>;

export const deletionSchema = z.object({
  subtype: z.literal('message_deleted'),
  channel: z.string(),
  deleted_ts: z.string(),
  previous_message: z.object(messageShape).optional().catch(undefined),
});
export type WireDeletion = z.infer<typeof deletionSchema>;

export const slashSchema = z.object({
  command: z.string(),
  text,
  channel_id: z.string(),
  user_id: z.string(),
  user_name: text,
  team_id: z.string().optional(),
  trigger_id: z.string(),
  response_url: z.string().optional(),
});
export type WireSlash = z.infer<typeof slashSchema>;

export const clickSchema = z.object({
  user: z.object({
    id: z.string(),
    username: z.string().optional(),
    name: z.string().optional(),
    team_id: z.string().optional(),
  }),
  channel: z.object({ id: z.string() }),
  container: z.object({
    message_ts: z.string(),
    thread_ts: z.string().optional(),
    is_ephemeral: z.boolean().optional(),
  }),
  message: z.object({ ts: z.string(), thread_ts: z.string().optional() }).optional(),
  response_url: z.string().optional(),
  actions: z
    .array(z.object({ action_id: z.string(), block_id: z.string(), value: text, action_ts: z.string() }))
    .min(1),
});
export type WireClick = z.infer<typeof clickSchema>;

export const homeSchema = z.object({
  user: z.string(),
  channel: z.string(),
  tab: z.string().optional(),
  event_ts: z.string(),
});
export type WireHome = z.infer<typeof homeSchema>;

export const paneSchema = z.object({
  assistant_thread: z.object({ channel_id: z.string(), thread_ts: z.string() }),
});

/** A message of ours, as a channel or thread lists it. */
export const postSchema = z.object({
  ts: z.string(),
  thread_ts: z.string().optional(),
  user: z.string().optional(),
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
