/** Which request fields the gateway removes before a message is judged: those of `identity.remove`, and others always. */
import { requestFields } from '../../message/field-forwarding.ts';
import { NameSet, plainName } from '../../message/removed-fields.ts';

/** `entry` of `identity.remove`: a field name; a `*` at its end matches any rest. Case and separators do not matter. */
export function removes(entry: unknown, name: string): boolean {
  return typeof entry === 'string' && new NameSet([entry]).has(plainName(name.toLowerCase()));
}

/** Whether a message has the field when it is judged, if its client sends it. */
export function isKept(name: string): boolean {
  return requestFields.rule(name.toLowerCase()) === 'pass';
}
