/** The words for a finding: its name, and where it is. */
import type { Finding, FindingKind, Place } from './finding.ts';

const names: Record<FindingKind, string> = {
  lines_changed: 'lines changed',
  lines_removed: 'lines removed',
  lines_inserted: 'lines inserted',
  lines_reordered: 'lines reordered',
  seals_missing: 'seals and their lines removed',
  seal_altered: 'seal altered',
  seal_damaged: 'seal damaged',
  seal_repeated: 'seals repeated',
  seal_out_of_order: 'seals reordered',
  seal_foreign: 'seals of another origin',
  signature_invalid: 'signature wrong',
  key_unknown: 'signed with another key',
  seal_unsigned: 'seals without a signature',
  chain_begin_missing: 'begin of a chain removed',
  chain_inserted: 'seals of another chain',
  records_lost: 'records lost',
  file_shortened: 'file shortened',
  sealed_late: 'sealed only after a restart',
  stop_missing: 'restart without an orderly stop',
  tail_unsealed: 'lines after the last seal',
  begin_unsealed: 'lines before the first seal',
  begin_unproven: 'first lines not proven',
  chain_end_open: 'end of a chain not proven',
  key_changed: 'another key',
  other_lines: 'lines of another program',
  older_files_absent: 'older files not given',
  partial_line: 'unfinished line',
  file_repeated: 'file given twice',
};

export function nameOf({ kind }: Finding): string {
  return names[kind];
}

/** The files, lines and times that the finding lies between. */
export function whereOf({ from, to, kind, detail }: Finding): string {
  if (kind === 'file_repeated') return from?.file ?? '';
  if (from === null) return to === null ? '' : `${to.file}, before line ${lineOf(to)}`;
  if (to === null) {
    const isAt = kind === 'partial_line' || kind === 'begin_unsealed';
    return `${from.file}, ${isAt ? '' : 'after '}line ${lineOf(from)}`;
  }
  const isSame = from.file === to.file;
  if (isSame && from.line === to.line) return `${from.file}, line ${lineOf(from)}`;
  if (isSame && detail === 'swapped') return `${from.file}, lines ${lineOf(from)} and ${lineOf(to)}`;
  if (isSame && detail === 'located') return `${from.file}, lines ${lineOf(from)} to ${lineOf(to)}`;
  if (isSame) return `${from.file}, between line ${lineOf(from)} and line ${lineOf(to)}`;
  return `between ${from.file}, line ${lineOf(from)}, and ${to.file}, line ${lineOf(to)}`;
}

function lineOf({ line, time }: Place): string {
  return time === null ? `${line}` : `${line} (${time})`;
}
