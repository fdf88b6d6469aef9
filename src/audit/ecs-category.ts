/** The ECS categorization of a record: event.category, event.type and event.outcome. */
import type { RecordType } from './ecs-table.ts';

export interface Categories {
  /** Allowed values of `event.category`, in ECS 8. */
  readonly category: readonly string[];
  /** Allowed values of `event.type` for one of the categories. */
  readonly type: readonly string[];
  readonly outcome: 'success' | 'failure' | 'unknown';
}

interface Rule {
  readonly category: readonly string[];
  /** The value of `event.action`; the first match wins, and the last has none. */
  readonly cases: readonly (Omit<Categories, 'category'> & { readonly actions?: readonly string[] })[];
}

const failures = { type: ['info'], outcome: 'failure' } as const;
const info = { type: ['info'], outcome: 'success' } as const;
const change = { type: ['change'], outcome: 'success' } as const;

/** By type of record and `event.action`. */
export const categoryRules: Readonly<Record<RecordType, Rule>> = {
  handshake: {
    category: ['authentication', 'network'],
    cases: [
      { actions: ['allow'], type: ['start', 'connection', 'allowed'], outcome: 'success' },
      { actions: ['deny'], type: ['start', 'connection', 'denied'], outcome: 'failure' },
      { type: ['start', 'connection', 'end'], outcome: 'failure' },
    ],
  },
  verdict: {
    category: ['authentication', 'network'],
    cases: [{ type: ['connection', 'denied', 'end'], outcome: 'failure' }],
  },
  message: {
    category: ['web'],
    cases: [
      { actions: ['answered'], type: ['access'], outcome: 'success' },
      { actions: ['client_gone'], type: ['access'], outcome: 'unknown' },
      { type: ['access', 'error'], outcome: 'failure' },
    ],
  },
  trust: {
    category: ['configuration'],
    cases: [
      { actions: ['changed', 'trust_on_first_use', 'approved'], ...change },
      { actions: ['fetched', 'from_cache', 'pending_dropped'], ...info },
      failures,
    ],
  },
  revocation: {
    category: ['configuration'],
    cases: [
      { actions: ['crl_fetched', 'ocsp_fetched', 'crl_restarted', 'forgotten'], ...change },
      { actions: ['crl_from_cache', 'crl_confirmed', 'ocsp_confirmed'], ...info },
      failures,
    ],
  },
  keys: {
    category: ['configuration'],
    cases: [{ actions: ['changed'], ...change }, { actions: ['fetched', 'from_cache'], ...info }, failures],
  },
  thread: { category: ['process'], cases: [{ type: ['end'], outcome: 'failure' }] },
  config: { category: ['configuration'], cases: [{ actions: ['reloaded'], ...change }, failures] },
};

export function categoriesOf(record: RecordType, action: string): Categories {
  const { category, cases } = categoryRules[record];
  for (const { actions, type, outcome } of cases)
    if (actions === undefined || actions.includes(action)) return { category, type, outcome };
  return { category, type: ['info'], outcome: 'unknown' };
}
