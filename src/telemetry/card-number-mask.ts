/** Masks possible card numbers in text before it is written. */
import { decodePercent } from './percent-decoding.ts';

/**
 * Replaces by `[digits]` every run of 13 or more digits (a card number has 13 to 19, ISO/IEC 7812-1), also
 * - with single separators between the digits: white space of any kind, `-`, `.`, `_`, `+`, and Unicode's dashes;
 * - with digits or separators percent-encoded, once or repeatedly (`%34`, `%2534`, `%25%33%34`, `%2D`).
 *
 * The check digit (Luhn) is ignored: a mistyped card number is as confidential as a correct one.
 */
export function maskDigits(text: string): string {
  const solid = runOfDigits.test(text) ? text.replace(runsOfDigits, maskRun) : text;
  const grouped = groupedNumber.test(solid) ? solid.replace(groupedNumbers, maskGroups) : solid;
  return grouped.includes('%') ? maskEncoded(grouped) : grouped;
}

const mask = '[digits]';

// An encoded digit consists of digits and `%` only, so only runs of these characters are examined. A run that contains
// such a number, encoded or not, is replaced as a whole.
const runOfDigits = /[0-9%]{13}/;
const runsOfDigits = /[0-9%]{13,}/g;
const digits = /[0-9]{13}/;

function maskRun(run: string): string {
  return digits.test(run) || (run.includes('%') && digits.test(decodePercent(run).text)) ? mask : run;
}

/** Characters, their bytes in UTF-8 as percent-encoding gives them, and the escapes of a JSON string. */
const separatorCharacter = String.raw`[\t-\r\x20\-.+_\xa0\xad\u1680\u2000-\u2015\u202f\u205f\u2060\u2212\u3000\ufeff]`;
const separators = [
  separatorCharacter,
  String.raw`\xc2[\xa0\xad]`,
  String.raw`\xe1\x9a\x80`,
  String.raw`\xe2(?:\x80[\x80-\x95\xaf]|\x81[\x9f\xa0]|\x88\x92)`,
  String.raw`\xe3\x80\x80`,
  String.raw`\xef\xbb\xbf`,
  String.raw`\\[tnvfr]`,
].join('|');
const number = `[0-9](?:(?:${separators})?[0-9]){12}`;
const groupedNumber = new RegExp(number);
const groupedNumbers = new RegExp(`${number}(?:(?:${separators})?[0-9])*`, 'g');

/**
 * Prefixes of object identifiers in certificates (PKCS, US organisations, enterprises). They identify an extension or an
 * algorithm, so their digits are not masked.
 */
const knownArcs = /^(?:1\.2\.840\.113549|2\.16\.840\.1|1\.3\.6\.1\.4\.1)\./;

function maskGroups(run: string): string {
  const arcs = knownArcs.exec(run)?.[0] ?? '';
  const rest = run.slice(arcs.length);
  return arcs === '' || groupedNumber.test(rest) ? `${arcs}${mask}` : run;
}

// The characters of encoded digits and separators: an encoded number lies within one such run.
const encodedRuns = new RegExp(String.raw`(?:[0-9A-Fa-f%\\tnvr]|${separatorCharacter}){13,}`, 'g');

function maskEncoded(text: string): string {
  return text.replace(encodedRuns, (run) => (run.includes('%') ? maskDecoded(run) : run));
}

function maskDecoded(encoded: string): string {
  const { text, starts, ends } = decodePercent(encoded);
  let masked = '';
  let after = 0;
  for (const { 0: run, index } of text.matchAll(groupedNumbers)) {
    if (maskGroups(run) === run) continue;
    masked += encoded.slice(after, starts[index]) + mask;
    after = ends[index + run.length - 1] ?? encoded.length;
  }
  return masked + encoded.slice(after);
}
