/** Formats the trust anchors, and the change that a new root would make, as text and as JSON. */

import { safeJson } from '../foreign-text.ts';
import type { Certificate } from '../pki/certificate.ts';
import { withColons } from '../pki/fingerprint.ts';
import { type AnchoredCertificate, diffAnchors } from '../trust/anchor-changes.ts';
import type { AnchorStatus, PendingRootStatus } from '../trust/offline-status.ts';

const bases = { files: 'files', pin: 'pinned', approval: 'approved', first_use: 'first use' } as const;

/** `AB:CD:…`, as OpenSSL prints it. */
export function fingerprint(sha256: string): string {
  return withColons(sha256.toUpperCase());
}

export function describeList(holdings: readonly AnchorStatus[]): string {
  return holdings.map(describeHolding).join('\n\n');
}

function describeHolding(holding: AnchorStatus): string {
  const { name, list, state, problem, basis, pending } = holding;
  const facts = [
    ...(list === 'candidates' ? ['candidate'] : []),
    ...(basis === null ? [] : [bases[basis]]),
    ...(basis === 'files' && state?.pinned ? ['pinned'] : []),
    ...(state === null || basis === 'files' ? [] : [`fetched ${isoTime(state.fetchedAt)}`]),
  ];
  const lines = [[name, ...facts].join('  ')];
  if (problem !== null) lines.push(`  not usable: ${problem}`);
  for (const certificate of state?.certificates ?? []) {
    lines.push(...describeCertificate(factsOf(certificate, state?.origins.get(certificate.sha256) ?? '')));
  }
  if (pending !== null)
    lines.push(`  a new root waits for approval; show it with: trust diff --anchor ${name}`);
  return lines.join('\n');
}

interface CertificateLines {
  readonly mark?: '+' | '-';
  readonly subject: string;
  readonly rows: readonly (readonly [label: string, value: string])[];
}

function factsOf(
  { subject, serial, notAfter, sha256, spkiPin }: Certificate,
  source: string,
): CertificateLines {
  return {
    subject,
    rows: [
      ['serial', serial],
      ['not after', isoTime(notAfter)],
      ['SHA-256', fingerprint(sha256)],
      ['SPKI pin', `sha256/${spkiPin}`],
      ['source', source],
    ],
  };
}

function describeCertificate({ mark, subject, rows }: CertificateLines): string[] {
  return [
    `  ${mark === undefined ? '' : `${mark} `}${subject}`,
    ...rows.map(([label, value]) => `      ${label.padEnd(12)}${value}`),
  ];
}

export function describeDiff(holdings: readonly AnchorStatus[]): string {
  const waiting = holdings.flatMap((holding) => {
    const { pending } = holding;
    return pending === null ? [] : [describePending(holding, pending)];
  });
  return waiting.length === 0 ? 'no root waits for approval' : waiting.join('\n\n');
}

function describePending(holding: AnchorStatus, pending: PendingRootStatus): string {
  const { name, rootSha256 } = holding;
  const { added, removed } = changeOf(holding, pending);
  const mark = (sign: '+' | '-') => (certificate: AnchoredCertificate) => {
    const { subject, serial, notBefore, notAfter, sha256, source } = certificate;
    const rows = [
      ['serial', serial],
      ['not before', isoTime(notBefore)],
      ['not after', isoTime(notAfter)],
      ['SHA-256', fingerprint(sha256)],
      ['source', source],
    ] as const;
    return describeCertificate({ mark: sign, subject, rows });
  };
  const next =
    pending.problem !== null
      ? `  It cannot be used now: ${pending.problem}`
      : rootSha256 !== undefined && rootSha256 !== pending.rootSha256
        ? '  rootSha256 in the configuration allows only the known root: change it there to use this one.'
        : pending.isApproved
          ? '  Approved, not in use yet: a running gateway uses it within seconds.'
          : `  Compare the SHA-256 of the root with the one that its CA publishes by another channel, then run:\n  ehi-gateway trust approve --config FILE --anchor ${name} --sha256 HEX`;
  return [
    `${name}  a new root waits for approval, last served ${isoTime(pending.fetchedAt)}`,
    ...removed.flatMap(mark('-')),
    ...added.flatMap(mark('+')),
    next,
  ].join('\n');
}

function changeOf({ state }: AnchorStatus, pending: PendingRootStatus) {
  return diffAnchors(state === null ? [] : [state], [pending]);
}

/** Field names as in the audit records. */
export function listJson(holdings: readonly AnchorStatus[]): string {
  const anchors = holdings.map(({ name, list, state, problem, basis, pending }) => ({
    anchor: name,
    candidate: list === 'candidates',
    basis,
    pinned: state?.pinned ?? null,
    fetched_at: state === null || basis === 'files' ? null : isoTime(state.fetchedAt),
    problem,
    pending: pending?.rootSha256 ?? null,
    certificates: (state?.certificates ?? []).map((certificate) => ({
      subject: certificate.subject,
      serial: certificate.serial,
      not_before: isoTime(certificate.notBefore),
      not_after: isoTime(certificate.notAfter),
      sha256: certificate.sha256,
      spki_pin: certificate.spkiPin,
      source: state?.origins.get(certificate.sha256) ?? null,
    })),
  }));
  return safeJson({ anchors });
}

export function diffJson(holdings: readonly AnchorStatus[]): string {
  const factsOfCertificate = ({
    subject,
    serial,
    sha256,
    source,
    notBefore,
    notAfter,
  }: AnchoredCertificate) => ({
    subject,
    serial,
    sha256,
    source,
    not_before: isoTime(notBefore),
    not_after: isoTime(notAfter),
  });
  const waiting = holdings.flatMap((holding) => {
    const { name, list, pending } = holding;
    if (pending === null) return [];
    const { added, removed } = changeOf(holding, pending);
    return {
      anchor: name,
      candidate: list === 'candidates',
      root_sha256: pending.rootSha256,
      fetched_at: isoTime(pending.fetchedAt),
      approved: pending.isApproved,
      problem: pending.problem,
      added: added.map(factsOfCertificate),
      removed: removed.map(factsOfCertificate),
    };
  });
  return safeJson({ pending: waiting });
}

function isoTime(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}
