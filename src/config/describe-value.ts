/** Words for the value that was found where another is allowed: short, and without secrets. */
import { isMap, isScalar, isSeq, type Node } from 'yaml';

const longest = 80;

export function describeValue(node: Node | undefined, path: readonly PropertyKey[]): string {
  if (node === undefined) return 'nothing';
  if (isMap(node)) return node.items.length === 0 ? 'an empty mapping' : 'a mapping';
  if (isSeq(node)) return node.items.length === 0 ? 'an empty list' : 'a list';
  if (!isScalar(node) || node.value === null) return 'nothing';
  // Here people put the secret itself by mistake.
  if (path.at(-1) === 'passphraseFile' || path.at(-1) === 'secretFile') return 'a value that is not shown';
  if (typeof node.value === 'string') return describeText(node.value);
  // As it was written: 007 is the number 7.
  return node.source ?? String(node.value);
}

/** Quoted and cut; neither the credentials of a URL nor anything of a PEM text is repeated. */
export function describeText(text: string): string {
  if (text === '') return 'an empty text';
  if (text.includes('-----')) return 'a PEM text';
  const shown = text.replace(/\/\/[^/?#]*@/g, '//…@');
  return JSON.stringify(shown.length > longest ? `${shown.slice(0, longest)}…` : shown);
}
