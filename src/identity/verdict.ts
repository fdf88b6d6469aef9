/** The result of a check: a permit, or a denial as a value. */
import { type DenyReasonName, denyReasons } from './deny-reasons.ts';

export type Verdict<Permit> = { readonly allow: true; readonly permit: Permit } | Denial;

export interface Denial {
  readonly allow: false;
  readonly reason: DenyReasonName;
  /** For the operator; the client never sees it. */
  readonly detail: string;
}

/** `detail`: by default what the table of reasons says, and its advice. */
export function deny(reason: DenyReasonName, detail: string = defaultDetail(reason)): Denial {
  return { allow: false, reason, detail };
}

function defaultDetail(reason: DenyReasonName): string {
  const { says, advice } = denyReasons[reason];
  return `${says}. ${advice}`;
}
