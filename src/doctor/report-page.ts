/** The report as an evidence page: every fact that the examination measured. */
import { lineChart } from '../evidence/chart.ts';
import type { EvidencePage, Section } from '../evidence/page.ts';
import type { Certificate } from '../pki/certificate.ts';
import { describeKey } from './chain-checks.ts';
import { groups } from './check.ts';
import { describeCaps, describeGrade, describeScores, type Report } from './report.ts';
import { summaryOf } from './report-text.ts';

/** `tried`: what the command was asked to do, without secrets. */
export function reportPage(report: Report, tried: readonly (readonly [string, string])[]): EvidencePage {
  const { grade } = report;
  return {
    title: 'Examination of an EHI endpoint',
    subtitle: report.url,
    at: report.at,
    version: report.version,
    facts: [
      ['Endpoint', report.url],
      ['Address', report.address ?? 'none reached'],
      ['Name in the certificate', report.name],
      ['When', `${report.at.toISOString()}, for ${(report.durationMs / 1000).toFixed(1)} s`],
      ['By', `ehi-gateway ${report.version} doctor`],
      ...tried,
      ['Result', summaryOf(report)],
      ['Grade', describeGrade(grade)],
      ['Scores', describeScores(grade) ?? 'none'],
      ['Capped by', describeCaps(grade).join('; ') || 'nothing'],
    ],
    sections: [...checkSections(report), ...detailSections(report)],
  };
}

function checkSections({ checks }: Report): Section[] {
  return groups.flatMap((group): Section[] => {
    const own = checks.filter((each) => each.group === group);
    return own.length === 0 ? [] : [{ kind: 'checks', heading: group, checks: own }];
  });
}

function detailSections(report: Report): Section[] {
  const { chain, otherChain, suites, caNames, signatureAlgorithms } = report;
  const sections: Section[] = [
    {
      kind: 'table',
      heading: 'Certificates as sent',
      columns: ['Depth', 'Subject', 'Issuer', 'Serial', 'Valid', 'Key', 'SHA-256'],
      rows: [...chain.map(certificateRow), ...otherChain.map(certificateRow)],
    },
    {
      kind: 'table',
      heading: 'Cipher suites offered',
      columns: ['Version', 'Suite', 'Bits', 'Forward secrecy', 'AEAD', 'Insecure'],
      rows: suites.map(({ version, name, bits, forwardSecrecy, aead, insecure }) => [
        ...[version, name, String(bits)],
        ...[forwardSecrecy ? 'yes' : 'no', aead ? 'yes' : 'no', insecure ?? ''],
      ]),
    },
    { kind: 'text', heading: 'Acceptable CA names', text: caNames.map(({ text }) => text).join('\n') },
    { kind: 'text', heading: 'Signature algorithms asked for', text: signatureAlgorithms.join('\n') },
  ];
  const filled = sections.filter((section) =>
    'rows' in section ? section.rows.length : section.kind === 'text' && section.text.length,
  );
  return [...filled, ...latencySections(report)];
}

function certificateRow(certificate: Certificate, depth: number): string[] {
  const { subject, issuer, serial, notBefore, notAfter, sha256 } = certificate;
  const validity = `${day(notBefore)} to ${day(notAfter)}`;
  return [String(depth), subject, issuer, serial, validity, describeKey(certificate), sha256];
}

function day(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}

function latencySections({ tries }: Report): Section[] {
  const seriesOf = (name: string, times: readonly (number | null)[]) => ({
    name,
    points: times.flatMap((ms, index) => (ms === null ? [] : [[index + 1, ms] as const])),
  });
  const series = [
    seriesOf(
      'handshake',
      tries.map(({ handshakeMs }) => handshakeMs),
    ),
    seriesOf(
      'message',
      tries.map(({ messageMs }) => messageMs),
    ),
  ].filter(({ points }) => points.length > 1);
  if (series.length === 0) return [];
  const svg = lineChart({ label: 'Time of each try', unit: 'ms', xUnit: 'try', series });
  return [{ kind: 'chart', heading: 'Latency', svg }];
}
