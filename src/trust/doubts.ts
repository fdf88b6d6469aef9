/** What may be wrong with a sound anchor, for the one who configures it. */
import type { Anchor } from './bundle.ts';

/** From here on an expiry is worth a warning, as with the server's certificate. */
const noticeDays = 30;
const day = 24 * 3_600_000;

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
    if (now > notAfter || now + noticeDays * day <= notAfter) continue;
    const found = `${subject}, which expires on ${new Date(notAfter).toISOString().replace('.000Z', 'Z')}`;
    doubts.push({ found, allowed: `more than ${noticeDays} days left` });
  }
  return doubts;
}
