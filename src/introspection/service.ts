/** Answers what authorization servers say of tokens: one request per token at a time, the answers remembered for a short time. */
import { hash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { Introspection } from '../jose/access-token.ts';
import { TokenCache } from '../jose/token-cache.ts';
import { type EndpointResult, IntrospectionEndpoint } from './endpoint.ts';
import type { IntrospectionSettings } from './settings.ts';

/** Answers that are remembered, for each endpoint. */
const MAX_ANSWERS = 10_000;

/** One request to an endpoint. */
export interface IntrospectionReport {
  /** As in the configuration. */
  readonly endpoint: string;
  readonly result: EndpointResult['status'];
  /** null: there is an answer. */
  readonly problem: string | null;
  /** Until the result. */
  readonly seconds: number;
}

interface IntrospectionsOptions {
  /** When aborted, requests end at once. */
  readonly signal: AbortSignal;
  readonly onRequest: (report: IntrospectionReport) => void;
  /** Milliseconds since the epoch. */
  readonly clock?: () => number;
}

interface Entry {
  readonly settings: IntrospectionSettings;
  readonly endpoint: IntrospectionEndpoint;
  readonly answers: TokenCache<Introspection>;
  /** By SHA-256 of the token. */
  readonly pending: Map<string, Promise<Introspection>>;
}

/** Asks no endpoint before the first `update`. */
export class Introspections {
  readonly #options: IntrospectionsOptions;
  readonly #clock: () => number;
  #entries: ReadonlyMap<string, Entry> = new Map();

  constructor(options: IntrospectionsOptions) {
    this.#options = options;
    this.#clock = options.clock ?? Date.now;
  }

  /** Endpoints whose settings are the same keep their connections and their answers. No two settings have the same `id`. */
  update(settings: readonly IntrospectionSettings[]): void {
    const before = this.#entries;
    this.#entries = new Map(
      settings.map((each) => {
        const known = before.get(each.id);
        return [each.id, known && isDeepStrictEqual(known.settings, each) ? known : open(each)];
      }),
    );
    const kept = new Set(this.#entries.values());
    for (const entry of before.values()) if (!kept.has(entry)) void closeWhenIdle(entry);
  }

  /** `id`: one of the settings. Resolves within the timeout of the endpoint. Never rejects. */
  async ask(id: string, token: string): Promise<Introspection> {
    const entry = this.#entries.get(id);
    if (entry === undefined) return { status: 'failed', cause: 'no introspection is configured' };
    const digest = hash('sha256', token, 'base64');
    const known = entry.answers.get(digest, this.#clock());
    if (known !== undefined) return known;
    const pending = entry.pending.get(digest);
    if (pending !== undefined) return pending;
    const answer = this.#request(entry, { token, digest }).finally(() => entry.pending.delete(digest));
    entry.pending.set(digest, answer);
    return answer;
  }

  close(): void {
    for (const { endpoint } of this.#entries.values()) endpoint.close();
    this.#entries = new Map();
  }

  async #request(
    { settings, endpoint, answers }: Entry,
    { token, digest }: { readonly token: string; readonly digest: string },
  ): Promise<Introspection> {
    const started = performance.now();
    // The answer counts from when it was asked for: the token may be revoked while it is on its way.
    const asked = this.#clock();
    const result = await endpoint.ask(token, this.#options.signal);
    if (this.#options.signal.aborted) return { status: 'failed', cause: 'the gateway is stopping' };
    const problem = 'problem' in result ? result.problem : null;
    this.#options.onRequest({
      endpoint: settings.endpoint,
      result: result.status,
      problem,
      seconds: (performance.now() - started) / 1000,
    });
    if ('problem' in result) return { status: 'failed', cause: result.problem };
    const answer = answerOf(result, asked + settings.cache);
    answers.set(digest, { finding: answer, since: asked, until: answer.until });
    return answer;
  }
}

function open(settings: IntrospectionSettings): Entry {
  const endpoint = new IntrospectionEndpoint(settings);
  return { settings, endpoint, answers: new TokenCache(MAX_ANSWERS), pending: new Map() };
}

/** Messages wait for the requests that are under way; each ends within its timeout. */
async function closeWhenIdle({ pending, endpoint }: Entry): Promise<void> {
  await Promise.all(pending.values());
  endpoint.close();
}

function answerOf(
  result: Extract<EndpointResult, { status: 'active' | 'inactive' }>,
  until: number,
): Exclude<Introspection, { status: 'failed' }> {
  if (result.status === 'inactive') return { status: 'inactive', until };
  const { claims } = result;
  return { status: 'active', claims, until: Math.min(until, claims.expires ?? until) };
}
