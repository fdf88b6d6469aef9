/** A subjectAltName with `count` directory names, the most expensive kind of name to decode. */
import { derElement, tags } from '../../../src/pki/der-cursor.ts';
import { derOid, type RawExtension } from '../../../src/pki/der-writer.ts';

export function manyNames(count: number): RawExtension {
  const attribute = derElement(tags.sequence, derOid('2.5.4.3'), derElement(0x0c, Buffer.from('a')));
  const name = derElement(0xa4, derElement(tags.sequence, derElement(tags.set, attribute)));
  const value = derElement(tags.sequence, ...Array.from({ length: count }, () => name));
  return { oid: '2.5.29.17', value };
}
