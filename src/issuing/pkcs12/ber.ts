/** Reads BER elements, by node-forge: PKCS#12 files of browsers and macOS have indefinite lengths and strings in parts. */
import forge from 'node-forge';

/** The bytes are not BER, or not the expected structure. The message never repeats the input. */
export class BerError extends Error {}

export type BerElement = forge.asn1.Asn1;

const { Class, Type } = forge.asn1;

/** The one element that `bytes` consists of. Throws BerError, as all functions of this file do. */
export function readBer(bytes: Uint8Array): BerElement {
  try {
    return forge.asn1.fromDer(Buffer.from(bytes).toString('latin1'));
  } catch (cause) {
    throw new BerError('not BER, or cut off', { cause });
  }
}

/** The elements of a SEQUENCE or SET. */
export function elementsOf(element: BerElement | undefined): readonly BerElement[] {
  const isList = element?.type === Type.SEQUENCE || element?.type === Type.SET;
  if (element?.tagClass !== Class.UNIVERSAL || !isList || !Array.isArray(element.value))
    throw new BerError('no SEQUENCE or SET where one is expected');
  return element.value;
}

/** The element in an explicit tag `[number]`. */
export function explicit(element: BerElement | undefined, number: number): BerElement {
  const [content] = Array.isArray(element?.value) ? element.value : [];
  if (
    element?.tagClass !== Class.CONTEXT_SPECIFIC ||
    Number(element.type) !== number ||
    content === undefined
  )
    throw new BerError(`no element [${number}] where one is expected`);
  return content;
}

export function isTagged(element: BerElement, number: number): boolean {
  return element.tagClass === Class.CONTEXT_SPECIFIC && Number(element.type) === number;
}

/** Dotted numbers. */
export function oidOf(element: BerElement | undefined): string {
  if (!isUniversal(element, Type.OID) || typeof element.value !== 'string')
    throw new BerError('no OBJECT IDENTIFIER where one is expected');
  return forge.asn1.derToOid(element.value);
}

/** From 0 to 2^31 - 1. */
export function integerOf(element: BerElement | undefined): number {
  if (!isUniversal(element, Type.INTEGER) || typeof element.value !== 'string')
    throw new BerError('no INTEGER where one is expected');
  const octets = Buffer.from(element.value, 'latin1');
  const number = octets.reduce((sum, octet) => sum * 256 + octet, 0);
  if (octets.length === 0 || (octets[0] as number) >= 0x80 || number > 0x7fffffff)
    throw new BerError('an INTEGER out of range');
  return number;
}

export function isInteger(element: BerElement | undefined): element is BerElement {
  return isUniversal(element, Type.INTEGER);
}

/** The contents of an OCTET STRING, the parts of a constructed one joined. */
export function octetsOf(element: BerElement | undefined): Buffer {
  if (!isUniversal(element, Type.OCTETSTRING)) throw new BerError('no OCTET STRING where one is expected');
  return contentsOf(element);
}

/** The contents of a primitive element, or of the OCTET STRINGs that a constructed one consists of. */
export function contentsOf({ value }: BerElement): Buffer {
  return typeof value === 'string' ? Buffer.from(value, 'latin1') : Buffer.concat(value.map(octetsOf));
}

/** A BMPString as text, which forge has decoded; null: another type. */
export function bmpTextOf(element: BerElement | undefined): string | null {
  return isUniversal(element, Type.BMPSTRING) && typeof element.value === 'string' ? element.value : null;
}

/** DER of the element. */
export function toDer(element: BerElement): Buffer {
  return Buffer.from(forge.asn1.toDer(element).getBytes(), 'latin1');
}

function isUniversal(element: BerElement | undefined, type: forge.asn1.Type): element is BerElement {
  return element?.tagClass === Class.UNIVERSAL && element.type === type;
}
