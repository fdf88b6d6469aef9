/** A certificate subject as OpenSSL's `-subj` has it (`/C=GB/O=Example Limited/CN=gateway`), parsed strictly. */
import { UsageError } from '../errors.ts';
import { derElement, tags } from '../pki/der-cursor.ts';
import { derOid, derSequence } from '../pki/der-writer.ts';
import { printable } from '../terminal/printable.ts';

const printableString = 0x13;
const ia5String = 0x16;
const utf8String = 0x0c;

interface AttributeRule {
  readonly oid: string;
  /** Maximum characters (RFC 5280 appendix A.1). */
  readonly max: number;
  /** Default utf8String (RFC 5280 §4.1.2.6 c). */
  readonly tag?: number;
  /** May occur more than once. */
  readonly many?: boolean;
}

/** Short name, in OpenSSL's spelling → rule. */
const rules: Readonly<Record<string, AttributeRule>> = {
  C: { oid: '2.5.4.6', max: 2, tag: printableString },
  ST: { oid: '2.5.4.8', max: 128 },
  L: { oid: '2.5.4.7', max: 128 },
  O: { oid: '2.5.4.10', max: 64 },
  OU: { oid: '2.5.4.11', max: 64, many: true },
  CN: { oid: '2.5.4.3', max: 64 },
  serialNumber: { oid: '2.5.4.5', max: 64, tag: printableString },
  organizationIdentifier: { oid: '2.5.4.97', max: 256 },
  emailAddress: { oid: '1.2.840.113549.1.9.1', max: 255, tag: ia5String },
  DC: { oid: '0.9.2342.19200300.100.1.25', max: 63, tag: ia5String, many: true },
};

export interface SubjectAttribute {
  /** A key of the rules: `C`, `O`, `OU`, `CN`, … */
  readonly type: string;
  readonly value: string;
}

/** Most general first, as written. Throws UsageError. */
export function parseSubject(text: string): readonly SubjectAttribute[] {
  if (!text.startsWith('/'))
    throw fault(quoted(text), 'a subject that starts with /, as in /C=GB/O=…/OU=…/CN=…');
  const attributes = splitAtSlashes(text.slice(1)).map(readAttribute);
  for (const [index, { type }] of attributes.entries()) {
    const isFirst = attributes.findIndex((each) => each.type === type) === index;
    if (!isFirst && rules[type]?.many !== true) throw fault(`${type} twice`, `one ${type}`);
  }
  return attributes;
}

/** The parts as written, with their backslashes: a backslash makes the next character literal. */
function splitAtSlashes(text: string): string[] {
  const parts: string[] = [''];
  for (let at = 0; at < text.length; at++) {
    const character = text[at] as string;
    if (character === '/') parts.push('');
    else if (character !== '\\') parts[parts.length - 1] += character;
    else parts[parts.length - 1] += character + (text[++at] ?? '');
  }
  return parts;
}

function readAttribute(part: string): SubjectAttribute {
  const equals = part.indexOf('=');
  const type = equals < 0 ? part : part.slice(0, equals);
  const rule = Object.hasOwn(rules, type) ? rules[type] : undefined;
  if (equals < 0)
    throw fault(`${quoted(part)} without =`, 'TYPE=value between slashes; \\/ for a slash in a value');
  if (rule === undefined) throw fault(`the type ${quoted(type)}`, Object.keys(rules).join(', '));
  const value = readValue(part.slice(equals + 1), type);
  checkValue(value, type, rule);
  return { type, value };
}

function readValue(written: string, type: string): string {
  let value = '';
  for (let at = 0; at < written.length; at++) {
    const character = written[at] as string;
    // OpenSSL starts another attribute of the same RDN here, which no portal expects.
    if (character === '+') throw fault(`an unescaped + in ${type}`, '\\+ for a plus sign in a value');
    if (character !== '\\') value += character;
    else if (at + 1 < written.length) value += written[++at];
    else throw fault(`a backslash at the end of ${type}`, '\\\\ for a backslash in a value');
  }
  return value;
}

function checkValue(value: string, type: string, { max, tag }: AttributeRule): void {
  if (value === '') throw fault(`${type} without a value`, `at least one character, or no ${type} at all`);
  if (value !== value.trim()) throw fault(`${type} with a space at its start or end`, 'a value without it');
  if (/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u.test(value))
    throw fault(`a control or invisible character in ${type}`, 'printable characters');
  const length = [...value].length;
  if (length > max) throw fault(`${length} characters in ${type}`, `at most ${max}`);
  if (type === 'C' && !/^[A-Z]{2}$/.test(value))
    throw fault(`C ${quoted(value)}`, 'a country code of two capital letters, such as GB');
  if (tag === printableString && !/^[A-Za-z0-9 '()+,./:=?-]*$/.test(value))
    throw fault(`${type} ${quoted(value)}`, "letters, digits, spaces and '()+,-./:=?");
  if (tag === ia5String && !/^[\x20-\x7e]*$/.test(value))
    throw fault(`${type} ${quoted(value)}`, 'ASCII characters');
}

/** DER of the Name. */
export function encodeSubject(attributes: readonly SubjectAttribute[]): Buffer {
  const rdns = attributes.map(({ type, value }) => {
    const { oid = '', tag = utf8String } = rules[type] ?? {};
    return derElement(tags.set, derSequence(derOid(oid), derElement(tag, Buffer.from(value))));
  });
  return derSequence(...rdns);
}

function quoted(text: string): string {
  return `"${printable(text)}"`;
}

function fault(found: string, allowed: string): UsageError {
  return new UsageError(`subject: found ${found}; allowed ${allowed}`);
}
