/** From when on the end of a certificate is worth a warning: the same for the server's, for anchors and for CAs of hosts. */

export const noticeDays = 30;
const day = 24 * 3_600_000;

/** Valid now, and not for long any more. Milliseconds since the epoch. */
export function expiresSoon(notAfter: number, now: number): boolean {
  return now <= notAfter && notAfter < now + noticeDays * day;
}

/** `2030-01-31T12:00:00Z`, as certificates have it: without a fraction of a second. */
export function expiryDate(time: number): string {
  return new Date(time).toISOString().replace('.000Z', 'Z');
}
