/** A second certificate from one signed with ECDSA on P-256: if (r, s) is a valid signature, so is (r, n − s). */

import { DerCursor, derElement, tags } from '../../../src/pki/der-cursor.ts';
import { derInteger } from '../../../src/pki/der-writer.ts';
import { toPem } from '../../../src/pki/pem.ts';
import type { Leaf } from './authority.ts';

const order = BigInt('0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551');

/** The same TBSCertificate, serial and key, but another DER. */
export function twinOf(leaf: Leaf): Leaf {
  const { der } = leaf;
  const cursor = new DerCursor(der);
  cursor.open(der.length, tags.sequence);
  const tbs = cursor.element(der.length, tags.sequence);
  const algorithm = cursor.element(der.length, tags.sequence);
  cursor.read(der.length, tags.bitString);
  const signature = new DerCursor(cursor.contents().subarray(1));
  const { length } = signature.bytes;
  signature.open(length, tags.sequence);
  const r = signature.element(length, tags.integer);
  signature.read(length, tags.integer);
  const s = BigInt(`0x${Buffer.from(signature.contents()).toString('hex')}`);
  const other = derElement(tags.sequence, r, derInteger(order - s));
  const twin = derElement(tags.sequence, tbs, algorithm, derElement(tags.bitString, Buffer.of(0), other));
  const pem = toPem(twin);
  return { ...leaf, der: twin, pem, chainPem: leaf.chainPem.replace(leaf.pem, pem) };
}
