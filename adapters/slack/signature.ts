import { createHmac, timingSafeEqual } from 'node:crypto';

/** Whether a request is Slack's, and of now. */

const toleranceSeconds = 300;

export interface Signed {
  timestamp: string | undefined;
  signature: string | undefined;
  body: string | Buffer;
}

export function isSlacks({ timestamp, signature, body }: Signed, secret: string, nowMs: number): boolean {
  if (timestamp === undefined || signature === undefined || !/^\d{1,12}$/.test(timestamp)) return false;
  // From the future, too: such a one could be replayed for as long as it lies ahead.
  if (Math.abs(nowMs / 1000 - Number(timestamp)) > toleranceSeconds) return false;
  const hash = createHmac('sha256', secret).update(`v0:${timestamp}:`).update(body).digest('hex');
  const expected = Buffer.from(`v0=${hash}`);
  const given = Buffer.from(signature);
  return given.length === expected.length && timingSafeEqual(given, expected);
}
