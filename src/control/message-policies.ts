/** What the policies of messages need beside the configuration: key sets, introspection, the memory against replays. */
import type { LoadedConfig } from '../config/load.ts';
import { type IntrospectionReport, Introspections } from '../introspection/service.ts';
import { KeySets } from '../keys/service.ts';
import type { KeySetState, KeysEvent } from '../keys/state.ts';
import type { Answer, Question } from '../policy/question.ts';
import type { PolicyMode, PolicySnapshot, ReplayMemories } from '../policy/snapshot.ts';
import { allocateReplayMemory } from '../signature/replay-memory.ts';

export interface MessagePoliciesOptions {
  /** When aborted, every fetch and every question ends. */
  readonly signal: AbortSignal;
  /** A key set has changed. */
  readonly onChange: () => void;
  readonly onIntrospection: (report: IntrospectionReport) => void;
  readonly onKeys: (event: KeysEvent) => void;
  /** Called for each signature whose `kid` no key of this set has. */
  readonly onUnknownKid: (source: string) => void;
}

export class MessagePolicies {
  readonly #keys: KeySets;
  readonly #introspections: Introspections;
  #replayMemories: ReplayMemories = { enforce: null, shadow: null };

  constructor({ signal, onChange, onIntrospection, onKeys, onUnknownKid }: MessagePoliciesOptions) {
    this.#introspections = new Introspections({ signal, onRequest: onIntrospection });
    this.#keys = new KeySets({ signal, onChange, onEvent: onKeys, onUnknownKid });
  }

  /** Resolves with the function that applies the configuration. */
  async prepare({ config, keySources, introspections }: LoadedConfig): Promise<() => void> {
    const { cacheDir } = config.trust;
    const applyKeys = await this.#keys.prepare({ sources: keySources, cacheDir });
    return () => {
      applyKeys();
      this.#introspections.update(introspections);
    };
  }

  /** Every configured key set, read or not. */
  keySets(): readonly KeySetState[] {
    return this.#keys.states();
  }

  /** Fetches the key sets now. Never rejects. */
  refresh(): Promise<void> {
    return this.#keys.refresh();
  }

  /** For the next snapshot. */
  material({ routes }: LoadedConfig): Pick<PolicySnapshot, 'keySets' | 'replayMemories'> {
    const needs = (mode: PolicyMode) =>
      routes.some(({ signature }) => signature?.replay === 'refuse' && signature.mode === mode);
    // Kept when a configuration no longer needs it: the next one may, and must know what was accepted before.
    const memoryFor = (mode: PolicyMode) =>
      this.#replayMemories[mode] ?? (needs(mode) ? allocateReplayMemory() : null);
    this.#replayMemories = { enforce: memoryFor('enforce'), shadow: memoryFor('shadow') };
    return {
      keySets: this.#keys.states().map(({ source, keys }) => ({ source, keys })),
      replayMemories: this.#replayMemories,
    };
  }

  /** Answers a question of a relay thread; what the answer depends on is in the next material. Never rejects. */
  async answer(question: Question): Promise<Answer> {
    switch (question.kind) {
      case 'refresh_keys':
        return this.#keys.refreshFor(question.source);
      case 'introspect':
        return this.#introspections.ask(question.id, question.token);
      default:
        return question satisfies never;
    }
  }

  close(): void {
    this.#keys.close();
    this.#introspections.close();
  }
}
