/** Warnings about a usable anchor, for the operator who configures it. */
import { expiresSoon, expiryDate, noticeDays } from '../pki/expiry-warning.ts';
import type { Anchor } from './trust-anchor.ts';

export interface AnchorWarning {
  readonly found: string;
  readonly allowed: string;
}

/** `now`: milliseconds since the epoch. */
export function anchorWarnings({ certificates }: Anchor, now: number): AnchorWarning[] {
  const [root, ...below] = certificates;
  const warnings: AnchorWarning[] = [];
  // Path validation ignores the intermediates that a client sends (identity/path.ts).
  if (!below.some(({ isCa }) => isCa)) {
    const found = `only the root ${root.subject}: clients whose certificates come from an issuing CA below it are refused`;
    warnings.push({ found, allowed: 'the root and the CAs that issue client certificates' });
  }
  for (const { subject, notAfter } of certificates) {
    if (!expiresSoon(notAfter, now)) continue;
    const found = `${subject}, which expires on ${expiryDate(notAfter)}`;
    warnings.push({ found, allowed: `more than ${noticeDays} days left` });
  }
  return warnings;
}
