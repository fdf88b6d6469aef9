/** The audit's lines about what changes by itself or by hand: trust, revocations, threads, the configuration. */

import { isoTime } from '../telemetry/clock.ts';
import { clientText, cut, date, quote } from './text.ts';

/** An event of the trust store, told by the control thread. */
export interface TrustFacts {
  /** Milliseconds since the epoch. */
  readonly time: number;
  /** A closed word of the gateway's own, as `trust_on_first_use`. */
  readonly event: string;
  /** null: several at once. */
  readonly anchor: string | null;
  /** Hex SHA-256 of the root's DER. */
  readonly rootSha256: string | null;
  /** From the configuration. */
  readonly url: string | null;
  readonly detail: string | null;
  /** What came into use and what went out of it; null: the event is no change. */
  readonly added: readonly AnchoredFacts[] | null;
  readonly removed: readonly AnchoredFacts[] | null;
}

/** One certificate of a trust anchor. */
export interface AnchoredFacts {
  readonly anchor: string;
  readonly subject: string;
  readonly serial: string;
  /** Hex SHA-256 of the DER. */
  readonly sha256: string;
  /** The URL or the file that it came from. */
  readonly source: string;
  /** Milliseconds since the epoch. */
  readonly notBefore: number;
  readonly notAfter: number;
}

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

/** The end of a relay thread that nobody asked to end: what it had not told yet is lost. */
export interface ThreadFacts {
  /** Milliseconds since the epoch. */
  readonly time: number;
  /** Never used twice. */
  readonly thread: number;
  readonly detail: string | null;
}

/** One line, with its newline. */
export function threadLine({ time, thread, detail }: ThreadFacts): string {
  const what = `"event":"died","thread":${thread},"detail":${clientText(detail)}`;
  return `{"type":"thread","time":"${isoTime(time)}",${what}}\n`;
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

/** One line, with its newline. */
export function trustLine(facts: TrustFacts): string {
  return (
    `{"type":"trust","time":"${isoTime(facts.time)}","event":${quote(facts.event)}` +
    `,"anchor":${quote(facts.anchor)},"root_sha256":${quote(facts.rootSha256)},"url":${quote(facts.url)}` +
    `,"detail":${clientText(facts.detail)}` +
    `,"added":${anchored(facts.added)},"removed":${anchored(facts.removed)}}\n`
  );
}

/** Exempt from masking, like a leaf's own fields. */
function anchored(certificates: readonly AnchoredFacts[] | null): string {
  if (certificates === null) return 'null';
  return JSON.stringify(
    certificates.map((each) => ({
      anchor: each.anchor,
      subject: cut(each.subject),
      serial: cut(each.serial),
      sha256: each.sha256,
      source: each.source,
      not_before: date(each.notBefore),
      not_after: date(each.notAfter),
    })),
  );
}
