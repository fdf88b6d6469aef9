/** What the verification finds: where, and how bad it is. */
import type { Line } from '../reading/lines.ts';
import { isWholeRecord, timeOfLine } from '../reading/record-line.ts';

/**
 * `tampering`: the files are not as the gateway wrote them. `gap`: nothing is wrong, but something is not proven.
 * `notice`: worth knowing; the files are sound.
 */
export type Severity = 'tampering' | 'gap' | 'notice';

export type FindingKind =
  /** As many lines as were sealed, but at least one is another one. */
  | 'lines_changed'
  | 'lines_removed'
  | 'lines_inserted'
  /** Two lines changed places, or a line and a seal. */
  | 'lines_reordered'
  /** Seals are missing together with their lines, such as in a removed file. */
  | 'seals_missing'
  | 'seal_altered'
  /** Lines that begin as seals and are none, and that no crash has cut off. */
  | 'seal_damaged'
  /** A seal, or a block of lines with its seals, stands twice. */
  | 'seal_repeated'
  | 'seal_out_of_order'
  /** Another seal with the number of one that stands before it. */
  | 'seal_foreign'
  | 'signature_invalid'
  | 'key_unknown'
  | 'seal_unsigned'
  | 'chain_begin_missing'
  /** Seals of another chain stand among those of a chain in the same file. */
  | 'chain_inserted'
  | 'records_lost'
  | 'file_shortened'
  | 'sealed_late'
  /** A process resumed the chain behind a seal that is no orderly stop. */
  | 'stop_missing'
  | 'tail_unsealed'
  | 'begin_unsealed'
  | 'begin_unproven'
  | 'chain_end_open'
  | 'key_changed'
  | 'other_lines'
  | 'older_files_absent'
  | 'partial_line'
  | 'file_repeated';

/** A line of a file. */
export interface Place {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** ISO 8601; the time that the line states. */
  readonly time: string | null;
}

/** Its fields change while later lines say more about it. */
export interface Finding {
  kind: FindingKind;
  severity: Severity;
  /** The fault lies between these two places; null: it reaches to the begin or the end of what was given. */
  from: Place | null;
  to: Place | null;
  chain: string | null;
  /** Sequence numbers of the seals that the finding is about. */
  seals: { first: number; last: number } | null;
  /** Number of lines or records that the finding is about, where it is known. */
  count: number | null;
  /** A further fact, such as a key id. */
  detail: string | null;
  /** Later seals agree with it: it does not become less severe. */
  isConfirmed: boolean;
}

export type Facts = Partial<Omit<Finding, 'kind' | 'severity' | 'isConfirmed'>>;

export function newFinding(kind: FindingKind, severity: Severity, facts: Facts): Finding {
  const nothing = { from: null, to: null, chain: null, seals: null, count: null, detail: null };
  return { ...nothing, ...facts, kind, severity, isConfirmed: false };
}

/** The end of a file without its newline. */
export function partialLineFinding(line: Line): Finding {
  const isRecord = isWholeRecord(line.bytes);
  // A reader of records may take it for one, and no seal covers it.
  const [severity, detail] = isRecord ? (['gap', 'record'] as const) : (['notice', null] as const);
  return newFinding('partial_line', severity, { from: placeOf(line), detail });
}

export function placeOf({ file, number, bytes }: Line): Place {
  return { file, line: number, time: timeOfLine(bytes) };
}
