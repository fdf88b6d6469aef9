/** What a finding means, in one to three sentences. */
import type { Finding, FindingKind } from './finding.ts';

type Meaning = (finding: Finding) => string;

const shortened =
  'The gateway states in its next seal that something else shortened the file, so this can be an effect of copytruncate. A removal cannot be ruled out.';
const stopped =
  'The gateway had stopped in order before, and writes nothing after that until it is started again.';
const running =
  'A running gateway seals them within the interval of audit.seal; after a crash it does so when it is started again.';

const accepted =
  'With --accept-confirmed they are a gap if they stand before the first right signature of the chain.';

const tampering = {
  lines_changed: () =>
    'Between these two seals are as many lines as the gateway sealed, but at least one was changed.',
  lines_removed: ({ severity, count }) =>
    `${linesAre(count)} missing that the gateway sealed.${severity === 'gap' ? ` ${shortened}` : ''}`,
  lines_inserted: ({ detail, count }) =>
    detail === 'after stop'
      ? `${linesAre(count)} before the first seal after a restart. ${stopped} ${count === 1 ? 'It was' : 'They were'} inserted, or written by a gateway without audit.seal.`
      : detail === 'located'
        ? `The gateway did not seal ${count === 1 ? 'this line; without it' : 'these lines; without them'} the seal is right.`
        : `There ${count === 1 ? 'is 1 line' : `are ${count} lines`} more than the gateway sealed; others may have been changed too.`,
  lines_reordered: ({ detail }) =>
    detail === 'seal'
      ? 'A seal stands at another place among these lines than where the gateway wrote it. The lines themselves are right.'
      : 'Each of these two lines is in the place of the other.',
  seals_missing: (finding) => {
    const { from, to, severity } = finding;
    const missing = `${sealsAre(finding)} missing with the lines that they cover.${unproven(finding)}`;
    if (severity === 'gap') return `${missing} ${shortened}`;
    return from?.file === to?.file ? missing : `${missing} A file between these two may be missing.`;
  },
  seal_altered: (finding) =>
    `${sealsWere(finding)} altered, or replaced together with the lines that it covers.${unproven(finding)}`,
  seal_damaged: (finding) => {
    const { from, to, seals: range } = finding;
    const [lines, stand] =
      from?.line === to?.line
        ? ['This line begins as a seal and is none.', 'It stands']
        : ['Lines here begin as seals and are none.', 'They stand'];
    return `${lines}${range === null ? '' : ` ${stand} in the place of ${seals(finding)}.`}${unproven(finding)}`;
  },
  seal_repeated: (finding) =>
    `${sealsAre(finding)} here a second time${finding.count ? `, with ${lines(finding.count)}` : ''}.`,
  seal_out_of_order: (finding) => `${sealsAre(finding)} here after a later one.`,
  seal_foreign: (finding) =>
    `${sealsAre(finding)} not of this chain, which has other seals with these numbers: they were inserted.`,
  signature_invalid: (finding) =>
    `The signature of ${seals(finding)} does not fit: altered, or made without the private key.${unproven(finding)}`,
  key_unknown: (finding) =>
    `${sealsWere(finding)} signed with the key ${finding.detail}, which was not given. ${
      finding.severity === 'gap'
        ? 'A later seal with a right signature confirms this. To check these too, add that public key to the file.'
        : `If the key was replaced at that time, add its public key to the file. Otherwise they were forged. ${accepted}`
    }`,
  seal_unsigned: (finding) =>
    `${sealsAre(finding)} without a signature. ${
      finding.severity === 'gap'
        ? 'A later seal with a right signature confirms this.'
        : `A public key was given, and without a signature anybody can make seals. ${accepted}`
    }`,
  chain_inserted: ({ chain }) =>
    `Seals of the chain ${chain} stand among those of another one. A gateway begins another chain in a file only with the event started, and does not go back to a former one: they were inserted, or two gateways write to one file.`,
  chain_begin_missing: (finding) =>
    `A chain begins here in its middle: ${sealsAre(finding)} missing with their lines, although older files were given. If these are the files of two gateways, verify them separately.`,
} as const satisfies Partial<Record<FindingKind, Meaning>>;

const gaps = {
  records_lost: ({ count }) =>
    `The gateway states that it lost ${count === 1 ? '1 record' : `${count} records`} here, because the destination did not accept them.`,
  file_shortened: (finding) => {
    const { detail, count } = finding;
    const stated = 'The gateway states that something else shortened the file, such as copytruncate.';
    if (detail === 'complete') return `${stated} All lines that it sealed are here.`;
    const missing =
      count === null ? `${sealsAre(finding)} missing with their lines` : `${linesAre(count)} missing`;
    return `${stated} ${missing}, and nothing is proven about the lines between these two seals.`;
  },
  sealed_late: ({ count }) =>
    `The gateway ended without a last seal (a crash or a kill), and sealed ${lines(count)} only after its restart. What happened to them in between is not proven; further lines and seals may have been removed.`,
  stop_missing: () =>
    'The gateway resumed the chain here, behind a seal that is no orderly stop: it had crashed or was killed directly after that seal, or lines and seals were removed while it was not running.',
  tail_unsealed: ({ count, detail }) =>
    count === 0
      ? 'The last file ends within a line, as after a crash.'
      : `${linesAre(count)} after the last seal, so that nothing is proven about them. ${detail === null ? running : stopped}`,
  begin_unsealed: ({ count }) =>
    `${linesAre(count)} before the first seal: written before audit.seal was configured, or inserted. Nothing is proven about them.`,
  begin_unproven: ({ count }) =>
    `The seal after ${count === 1 ? 'this line' : `these ${lines(count)}`} also covers lines of an older file that was not given. Together with that file they can be verified.`,
  chain_end_open: () =>
    'This chain ends without an orderly stop, and the gateway began another one. Lines at its end may be missing.',
  key_changed: ({ detail }) =>
    `From here on the seals name another key (${detail}). To check them, give both public keys in one file with --public-key.`,
  other_lines: ({ count }) =>
    `${linesAre(count)} here that are no audit records, such as the log of the gateway on the same output. No seal covers them. The audit records between them are proven.`,
} as const satisfies Partial<Record<FindingKind, Meaning>>;

const notices = {
  older_files_absent: (finding) =>
    `The chain is older than the oldest file that was given: ${sealsAre(finding)} not here, as after a rotation that removed old files.`,
  partial_line: ({ detail }) =>
    detail === 'record'
      ? 'The file ends with a complete record that has no newline. No seal covers it, so that nothing is proven about it.'
      : 'The file ends within a line. The gateway writes such a line again as a whole, so that this part counts for nothing.',
  file_repeated: ({ detail }) => `All its lines are also in ${detail}. It was left out.`,
} as const satisfies Partial<Record<FindingKind, Meaning>>;

const meanings: Record<FindingKind, Meaning> = { ...tampering, ...gaps, ...notices };

export function describeFinding(finding: Finding): string {
  return meanings[finding.kind](finding);
}

function unproven({ detail }: Finding): string {
  return detail === 'lines unproven' ? ' Nothing is proven about the lines before it.' : '';
}

function lines(count: number | null): string {
  return count === 1 ? '1 line' : `${count ?? 0} lines`;
}

const linesAre = (count: number | null) => `${lines(count)} ${count === 1 ? 'is' : 'are'}`;

function seals({ seals: range, kind }: Finding): string {
  if (range === null) return 'seals';
  const { first, last } = range;
  if (first === last) return `seal ${first}`;
  return kind === 'seal_altered' ? `seal ${first} or ${last}` : `seals ${first} to ${last}`;
}

function sealsAre(finding: Finding): string {
  return `${capital(seals(finding))} ${isOne(finding) ? 'is' : 'are'}`;
}

function sealsWere(finding: Finding): string {
  return `${capital(seals(finding))} ${isOne(finding) ? 'was' : 'were'}`;
}

function isOne({ seals: range, kind }: Finding): boolean {
  return range === null || range.first === range.last || kind === 'seal_altered';
}

const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);
