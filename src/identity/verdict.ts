/** The result of a check: a permit, or a denial as a value. */
import { type DenyReasonName, denyReasons } from './deny-reasons.ts';

export type Verdict<Permit> = { readonly allow: true; readonly permit: Permit } | Denial;

export interface Denial {
  readonly allow: false;
  readonly reason: DenyReasonName;
  /** For the operator; the client never sees it. */
  readonly detail: string;
}

/** `detail`: by default what the table of reasons says. */
export function deny(reason: DenyReasonName, detail: string = denyReasons[reason].says): Denial {
  return { allow: false, reason, detail };
}

/** The detail of an audit record: what happened, the likely cause, and what to do on which side. */
export function explainDenial({ reason, detail }: Pick<Denial, 'reason' | 'detail'>): string {
  return `${detail.replace(/\.$/, '')}. ${denyReasons[reason].advice}`;
}
