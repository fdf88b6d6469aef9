/** The handshake of a connection and later verdicts on it, in words for an operator. */

import { adviceParts, splitDetail } from '../../explanation.ts';
import type { AuditRecord } from '../reading/records.ts';
import { connectionReason } from './reason-text.ts';
import { type StepText, sentence } from './step-text.ts';

export function describeHandshake(record: AuditRecord): StepText {
  return {
    title: titleOf(record),
    details: [
      sourceLine(record),
      ...tlsLines(record),
      ...leafLines(record),
      ...(record.verdict === 'allow' ? allowLines(record) : reasonLines(record)),
      ...shadowLines(record),
    ],
  };
}

export function describeLiveVerdict(record: AuditRecord): StepText {
  return {
    title: `Later verdict: the client is no longer allowed (${record.reason})`,
    details: [...reasonLines(record), `Policy: generation ${record.generation}.`],
  };
}

function titleOf({ verdict, reason }: AuditRecord): string {
  if (verdict === 'allow') return 'Handshake: the client was allowed';
  if (verdict === 'deny') return `Handshake: the client was denied (${reason})`;
  return `Handshake: failed (${reason})`;
}

function sourceLine({ source_address, source_port, proxy_address, listener }: AuditRecord): string {
  const from =
    source_address == null
      ? 'an unknown address'
      : `${source_address}${source_port == null ? '' : ` port ${source_port}`}`;
  const proxy = proxy_address == null ? '' : `, by the load balancer ${proxy_address}`;
  return `From: ${from}${proxy}, to ${listener}.`;
}

function tlsLines({ tls_version, cipher, resumed, sni, alpn, duration_ms }: AuditRecord): string[] {
  const kind = resumed === null || resumed === undefined ? [] : [resumed ? 'resumed' : 'full handshake'];
  const parts = [
    ...(tls_version == null ? [] : [String(tls_version)]),
    ...(cipher == null ? [] : [String(cipher)]),
    ...(tls_version == null ? [] : kind),
    ...(sni == null ? [] : [`host name ${sni}`]),
    ...(alpn == null ? [] : [`ALPN ${alpn}`]),
  ];
  const took =
    typeof duration_ms === 'number' ? [`Time: ${duration_ms} ms from the accept to this verdict.`] : [];
  return parts.length === 0 ? took : [`TLS: ${parts.join(', ')}.`, ...took];
}

function leafLines({ leaf, verdict, anchor, resumed }: AuditRecord): string[] {
  if (verdict === 'allow' && leaf === null)
    return ['Certificate: none was sent, and clients.certificate is optional.'];
  if (typeof leaf !== 'object' || leaf === null)
    return [
      resumed === true
        ? 'Certificate: none is known here, because none is sent when a session is resumed; the record of the session’s first handshake may have it.'
        : 'Certificate: none is known, because none was sent or it was not read.',
    ];
  const { subject, issuer, serial, not_before, not_after, pin } = leaf as AuditRecord;
  const unproven = verdict === 'failed' ? unprovenText(resumed === true) : '';
  return [
    `Certificate: ${subject}, issued by ${issuer}, serial ${serial}, valid from ${not_before ?? '?'} to ${not_after ?? '?'}.${unproven}`,
    ...(pin == null ? [] : [`Pin: ${pin}`]),
    ...(anchor == null ? [] : [`Trust anchor: ${anchor}.`]),
  ];
}

function unprovenText(isResumed: boolean): string {
  return isResumed
    ? ' It is the one of the session that the client asked to resume; none is sent then.'
    : ' The client did not prove that it has the private key of this certificate.';
}

const revocationTexts: Readonly<Record<string, string>> = {
  good: 'good: no certificate of the path is revoked',
  stale:
    'stale: the CRL or OCSP response had expired and was used for the grace; see the revocation events of the anchor',
  not_checked: 'not checked: no certificate of the path names a revocation source, and none is configured',
  unknown: 'unknown: no current CRL or OCSP response was there, and the policy allows that (soft-fail)',
  revoked: 'revoked',
};

function allowLines({ revocation, generation }: AuditRecord): string[] {
  const text = revocationTexts[String(revocation)];
  return [
    ...(text === undefined ? [] : [`Revocation: ${text}.`]),
    ...(generation == null ? [] : [`Policy: generation ${generation}.`]),
  ];
}

/** The detail is the more precise text on what happened, and its advice the more precise advice. */
function reasonLines({ reason, detail, openssl_code: code }: AuditRecord): string[] {
  const text = typeof reason === 'string' ? connectionReason(reason) : null;
  const { what: precise, advice } = splitDetail(typeof detail === 'string' ? detail : '');
  const error = code == null ? [] : [`Error code of OpenSSL or the system: ${code}.`];
  if (text === null)
    return [
      `What happened: ${sentence(precise)} This version of the command does not know the reason ${reason}.`,
      ...error,
    ];
  return [
    `What happened: ${sentence(precise === '' ? text.says : precise)}`,
    ...error,
    ...adviceLines(advice === '' ? text.advice : advice),
  ];
}

const adviceLabels: Readonly<Record<string, string>> = {
  Likely: 'Likely cause',
  Client: 'Client side',
  Gateway: 'Gateway side',
};
function adviceLines(advice: string): string[] {
  return adviceParts(advice).map(([label, text]) => `${adviceLabels[label]}: ${sentence(text)}`);
}

function shadowLines({ shadow, verdict }: AuditRecord): string[] {
  if (typeof shadow !== 'object' || shadow === null) return [];
  const { verdict: other, reasons } = shadow as AuditRecord;
  if (other === verdict) return [];
  const why = Array.isArray(reasons) && reasons.length > 0 ? ` (${reasons.join(', ')})` : '';
  return [`Shadow policy: it would ${other === 'allow' ? 'allow' : 'deny'} this client${why}.`];
}
