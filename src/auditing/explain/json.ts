/** The explanation of a connection as one JSON document (docs/audit.md, "Explain"). */
import type { Explained, FoundConnection } from './record-search.ts';
import type { Story } from './steps.ts';

export interface ExplainedFacts {
  /** The id that was given. */
  readonly id: string;
  readonly budgetMs: number;
}

export function explanationDocument(
  found: FoundConnection,
  story: Story,
  { id, budgetMs, ...explained }: ExplainedFacts & Omit<Explained, 'found'>,
): object {
  return {
    ...{ id, found: true, conn_id: found.connId, request_id: found.requestId, ...story },
    budget_ms: budgetMs,
    left_out: { messages: found.leftOutMessages, events: found.leftOutEvents },
    ...coveredBy(explained),
  };
}

/** If no record has the id. */
export function notFoundDocument(id: string, explained: Explained): object {
  return { id, found: false, suggestions: explained.suggestions, ...coveredBy(explained) };
}

function coveredBy({ files, from, to, unreadable }: Omit<Explained, 'found'>): object {
  return { files, period: { from, to }, unreadable_lines: unreadable };
}
