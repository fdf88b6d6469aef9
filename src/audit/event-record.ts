/** The audit's lines about what changes by itself or by the operator's hand: revocation data and the configuration. */

import { isoTime } from '../telemetry/clock.ts';
import { clientText, quote } from './record.ts';

/** What became of a source of revocations. */
export interface RevocationFacts {
  /** Milliseconds since the epoch. */
  readonly time: number;
  /** A closed word of the gateway's own, as `crl_fetched`. */
  readonly event: string;
  readonly anchor: string;
  /** URL or path. */
  readonly address: string | null;
  /** The subject that was asked about. */
  readonly certificate: string | null;
  readonly detail: string | null;
}

/** What became of a changed configuration. */
export interface ConfigFacts {
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly event: 'reloaded' | 'refused';
  /** Of the snapshot that came of it; null: none did. */
  readonly generation: number | null;
  /** Paths of fields, as `clients.pins`; values are not told. */
  readonly changed: readonly string[];
  /** Changed paths that stay as they are until a restart. */
  readonly fixed: readonly string[];
  /** How many things were wrong. */
  readonly problems: number;
}

/** One line, with its newline. */
export function revocationLine(facts: RevocationFacts): string {
  return (
    `{"type":"revocation","time":"${isoTime(facts.time)}","event":${quote(facts.event)}` +
    `,"anchor":${quote(facts.anchor)},"address":${clientText(facts.address)}` +
    `,"certificate":${clientText(facts.certificate)},"detail":${clientText(facts.detail)}}\n`
  );
}

/** One line, with its newline. */
export function configLine({ time, event, ...facts }: ConfigFacts): string {
  return `${JSON.stringify({ type: 'config', time: isoTime(time), event, ...facts })}\n`;
}
