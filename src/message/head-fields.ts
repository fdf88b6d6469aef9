/** Finds, counts and removes fields in the forwarded lines of a request head (`RequestHead.fields`: `name: value` CRLF each). */
import { plainName } from './removed-fields.ts';

/** Where the first line of the field begins, at or after the line at `from`; -1: there is none. `name`: in lower case. */
export function findField(fields: string, name: string, from = 0): number {
  for (let at = from; at < fields.length; at = fields.indexOf('\r\n', at) + 2)
    if (isNamed(fields, at, name)) return at;
  return -1;
}

/** Every value of the field, in order, as the host gets it. `name`: in lower case. */
export function fieldValues(fields: string, name: string): string[] {
  const values: string[] = [];
  for (let at = findField(fields, name); at !== -1; ) {
    const end = fields.indexOf('\r\n', at);
    values.push(fields.slice(at + name.length + 2, end));
    at = findField(fields, name, end + 2);
  }
  return values;
}

/**
 * The number of fields with this name, also where another separator takes the place of a hyphen (`X.Time` for `x-time`): CGI-like
 * hosts do not distinguish them. `name`: in lower case.
 */
export function countAlike(fields: string, name: string): number {
  const plain = plainName(name);
  let count = 0;
  for (let at = 0; at < fields.length; at = fields.indexOf('\r\n', at) + 2) {
    if (fields[at + name.length] !== ':') continue;
    if (plainName(fields.slice(at, at + name.length).toLowerCase()) === plain) count += 1;
  }
  return count;
}

/** The lines without those of the field. `name`: in lower case. */
export function withoutField(fields: string, name: string): string {
  let kept = '';
  for (let at = 0; at < fields.length; ) {
    const next = fields.indexOf('\r\n', at) + 2;
    if (!isNamed(fields, at, name)) kept += fields.slice(at, next);
    at = next;
  }
  return kept;
}

/** No name has a colon, and no white space precedes the colon: head-reader.ts refuses such heads (RFC 9112 §5.1). */
function isNamed(fields: string, at: number, name: string): boolean {
  return fields[at + name.length] === ':' && fields.slice(at, at + name.length).toLowerCase() === name;
}
