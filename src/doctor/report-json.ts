/** The report as JSON: the same facts as the text, under names that scripts may rely on. */
import type { Certificate } from '../pki/certificate.ts';
import { describeKey } from './chain-checks.ts';
import { type Check, checkIds } from './check.ts';
import type { Grade } from './grade.ts';
import { percentilesOf } from './latency-checks.ts';
import { adviceOf, countOf, type Report } from './report.ts';

/** `error`: why the endpoint cannot be reached. */
export function reportJson(report: Report, error?: string): object {
  const { grade } = report;
  return {
    url: report.url,
    address: report.address,
    name: report.name,
    at: report.at.toISOString(),
    version: report.version,
    duration_ms: Math.round(report.durationMs),
    result: countOf(report, 'fail') === 0 && error === undefined ? 'pass' : 'fail',
    ...(error === undefined ? {} : { error }),
    counts: Object.fromEntries(
      (['pass', 'fail', 'warn', 'unknown'] as const).map((outcome) => [outcome, countOf(report, outcome)]),
    ),
    grade: grade && gradeJson(grade),
    checks: report.checks.toSorted(byId).map(checkJson),
    what_to_do: adviceOf(report).map(({ checks, hint }) => ({ checks: checks.map(({ id }) => id), hint })),
    chain: report.chain.map(certificateJson),
    other_chain: report.otherChain.map(certificateJson),
    cipher_suites: report.suites.map(({ name, version, forwardSecrecy, aead, bits, insecure }) => {
      return { version, name, bits, forward_secrecy: forwardSecrecy, aead, insecure };
    }),
    ca_names: report.caNames.map(({ text }) => text),
    signature_algorithms: report.signatureAlgorithms,
    latency: latencyJson(report),
  };
}

function gradeJson({ letter, ignoringTrust, scores, caps }: Grade): object {
  const { protocol, keyExchange, cipher } = scores;
  return {
    letter,
    ignoring_trust: ignoringTrust,
    scores: { protocol, key_exchange: keyExchange, cipher },
    caps,
  };
}

function certificateJson(certificate: Certificate, depth: number): object {
  return {
    depth,
    subject: certificate.subject,
    issuer: certificate.issuer,
    serial: certificate.serial,
    not_before: new Date(certificate.notBefore).toISOString(),
    not_after: new Date(certificate.notAfter).toISOString(),
    key: describeKey(certificate),
    signature_hash: certificate.signatureHash,
    sha256: certificate.sha256,
    pin: `sha256/${certificate.spkiPin}`,
  };
}

function byId(one: Check, other: Check): number {
  return checkIds.indexOf(one.id) - checkIds.indexOf(other.id);
}

function checkJson({ id, group, name, outcome, fact, hint }: Check): object {
  return { id, group, name, outcome, fact, ...(hint === undefined ? {} : { hint }) };
}

function latencyJson({ tries }: Report): object {
  const of = (times: readonly (number | null)[]) => {
    const measured = times.filter((ms) => ms !== null);
    if (measured.length === 0) return null;
    const { p50, p99 } = percentilesOf(measured);
    return { tries: measured.length, p50_ms: rounded(p50), p99_ms: rounded(p99) };
  };
  return {
    handshake: of(tries.map(({ handshakeMs }) => handshakeMs)),
    message: of(tries.map(({ messageMs }) => messageMs)),
  };
}

function rounded(ms: number): number {
  return Math.round(ms * 100) / 100;
}
