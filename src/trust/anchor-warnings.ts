/** What may be wrong with a sound anchor, for the one who configures it. */
import { expiresSoon, expiryDate, noticeDays } from '../pki/expiry.ts';
import type { Anchor } from './trust-anchor.ts';

export interface Doubt {
  readonly found: string;
  readonly allowed: string;
}

/** `now`: milliseconds since the epoch. */
export function doubtsAbout({ certificates }: Anchor, now: number): Doubt[] {
  const [root, ...below] = certificates;
  const doubts: Doubt[] = [];
  // CAs that a client sends along are never used (identity/path.ts).
  if (!below.some(({ isCa }) => isCa)) {
    const found = `the root ${root.subject} alone: clients are refused whose certificates an issuing CA below it has issued`;
    doubts.push({ found, allowed: 'the root and the CAs that issue client certificates' });
  }
  for (const { subject, notAfter } of certificates) {
    if (!expiresSoon(notAfter, now)) continue;
    const found = `${subject}, which expires on ${expiryDate(notAfter)}`;
    doubts.push({ found, allowed: `more than ${noticeDays} days left` });
  }
  return doubts;
}
