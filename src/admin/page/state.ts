/** What the page knows, and how old it is: each answer or failure makes a new state; the last good data of a part stays. */
import type { Status } from '../status-schema.ts';
import { formatSpan, second } from './format.ts';
import { isRecord } from './shape.ts';
import { type Part, partShapes, parts } from './status-shape.ts';

export interface PartState<T> {
  /** null: never received. */
  readonly value: T | null;
  /** The reader's clock when `value` was received, ms; null: never. */
  readonly receivedAt: number | null;
  /** Why the last document did not bring it; null: it did. */
  readonly fault: string | null;
}

export interface PageState {
  readonly parts: { readonly [P in Part]: PartState<Status[P]> };
  /** The last document: the gateway's clock, and the reader's clock when it was received, ms; null: none yet. */
  readonly document: { readonly time: number; readonly receivedAt: number } | null;
  /** What failed last; null: the last request succeeded. */
  readonly failure: string | null;
}

const nothing = { value: null, receivedAt: null, fault: null } as const;

export const initialState: PageState = {
  parts: Object.fromEntries(parts.map((part) => [part, nothing])) as unknown as PageState['parts'],
  document: null,
  failure: null,
};

/** An answer arrives every 2 s; after this time without one the data count as stale although nothing has failed. */
const freshFor = 10 * second;

/** `at`: the reader's clock, ms. */
export function fail(state: PageState, failure: string): PageState {
  return { ...state, failure };
}

/** Takes what can be read of a response's text. */
export function receive(state: PageState, { body, at }: { body: string; at: number }): PageState {
  const document = parse(body);
  if (!isRecord(document)) return fail(state, `The answer to ${source} is not a JSON object.`);
  const { version, time } = document;
  if (version !== 1) return fail(state, versionFault(version));
  const made = typeof time === 'string' ? Date.parse(time) : Number.NaN;
  if (Number.isNaN(made)) return fail(state, `The answer to ${source} has no time.`);
  const taken = parts.map((part) => [part, take(state.parts[part], part, document[part], at)]);
  return {
    parts: Object.fromEntries(taken) as PageState['parts'],
    document: { time: made, receivedAt: at },
    failure: null,
  };
}

export const source = '/api/status';

function take(before: PartState<unknown>, part: Part, value: unknown, at: number): PartState<unknown> {
  const fault = partShapes[part](value, part);
  return fault === null ? { value, receivedAt: at, fault: null } : { ...before, fault };
}

function versionFault(version: unknown): string {
  const found = typeof version === 'number' ? `version ${version}` : 'no version';
  return `The answer to ${source} has ${found}, and this page reads version 1. Reload the page.`;
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

/** The gateway's clock, ms: ages are right although the reader's clock may be wrong. `at`: the reader's clock. */
export function gatewayTime({ document }: PageState, at: number): number {
  return document === null ? at : document.time + Math.max(0, at - document.receivedAt);
}

export type Freshness =
  | { readonly kind: 'waiting' }
  | { readonly kind: 'fresh'; readonly age: number }
  /** `failure`: a sentence; `age`: of the last document, null: there was none. Ages in ms. */
  | { readonly kind: 'stale'; readonly age: number | null; readonly failure: string };

export function freshnessOf({ document, failure }: PageState, at: number): Freshness {
  const age = document === null ? null : Math.max(0, at - document.receivedAt);
  if (failure !== null) return { kind: 'stale', age, failure };
  if (age === null) return { kind: 'waiting' };
  if (age > freshFor)
    return { kind: 'stale', age, failure: `No answer to ${source} for ${formatSpan(age)}.` };
  return { kind: 'fresh', age };
}

/** Why a part is older than the rest; null: it is as fresh as the document. */
export function partFault({ receivedAt, fault }: PartState<unknown>, at: number): string | null {
  if (fault === null) return null;
  return receivedAt === null
    ? `Not available: ${fault} in the gateway’s answer.`
    : `Stale, ${formatSpan(at - receivedAt)} old: ${fault} in the gateway’s answer.`;
}
