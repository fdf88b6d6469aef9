/** Whether a line is an audit record, by its first bytes where they suffice. */

/** The gateway writes this field first, in the format json and in ECS. */
const starts = ['{"type":"', '{"@timestamp":"'].map((text) => Buffer.from(text));

/**
 * Text that a reader of audit files could take for a record counts as one, whatever its spaces and the order of its
 * fields: it must not pass for a line of another program.
 */
export function isRecordLine(line: Buffer): boolean {
  if (
    starts.some(
      (start) => line.length > start.length && line.compare(start, 0, start.length, 0, start.length) === 0,
    )
  )
    return true;
  // A file may be millions of lines of something else: an error of JSON.parse for each would take minutes.
  return mayBeginObject(line) && isWholeRecord(line);
}

/** Whether the line is JSON that a reader of audit files takes for a record. */
export function isWholeRecord(line: Buffer): boolean {
  try {
    const record: unknown = JSON.parse(line.toString());
    return typeof record === 'object' && record !== null && ('type' in record || '@timestamp' in record);
  } catch {
    return false;
  }
}

/** Spaces alone may go on beyond the bytes that are looked at. */
function mayBeginObject(line: Buffer): boolean {
  const begin = line.toString('latin1', 0, 64).trimStart();
  return begin === '' ? line.length > 64 : begin.startsWith('{');
}

/** `time` of the json format or `@timestamp` of ECS; the gateway writes both near the begin of a line. */
const timeField = /"(?:time|@timestamp)":"([^"]{20,30})"/u;

/** ISO 8601 in UTC; null: the line has no time. */
export function timeOfLine(line: Buffer): string | null {
  const found = timeField.exec(line.toString('latin1', 0, 200))?.[1];
  const time = found === undefined ? Number.NaN : Date.parse(found);
  return Number.isNaN(time) ? null : new Date(time).toISOString();
}
