/** The audit records of the control thread: trust, revocation, key sets, relay threads, configuration. */

import { safeJson } from '../foreign-text.ts';
import { isoTime } from '../telemetry/clock.ts';
import { clientText, cut, date, quote } from './masked-values.ts';

/** An event of the trust anchors. */
export interface TrustFacts {
  /** Milliseconds since the epoch. */
  readonly time: number;
  /** One of `TrustAction`, such as `trust_on_first_use`. */
  readonly event: string;
  /** null: the event concerns several anchors. */
  readonly anchor: string | null;
  /** Hex SHA-256 of the root's DER. */
  readonly rootSha256: string | null;
  /** From the configuration. */
  readonly url: string | null;
  readonly detail: string | null;
  /** The certificates that are used now and were not before, and the reverse; null: the event is not a change. */
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
  /** The URL or the file that it was read from. */
  readonly source: string;
  /** Milliseconds since the epoch. */
  readonly notBefore: number;
  readonly notAfter: number;
}

/** An event of a revocation source. */
export interface RevocationFacts {
  /** Milliseconds since the epoch. */
  readonly time: number;
  /** One of `RevocationAction`, such as `crl_fetched`. */
  readonly event: string;
  readonly anchor: string;
  /** URL or path. */
  readonly address: string | null;
  /** The subject whose status OCSP answers. */
  readonly certificate: string | null;
  readonly detail: string | null;
}

/** An event of a key set. */
export interface KeysFacts {
  /** Milliseconds since the epoch. */
  readonly time: number;
  /** One of `KeysAction`, such as `fetched`. */
  readonly event: string;
  /** The URL or the path of the set, from the configuration. */
  readonly source: string;
  readonly detail: string | null;
  /** The keys that are used now and were not before, and the reverse; null: the event is not a change. */
  readonly added: readonly KeyFacts[] | null;
  readonly removed: readonly KeyFacts[] | null;
}

/** One key of a set. */
export interface KeyFacts {
  /** Chosen by the operator of the set. */
  readonly kid: string | null;
  /** RFC 7638, base64url SHA-256. */
  readonly thumbprint: string;
  /** Base64url SHA-256 of its certificate. */
  readonly certificate: string | null;
}

/** A reload of the configuration. */
export interface ConfigFacts {
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly event: 'reloaded' | 'refused';
  /** Of the snapshot built from it; null: none. */
  readonly generation: number | null;
  /** Paths of fields, such as `clients.pins`; never values. */
  readonly changed: readonly string[];
  /** Changed fields that take effect at the next restart only. */
  readonly fixed: readonly string[];
  /** Number of problems; 0 for `reloaded`. */
  readonly problems: number;
}

/** The unexpected end of a relay thread. What it had not reported yet is lost. */
export interface ThreadFacts {
  /** Milliseconds since the epoch. */
  readonly time: number;
  /** The number of the thread; never used twice. */
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
export function keysLine({ time, event, source, detail, added, removed }: KeysFacts): string {
  return (
    `{"type":"keys","time":"${isoTime(time)}","event":${quote(event)},"source":${quote(source)}` +
    `,"detail":${clientText(detail)},"added":${keysOf(added)},"removed":${keysOf(removed)}}\n`
  );
}

/** The hashes are exempt from masking, like the fields of a leaf. */
function keysOf(keys: readonly KeyFacts[] | null): string {
  if (keys === null) return 'null';
  const texts = keys.map(
    ({ kid, thumbprint, certificate }) =>
      `{"kid":${clientText(kid)},"thumbprint":${quote(thumbprint)},"certificate":${quote(certificate)}}`,
  );
  return `[${texts.join(',')}]`;
}

/** One line, with its newline. */
export function configLine({ time, event, ...facts }: ConfigFacts): string {
  return `${safeJson({ type: 'config', time: isoTime(time), event, ...facts })}\n`;
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

/** Exempt from masking, like the fields of a leaf. */
function anchored(certificates: readonly AnchoredFacts[] | null): string {
  if (certificates === null) return 'null';
  return safeJson(
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
