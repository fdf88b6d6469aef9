/** When the expiry of a certificate is worth a warning; the same for server certificates, anchors and upstream CAs. */

export const noticeDays = 30;
const day = 24 * 3_600_000;

/** Whether a valid certificate expires within `noticeDays`. Milliseconds since the epoch. */
export function expiresSoon(notAfter: number, now: number): boolean {
  return now <= notAfter && notAfter < now + noticeDays * day;
}

/** `2030-01-31T12:00:00Z`: without a fraction of a second. */
export function expiryDate(time: number): string {
  return new Date(time).toISOString().replace('.000Z', 'Z');
}
