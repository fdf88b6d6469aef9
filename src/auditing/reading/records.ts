/** Reads the records of audit files in order, as JSON values. */
import { isSealLine } from '../../audit/seals/seal.ts';
import { orderFiles } from './audit-files.ts';
import { fromEcs } from './ecs.ts';
import { readLines } from './lines.ts';
import { timeOfLine } from './record-line.ts';

/** A record with its fields as the gateway wrote them; a field may be absent or of another type in a foreign line. */
export type AuditRecord = Readonly<Record<string, unknown>>;

/** What a file contains beside records. */
export interface FileFacts {
  readonly files: readonly string[];
  lines: number;
  seals: number;
  /** Lines that are no JSON object with a `type`. */
  unreadable: number;
  /** The first of them; null: there is none. */
  firstUnreadable: { readonly file: string; readonly line: number } | null;
}

export interface ReadRecordsOptions {
  /** Called with each record in the order of the files. */
  readonly onRecord: (record: AuditRecord) => void;
  /** Called now and then with the file that is read. */
  readonly onProgress?: (path: string, lines: number) => void;
}

/** @throws UsageError if a file cannot be read. */
export async function readRecords(
  paths: readonly string[],
  { onRecord, onProgress }: ReadRecordsOptions,
): Promise<FileFacts> {
  const files = await orderFiles([...new Set(paths)]);
  const facts: FileFacts = {
    files: files.map(({ path }) => path),
    ...{ lines: 0, seals: 0, unreadable: 0, firstUnreadable: null },
  };
  for (const { path, compression } of files) {
    for await (const lines of readLines(path, compression)) {
      for (const { file, number, bytes, isWhole } of lines) {
        facts.lines++;
        if (isSealLine(bytes)) facts.seals++;
        // A line without its newline is not finished, and no seal covers it: anybody could have written it.
        const record = isWhole ? recordOf(bytes) : null;
        if (record === null) {
          facts.unreadable++;
          facts.firstUnreadable ??= { file, line: number };
        } else onRecord(record);
      }
      onProgress?.(path, lines.at(-1)?.number ?? 0);
    }
  }
  return facts;
}

/** The record of one line in the json format; null: it is no record, or it has no time. */
export function recordOf(line: Buffer): AuditRecord | null {
  if (timeOfLine(line) === null) return null;
  try {
    const value: unknown = JSON.parse(line.toString());
    if (typeof value !== 'object' || value === null) return null;
    const record = ('@timestamp' in value ? fromEcs(value) : value) as AuditRecord;
    return typeof record.type === 'string' ? record : null;
  } catch {
    return null;
  }
}

/** A field that is text; null: absent, or not text. */
export function textOf(record: AuditRecord, field: string): string | null {
  const value = record[field];
  return typeof value === 'string' ? value : null;
}

export function numberOf(record: AuditRecord, field: string): number | null {
  const value = record[field];
  return typeof value === 'number' ? value : null;
}

/** The fields of the client's certificate; an empty record: there is none. */
export function leafOf(record: AuditRecord): AuditRecord {
  const { leaf } = record;
  return typeof leaf === 'object' && leaf !== null ? (leaf as AuditRecord) : {};
}
