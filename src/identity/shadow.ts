/** Evaluates a policy that is not enforced (clients.shadow, trust.candidates): the verdict it would give, with all reasons. */
import {
  type AuthorizationInput,
  checkClient,
  checkRevocation,
  type IdentityPolicy,
  type UnseenLeaf,
} from './client-checks.ts';
import type { Denial } from './verdict.ts';

export interface ShadowResult {
  /** Where the path ends; null: there is no path. */
  readonly anchor: string | null;
  /** All of them, not only the first as in a verdict. Checks that need a path are skipped without one. */
  readonly denials: readonly Denial[];
  readonly unseen: UnseenLeaf | null;
}

/** Runs the same checks as authorizeClient() and makes no permit. */
export function evaluateShadow(input: AuthorizationInput, policy: IdentityPolicy): ShadowResult {
  const denials: Denial[] = [];
  const remaining = checkClient(input, policy);
  let check = remaining.next();
  for (; !check.done; check = remaining.next()) denials.push(check.value);
  const path = check.value;
  if (path === null || path === 'uncertified') return { anchor: null, denials, unseen: null };
  const { unseen, denial } = checkRevocation(path, { policy, now: input.now });
  if (denial !== null) denials.push(denial);
  return { anchor: path.anchor, denials, unseen };
}
