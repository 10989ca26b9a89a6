import { addresseeSchema } from './wire.ts';

/** The workspace, or the whole organisation, that the app is installed in. */
export interface Installation {
  team: string;
  /** The organisation, where the app is installed in all of it. */
  enterprise: string | undefined;
}

/**
 * A workspace's events are told by who may see them: in a channel shared with another workspace, what that one says names
 * that one first, and us among the authorizations.
 */
export function isFor(own: Installation, body: unknown): boolean {
  const found = addresseeSchema.safeParse(body).data;
  if (found === undefined) return false;
  const installs = found.authorizations ?? [];
  if (installs.length > 0) {
    return installs.some(
      (one) => one.team_id === own.team || (one.is_enterprise_install === true && isOurs(own, one.enterprise_id)),
    );
  }
  const teams = [found.team_id, found.team?.id, found.message?.team];
  return teams.includes(own.team) || isOurs(own, found.enterprise_id ?? found.enterprise?.id);
}

function isOurs({ enterprise }: Installation, id: string | null | undefined): boolean {
  return enterprise !== undefined && enterprise === id;
}
