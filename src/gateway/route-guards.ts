/** Makes the guards of the routes from their policies, and keeps those of unchanged policies with what they remember. */
import { isDeepStrictEqual } from 'node:util';
import { BearerGuard } from '../bearer/guard.ts';
import type { Ask } from '../policy/question.ts';
import type { BearerPolicy, PolicyMode, PolicySnapshot, SignaturePolicy } from '../policy/snapshot.ts';
import type { MessageGuards } from '../relay/message-guards.ts';
import { SignatureGuard } from '../signature/guard.ts';
import { ReplayMemory } from '../signature/replay-memory.ts';
import type { Meter } from '../telemetry/meter.ts';
import { KeySets } from './key-sets.ts';

interface GuardDependencies {
  /** Asks the control thread. */
  readonly ask: Ask;
  readonly meter: Meter;
}

type Guarded = Pick<PolicySnapshot, 'routes' | 'keySets' | 'replayMemories'>;

/** Lives as long as the relay thread. */
export class RouteGuards {
  readonly #dependencies: GuardDependencies;
  readonly #keySets = new KeySets();
  /** By the path of the route. */
  #bearer: ReadonlyMap<string, BearerGuard> = new Map();
  #signature: ReadonlyMap<string, SignatureGuard> = new Map();
  /** The memories are those of the process, and stay the same. */
  #replays: Readonly<Record<PolicyMode, ReplayMemory | null>> = { enforce: null, shadow: null };

  constructor(dependencies: GuardDependencies) {
    this.#dependencies = dependencies;
  }

  /** In the order of the routes. null: the route demands nothing of a message beyond the client's permit. */
  update({ routes, keySets, replayMemories }: Guarded): (MessageGuards | null)[] {
    this.#keySets.update(keySets);
    const replaysFor = (mode: PolicyMode) => {
      const memory = replayMemories[mode];
      return this.#replays[mode] ?? (memory && new ReplayMemory(memory));
    };
    this.#replays = { enforce: replaysFor('enforce'), shadow: replaysFor('shadow') };
    this.#bearer = new Map(
      routes.flatMap(({ path, bearer }) =>
        bearer === null ? [] : [[path, this.#bearerGuard(path, bearer)]],
      ),
    );
    this.#signature = new Map(
      routes.flatMap(({ path, signature }) =>
        signature === null ? [] : [[path, this.#signatureGuard(path, signature)]],
      ),
    );
    return routes.map(({ path }) => {
      const bearer = this.#bearer.get(path) ?? null;
      const signature = this.#signature.get(path) ?? null;
      return bearer === null && signature === null ? null : { bearer, signature };
    });
  }

  #signatureGuard(path: string, policy: SignaturePolicy): SignatureGuard {
    const last = this.#signature.get(path);
    if (last !== undefined && isDeepStrictEqual(last.policy, policy)) return last;
    const { ask, meter } = this.#dependencies;
    const { keys, mode } = policy;
    const route = meter.route(path);
    return new SignatureGuard(policy, {
      keys: () => (keys === null ? null : this.#keySets.get(keys)),
      refreshKeys: async (limit) =>
        keys !== null && (await ask({ kind: 'refresh_keys', source: keys }, limit)),
      replays: () => this.#replays[mode],
      count: (verdict) => route.signature(verdict, mode),
    });
  }

  #bearerGuard(path: string, policy: BearerPolicy): BearerGuard {
    const last = this.#bearer.get(path);
    if (last !== undefined && isDeepStrictEqual(last.policy, policy)) return last;
    const { ask, meter } = this.#dependencies;
    const { keys, introspection, mode } = policy;
    const route = meter.route(path);
    return new BearerGuard(policy, {
      keys: () => (keys === null ? null : this.#keySets.get(keys)),
      refreshKeys: async (limit) =>
        keys !== null && (await ask({ kind: 'refresh_keys', source: keys }, limit)),
      introspect: async (token, limit) =>
        introspection && (await ask({ kind: 'introspect', id: introspection.id, token }, limit)),
      count: (verdict) => route.bearer(verdict, mode),
    });
  }
}
