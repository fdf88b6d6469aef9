/** The fields by which a report counts: `--by`. */
import { UsageError } from '../../errors.ts';
import { printable } from '../../terminal/printable.ts';
import { type AuditRecord, leafOf, textOf } from '../reading/records.ts';

export const groupFields = ['verdict', 'reason', 'issuer', 'subject', 'source', 'route'] as const;
export type GroupField = (typeof groupFields)[number];

/** Throws UsageError. */
export function parseGroupFields(text: string): GroupField[] {
  const fields = text.split(',').map((field) => field.trim());
  const isKnown = (field: string): field is GroupField => groupFields.some((known) => known === field);
  const unknown = fields.find((field) => !isKnown(field));
  if (unknown !== undefined || new Set(fields).size < fields.length)
    throw new UsageError(
      `--by: found ${printable(text)}; allowed each of ${groupFields.join(', ')} once, separated by commas`,
    );
  return fields.filter(isKnown);
}

const separator = '\0';

/** `handshake`: of the record's connection, which knows the client; null: it is not in the files. */
export function groupKey(
  fields: readonly GroupField[],
  { record, handshake }: { readonly record: AuditRecord; readonly handshake: AuditRecord | null },
): string {
  return fields.map((field) => groupValue(field, { record, handshake })).join(separator);
}

export function valuesOfKey(key: string): string[] {
  return key.split(separator);
}

function groupValue(
  field: GroupField,
  { record, handshake }: { readonly record: AuditRecord; readonly handshake: AuditRecord | null },
): string {
  switch (field) {
    case 'verdict':
      return textOf(record, record.type === 'message' ? 'outcome' : 'verdict') ?? '';
    case 'reason':
      return textOf(record, 'reason') ?? '';
    case 'issuer':
    case 'subject':
      return textOf(leafOf(handshake ?? {}), field) ?? '';
    case 'source':
      return textOf(handshake ?? {}, 'source_address') ?? '';
    case 'route':
      return textOf(record, 'route') ?? '';
    default:
      return field satisfies never;
  }
}
