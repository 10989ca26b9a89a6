import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

/** Who may enter, and with which rights. */

export type Rights = 'console' | 'admin';

export interface Passwords {
  app: string | undefined;
  admin: string | undefined;
}

export interface Access {
  /** What anybody may who can reach the console; nothing where a password is needed first. */
  open: Rights | undefined;
  hasLogin: boolean;
  rightsFor(password: string): Rights | undefined;
}

export function createAccess(isLoopback: boolean, { app, admin }: Passwords): Access {
  const isOpen = isLoopback && app === undefined;
  const lesser: Rights = isLoopback && admin === undefined ? 'admin' : 'console';
  const isSame = createComparison();
  return {
    open: isOpen ? lesser : undefined,
    hasLogin: (app ?? admin) !== undefined,
    rightsFor(password) {
      const [isAdmin, isApp] = [isSame(password, admin), isSame(password, app)];
      if (isAdmin) return 'admin';
      return isApp ? lesser : undefined;
    },
  };
}

export function greater(one: Rights | undefined, other: Rights | undefined): Rights | undefined {
  return one === 'admin' || other === 'admin' ? 'admin' : (one ?? other);
}

/** Takes as long whether the first or the last letter differs, or the length; and where there is nothing to compare. */
function createComparison(): (given: string, wanted: string | undefined) => boolean {
  const key = randomBytes(32);
  const digest = (text: string): Buffer => createHmac('sha256', key).update(text).digest();
  return (given, wanted) => timingSafeEqual(digest(given), digest(wanted ?? '')) && wanted !== undefined;
}

export interface Provenance {
  /** The name the page was loaded from, as the browser or its proxy tells it. */
  host: string | undefined;
  /** The headers of these names; a page cannot write them. */
  origin: string | undefined;
  fetchSite: string | undefined;
}

/** Whether a request that changes something comes from our own page. Programs that are no browser name no origin. */
export function isOwnOrigin({ host, origin, fetchSite }: Provenance, publicUrl: string | undefined): boolean {
  if (fetchSite !== undefined) return fetchSite === 'same-origin' || (fetchSite === 'none' && origin === undefined);
  if (origin === undefined || origin === publicUrl) return true;
  return URL.canParse(origin) && new URL(origin).host === host;
}

/** Whether what is only read may be read: no page of another site needs it. */
export function mayRead({ fetchSite }: Provenance): boolean {
  return fetchSite === undefined || fetchSite === 'same-origin' || fetchSite === 'none';
}
