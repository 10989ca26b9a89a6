/** Faults to inject, and rate limits as Discord counts them. */

export interface RestRequest {
  method: string;
  /** Without the API's address and version: `/channels/1/messages`. */
  path: string;
  body: Record<string, unknown>;
  at: number;
  status: number | undefined;
}

export interface Fault {
  match(request: RestRequest): boolean;
  /** How often; by default once. */
  times?: number;
  /**
   * `lost`: done, but the answer is a 502. `hang`: not done, no answer for `ms`. `slow`: done after `ms`. `reset`: the
   * connection is cut before, `cut` after it is done.
   */
  kind: 'limited' | 'limited-globally' | 'failing' | 'lost' | 'slow' | 'reset' | 'cut' | 'refused';
  /** For `limited`: retry after so long. */
  ms?: number;
  /** For `refused`. */
  status?: number;
  code?: number;
}

export interface Limits {
  /** Posts and edits of a channel, each. */
  count: number;
  windowMs: number;
}

interface Bucket {
  left: number;
  resetAt: number;
}

export function createLimits(limits: Limits, now: () => number) {
  const buckets = new Map<string, Bucket>();

  return {
    /** The headers for this request; `isOver` where it came too early. */
    take(request: RestRequest): { headers: Record<string, string>; isOver: boolean; retryMs: number } {
      const key = bucketOf(request);
      if (key === undefined) return { headers: {}, isOver: false, retryMs: 0 };
      let bucket = buckets.get(key);
      if (bucket === undefined || bucket.resetAt <= now()) {
        bucket = { left: limits.count, resetAt: now() + limits.windowMs };
        buckets.set(key, bucket);
      }
      const isOver = bucket.left === 0;
      if (!isOver) bucket.left--;
      const retryMs = bucket.resetAt - now();
      const headers = {
        'x-ratelimit-limit': String(limits.count),
        'x-ratelimit-remaining': String(bucket.left),
        'x-ratelimit-reset-after': String(retryMs / 1000),
        'x-ratelimit-bucket': key.replace(/\d+/g, ''),
      };
      return { headers, isOver, retryMs };
    },
  };
}

function bucketOf({ method, path }: RestRequest): string | undefined {
  const found = /^\/channels\/(\d+)\/messages(\/\d+)?$/.exec(path);
  if (found === null || method === 'GET') return undefined;
  return `${method}-messages-${found[1]}`;
}

/** The first fault that is meant, used up by one. */
export function takeFault(faults: Fault[], request: RestRequest): Fault | undefined {
  const found = faults.find((fault) => fault.match(request));
  if (found === undefined) return undefined;
  found.times = (found.times ?? 1) - 1;
  if (found.times <= 0) faults.splice(faults.indexOf(found), 1);
  return found;
}
