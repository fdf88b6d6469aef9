/** Turns a record of `audit.format: ecs` back into the record of the json format, with the table of src/audit/ecs-table.ts. */
import { put, read } from '../../audit/ecs-line.ts';
import { type EcsField, type EcsForm, ecsFields, ecsModule, recordTypes } from '../../audit/ecs-table.ts';

type AnyRecord = Readonly<Record<string, unknown>>;

/**
 * The record of the json format, with its fields in order. What is not an ECS record of the gateway, such as a seal or a
 * record of the json format, is returned as it is.
 */
export function fromEcs(record: object): object {
  const ecs = record as AnyRecord;
  const dataset = read(ecs, 'event.dataset');
  const type = recordTypes.find((each) => dataset === `${ecsModule}.${each}`);
  if (type === undefined) return record;
  const json: Record<string, unknown> = { type };
  for (const field of ecsFields[type]) {
    const value = field.isCopy ? null : jsonValue(field, ecs);
    if (!field.isCopy && (value !== null || field.isOptional !== true)) put(json, field.from, value);
  }
  const { leaf } = json;
  if (typeof leaf === 'object' && leaf !== null && Object.values(leaf).every((value) => value === null))
    json.leaf = null;
  return json;
}

function jsonValue({ ecs: path, form }: EcsField, record: AnyRecord): unknown {
  const value = read(record, path);
  return value === null || value === undefined ? null : back(form, value, record);
}

/** The reverse of each form that is not a copy. */
function back(form: EcsForm, value: unknown, record: AnyRecord): unknown {
  if (form === 'nanoseconds') return Math.round(Number(value) / 1000) / 1000;
  if (form !== 'version') return value;
  const protocol = read(record, 'tls.version_protocol');
  return typeof protocol === 'string' ? `${protocol.toUpperCase()}v${value}` : value;
}
