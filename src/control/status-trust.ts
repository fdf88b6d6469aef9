/** The parts of the status document on trust: certificates and their expiry, anchors, key sets, revocation sources. */
import type {
  AnchorStatus,
  CertificateStatus,
  KeySetStatus,
  RevocationStatus,
} from '../admin/status-schema.ts';
import { cut, maskText } from '../audit/masked-values.ts';
import type { LoadedConfig } from '../config/load.ts';
import type { KeySetState } from '../keys/state.ts';
import type { SourceState } from '../revocation/event.ts';
import { isoTime } from '../telemetry/clock.ts';
import { skippedAt } from '../trust/skipped-certificates.ts';
import type { AnchorSource } from '../trust/state.ts';

/** Of certificates, and of revocation sources. */
const maxListed = 200;

export interface TrustFacts {
  readonly serverCertificates: LoadedConfig['serverCertificates'];
  readonly anchors: readonly AnchorSource[];
}

interface Dated {
  readonly subject: string;
  readonly serial: string;
  readonly notAfter: number;
}

/** Those that expire first, at most 200. */
export function certificatesOf({ serverCertificates, anchors }: TrustFacts): CertificateStatus[] {
  const of = (role: 'server' | 'anchor', anchor: string | null) => {
    return ({ subject, serial, notAfter }: Dated): CertificateStatus => {
      return { role, anchor, name: cut(subject), serial: cut(serial), notAfter: isoTime(notAfter) };
    };
  };
  const certificates = [
    ...serverCertificates.flatMap(({ chain }) => chain.map(of('server', null))),
    ...anchors.flatMap(({ name, state }) => (state?.certificates ?? []).map(of('anchor', name))),
  ];
  return certificates.sort(byEnd).slice(0, maxListed);
}

export function byEnd(one: { readonly notAfter: string }, other: { readonly notAfter: string }): number {
  return one.notAfter < other.notAfter ? -1 : one.notAfter > other.notAfter ? 1 : 0;
}

export function keySetOf({ source, keys, skipped, fetchedAt, problem }: KeySetState): KeySetStatus {
  return {
    source,
    refreshedAt: timeOf(fetchedAt),
    keys: keys?.length ?? 0,
    passedOver: skipped.length,
    lastError: masked(problem),
  };
}

export function anchorOf(
  { name, state, pinned, hasPendingRoot, problem }: AnchorSource,
  now: number,
): AnchorStatus {
  return {
    name,
    source: state?.source ?? null,
    refreshedAt: timeOf(state?.fetchedAt ?? null),
    certificates: state?.certificates.length ?? 0,
    passedOver: state === null ? 0 : skippedAt(state, now).length,
    rootPinned: pinned,
    pendingRoot: hasPendingRoot,
    lastError: masked(problem),
  };
}

export function revocationOf(sources: readonly SourceState[]): RevocationStatus[] {
  return sources.toSorted(byUrgency).slice(0, maxListed).map(sourceOf);
}

/** Those that fail first, then those whose data ends first; a source without data comes before one that has some. */
function byUrgency(one: SourceState, other: SourceState): number {
  return other.failures - one.failures || (one.nextUpdate ?? 0) - (other.nextUpdate ?? 0);
}

function sourceOf(source: SourceState): RevocationStatus {
  const { anchor, kind, address, subject, serial, fetchedAt, nextUpdate, failures, problem, entries } =
    source;
  return {
    anchor,
    kind,
    address: maskText(address),
    subject: subject === null ? null : cut(subject),
    serial: serial === null ? null : cut(serial),
    refreshedAt: timeOf(fetchedAt),
    nextUpdate: timeOf(nextUpdate),
    failures,
    lastError: masked(problem),
    entries,
  };
}

export function timeOf(milliseconds: number | null): string | null {
  return milliseconds === null ? null : isoTime(milliseconds);
}

export function masked(text: string | null): string | null {
  return text === null ? null : maskText(text);
}
