/** Describes the value that a problem found: short, and without secrets. */
import { isMap, isScalar, isSeq, type Node } from 'yaml';

const maxLength = 80;

export function describeValue(node: Node | undefined, path: readonly PropertyKey[]): string {
  if (node === undefined) return 'nothing';
  if (isMap(node)) return node.items.length === 0 ? 'an empty mapping' : 'a mapping';
  if (isSeq(node)) return node.items.length === 0 ? 'an empty list' : 'a list';
  if (!isScalar(node) || node.value === null) return 'nothing';
  // Operators write the secret itself here by mistake.
  if (path.at(-1) === 'passphraseFile' || path.at(-1) === 'secretFile') return 'a value that is not shown';
  if (typeof node.value === 'string') return describeText(node.value);
  // As written in the file: the value of 007 is the number 7.
  return node.source ?? String(node.value);
}

/** Quotes and shortens the text; repeats neither the credentials of a URL nor any part of a PEM text. */
function describeText(text: string): string {
  if (text === '') return 'an empty text';
  if (text.includes('-----')) return 'a PEM text';
  const shown = text.replace(/\/\/[^/?#]*@/g, '//…@');
  return JSON.stringify(shown.length > maxLength ? `${shown.slice(0, maxLength)}…` : shown);
}
