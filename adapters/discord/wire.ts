import { z } from 'zod';

/** What is taken from Discord's objects; all else in them is left alone. */

/** Ids tell when a thing was made: what is none has no time and no place in a channel's order. */
const id = z.string().regex(/^\d{1,20}$/);
/** Rights, as the bits of a number. */
const bits = z.string().regex(/^\d{1,40}$/);

const user = z.object({
  id,
  username: z.string(),
  global_name: z.string().nullish(),
  bot: z.boolean().optional(),
});

export const memberSchema = z.object({ nick: z.string().nullish(), roles: z.array(id) });

const attachment = z.object({
  id,
  filename: z.string(),
  size: z.number(),
  url: z.string(),
  content_type: z.string().nullish(),
});

const snapshot = z.object({ message: z.object({ content: z.string(), attachments: z.array(attachment).default([]) }) });

export const messageSchema = z.object({
  id,
  channel_id: id,
  guild_id: id.optional(),
  author: user,
  /** Only in events: the REST API leaves it out. */
  member: memberSchema.optional(),
  content: z.string(),
  edited_timestamp: z.string().nullish(),
  type: z.number(),
  flags: z.number().optional(),
  webhook_id: id.optional(),
  mentions: z.array(user.extend({ member: memberSchema.optional() })).default([]),
  mention_roles: z.array(id).default([]),
  attachments: z.array(attachment).default([]),
  message_reference: z.object({ type: z.number().optional(), message_id: id.optional() }).nullish(),
  referenced_message: z.object({ author: user }).nullish(),
  message_snapshots: z.array(snapshot).optional(),
  sticker_items: z.array(z.object({ name: z.string() })).optional(),
});

/** A message of ours, as the REST API gives it back. */
export const postSchema = z.object({
  id,
  content: z.string(),
  author: z.object({ id }),
  flags: z.number().optional(),
  message_reference: z.object({ message_id: id.optional() }).nullish(),
});

export const channelSchema = z.object({
  id,
  type: z.number(),
  guild_id: id.nullish(),
  parent_id: id.nullish(),
  name: z.string().nullish(),
  last_message_id: id.nullish(),
});

export const deletionSchema = z.object({
  id: id.optional(),
  ids: z.array(id).optional(),
  channel_id: id,
  guild_id: id.optional(),
});

export const guildSchema = z.object({
  id,
  channels: z.array(channelSchema).default([]),
  threads: z.array(channelSchema).default([]),
});

const value = z.union([z.string(), z.number(), z.boolean()]);
const leaf = z.object({ type: z.number(), name: z.string(), value: value.optional(), focused: z.boolean().optional() });
const inner = leaf.extend({ options: z.array(leaf).optional() });

export const interactionSchema = z.object({
  id,
  application_id: id,
  type: z.number(),
  token: z.string(),
  guild_id: id.nullish(),
  channel_id: id,
  channel: channelSchema.optional(),
  user: user.optional(),
  member: memberSchema.extend({ user, permissions: bits }).optional(),
  data: z
    .object({
      name: z.string().optional(),
      custom_id: z.string().optional(),
      options: z.array(inner.extend({ options: z.array(inner).optional() })).optional(),
    })
    .optional(),
  message: z
    .object({
      id,
      flags: z.number().optional(),
      message_reference: z.object({ message_id: id.optional() }).nullish(),
    })
    .optional(),
});

export type WireUser = z.infer<typeof user>;
export type WireMember = z.infer<typeof memberSchema>;
export type WireMessage = z.infer<typeof messageSchema>;
export type WireChannel = z.infer<typeof channelSchema>;
export type WireInteraction = z.infer<typeof interactionSchema>;
export type Post = z.infer<typeof postSchema>;
