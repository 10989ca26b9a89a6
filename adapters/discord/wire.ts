import { z } from 'zod';

/** What is taken from Discord's objects; all else in them is left alone. */

const user = z.object({
  id: z.string(),
  username: z.string(),
  global_name: z.string().nullish(),
  bot: z.boolean().optional(),
});

export const memberSchema = z.object({ nick: z.string().nullish(), roles: z.array(z.string()) });

const attachment = z.object({
  id: z.string(),
  filename: z.string(),
  size: z.number(),
  url: z.string(),
  content_type: z.string().nullish(),
});

const snapshot = z.object({ message: z.object({ content: z.string(), attachments: z.array(attachment).default([]) }) });

export const messageSchema = z.object({
  id: z.string(),
  channel_id: z.string(),
  guild_id: z.string().optional(),
  author: user,
  /** Only in events: the REST API leaves it out. */
  member: memberSchema.optional(),
  content: z.string(),
  edited_timestamp: z.string().nullish(),
  type: z.number(),
  flags: z.number().optional(),
  webhook_id: z.string().optional(),
  mentions: z.array(user.extend({ member: memberSchema.optional() })).default([]),
  mention_roles: z.array(z.string()).default([]),
  attachments: z.array(attachment).default([]),
  message_reference: z.object({ type: z.number().optional(), message_id: z.string().optional() }).nullish(),
  referenced_message: z.object({ author: user }).nullish(),
  message_snapshots: z.array(snapshot).optional(),
  sticker_items: z.array(z.object({ name: z.string() })).optional(),
});

/** A message of ours, as the REST API gives it back. */
export const postSchema = z.object({
  id: z.string(),
  content: z.string(),
  author: z.object({ id: z.string() }),
  flags: z.number().optional(),
  message_reference: z.object({ message_id: z.string().optional() }).nullish(),
});

export const channelSchema = z.object({
  id: z.string(),
  type: z.number(),
  guild_id: z.string().nullish(),
  parent_id: z.string().nullish(),
  name: z.string().nullish(),
  last_message_id: z.string().nullish(),
});

export const deletionSchema = z.object({
  id: z.string().optional(),
  ids: z.array(z.string()).optional(),
  channel_id: z.string(),
  guild_id: z.string().optional(),
});

export const guildSchema = z.object({
  id: z.string(),
  channels: z.array(channelSchema).default([]),
  threads: z.array(channelSchema).default([]),
});

const value = z.union([z.string(), z.number(), z.boolean()]);
const leaf = z.object({ type: z.number(), name: z.string(), value: value.optional(), focused: z.boolean().optional() });
const inner = leaf.extend({ options: z.array(leaf).optional() });

export const interactionSchema = z.object({
  id: z.string(),
  application_id: z.string(),
  type: z.number(),
  token: z.string(),
  guild_id: z.string().nullish(),
  channel_id: z.string(),
  channel: channelSchema.optional(),
  user: user.optional(),
  member: memberSchema.extend({ user, permissions: z.string() }).optional(),
  data: z
    .object({
      name: z.string().optional(),
      custom_id: z.string().optional(),
      options: z.array(inner.extend({ options: z.array(inner).optional() })).optional(),
    })
    .optional(),
  message: z
    .object({
      id: z.string(),
      flags: z.number().optional(),
      message_reference: z.object({ message_id: z.string().optional() }).nullish(),
    })
    .optional(),
});

export type WireUser = z.infer<typeof user>;
export type WireMember = z.infer<typeof memberSchema>;
export type WireMessage = z.infer<typeof messageSchema>;
export type WireChannel = z.infer<typeof channelSchema>;
export type WireInteraction = z.infer<typeof interactionSchema>;
export type Post = z.infer<typeof postSchema>;
