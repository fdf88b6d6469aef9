/** What an examination found, as one value: the commands print it as text, as JSON, or as a page. */
import type { Certificate } from '../pki/certificate.ts';
import type { CaName } from './ca-name.ts';
import type { Check } from './check.ts';
import type { Grade } from './grade.ts';
import type { Try } from './latency.ts';
import type { OfferedSuite } from './protocol-facts.ts';

export interface Report {
  readonly url: string;
  /** The address that was examined; null: none accepts connections. */
  readonly address: string | null;
  /** The name or address that the certificate must be valid for. */
  readonly name: string;
  readonly at: Date;
  /** Of ehi-gateway. */
  readonly version: string;
  readonly durationMs: number;
  readonly checks: readonly Check[];
  /** null: TLS could not be examined. */
  readonly grade: Grade | null;
  /** As sent, the leaf first. */
  readonly chain: readonly Certificate[];
  /** The chain with the other kind of key, RSA or EC; empty: the server has one. */
  readonly otherChain: readonly Certificate[];
  readonly suites: readonly OfferedSuite[];
  readonly caNames: readonly CaName[];
  readonly signatureAlgorithms: readonly string[];
  readonly tries: readonly Try[];
}

export type Outcome = Check['outcome'];

export function countOf({ checks }: Pick<Report, 'checks'>, outcome: Outcome): number {
  return checks.filter((each) => each.outcome === outcome).length;
}

/** `A`, or `T (A if trust is ignored)`; `none` if TLS could not be examined. */
export function describeGrade(grade: Grade | null): string {
  if (grade === null || grade.letter === null) return 'none: TLS could not be examined';
  const { letter, ignoringTrust } = grade;
  if (letter === 'T') return `T: the certificate is not trusted (${ignoringTrust} if trust is ignored)`;
  if (letter === 'M') return `M: the certificate is for another name (${ignoringTrust} if that is ignored)`;
  return letter;
}

/** One line per rule that lowers the grade; empty: none. */
export function describeCaps(grade: Grade | null): string[] {
  return (grade?.caps ?? []).map(({ letter, reason }) => `${reason}: ${letter} at most`);
}

/** `protocols 100, key exchange 90, ciphers 90`. */
export function describeScores(grade: Grade | null): string | null {
  if (grade === null || grade.letter === null) return null;
  const { protocol, keyExchange, cipher } = grade.scores;
  return `protocols ${protocol}, key exchange ${keyExchange}, ciphers ${cipher}`;
}

export interface Advice {
  readonly outcome: Outcome;
  readonly checks: readonly Check[];
  readonly hint: string;
}

const urgency: readonly Outcome[] = ['fail', 'warn', 'unknown', 'pass'];

/** What to do, the most urgent first; checks with the same hint are one entry. */
export function adviceOf({ checks }: Pick<Report, 'checks'>): Advice[] {
  const byHint = Map.groupBy(
    checks.filter(({ hint }) => hint !== undefined),
    ({ outcome, hint }) => `${urgency.indexOf(outcome)} ${hint}`,
  );
  return [...byHint.values()]
    .map((same) => ({
      outcome: same[0]?.outcome ?? 'unknown',
      checks: same,
      hint: same[0]?.hint ?? '',
    }))
    .toSorted((one, other) => urgency.indexOf(one.outcome) - urgency.indexOf(other.outcome));
}
