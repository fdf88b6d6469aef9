/** Reads the bytes of a file of any kind into items. It never throws for what they hold: a fault is an item. */
import { BerError } from '../../issuing/pkcs12/ber.ts';
import { DerCursor, DerError, trimEnd } from '../../pki/der-cursor.ts';
import { describeContent, describeLabel } from '../../pki/file-kind.ts';
import { readCrlOutline } from '../../revocation/crl/reader.ts';
import { parseOcspResponse } from '../../revocation/ocsp/response-parser.ts';
import { certificateItem } from './certificate-item.ts';
import { readRequest } from './certificate-request.ts';
import { type DerKind, derKindOf } from './der-kind.ts';
import { type Item, unreadableItem } from './item.ts';
import { jwksItems } from './jwks-items.ts';
import { encryptedKey, otherPrivateKey, privateKeyInDer, publicKeyItem } from './key-items.ts';
import { type PemBlock, readPemBlocks } from './pem-blocks.ts';
import { readPkcs7 } from './pkcs7.ts';
import { readPkcs12Items } from './pkcs12-items.ts';

export interface ContentsOptions {
  /** Called for a PKCS#12 file that the empty password does not open. May throw. */
  readonly password: () => Promise<string>;
}

export async function readContents(bytes: Uint8Array, options: ContentsOptions): Promise<Item[]> {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (/^(?:\xef\xbb\xbf)?\s*[{[]/.test(buffer.toString('latin1', 0, 64))) return jwksItems(stripBom(buffer));
  const isJavaStore = ['feedfeed', 'cececece'].includes(buffer.toString('hex', 0, 4));
  if (isJavaStore) return readPkcs12Items(bytes, options.password);
  if (buffer[0] === 0x30 && (isOneElement(buffer) || !buffer.includes('-----BEGIN ')))
    return readDer(trimmed(buffer), { at: null, expected: null, options });
  const blocks = readPemBlocks(buffer.toString('latin1'));
  if (blocks.length === 0) return [unreadableItem(describeContent(bytes) ?? 'bytes of an unknown kind')];
  const items: Item[] = [];
  for (const block of blocks) items.push(...(await readBlock(block, options)));
  return items;
}

function stripBom(buffer: Buffer): Buffer {
  return buffer.toString('hex', 0, 3) === 'efbbbf' ? buffer.subarray(3) : buffer;
}

function isOneElement(bytes: Uint8Array): boolean {
  try {
    const cursor = new DerCursor(bytes);
    cursor.read(bytes.length);
    return cursor.end === bytes.length;
  } catch {
    return false;
  }
}

/** White space that an editor or server appended is left out. */
function trimmed(bytes: Uint8Array): Uint8Array {
  try {
    return trimEnd(bytes);
  } catch {
    return bytes;
  }
}

const kindsByLabel: Readonly<Record<string, DerKind>> = {
  CERTIFICATE: 'certificate',
  'X509 CERTIFICATE': 'certificate',
  'X509 CRL': 'crl',
  'CERTIFICATE REQUEST': 'request',
  'NEW CERTIFICATE REQUEST': 'request',
  PKCS7: 'pkcs7',
  CMS: 'pkcs7',
  'OCSP RESPONSE': 'ocsp_response',
  'ENCRYPTED PRIVATE KEY': 'encrypted_key',
  'PRIVATE KEY': 'private_key',
  'RSA PRIVATE KEY': 'private_key',
  'EC PRIVATE KEY': 'private_key',
  'DSA PRIVATE KEY': 'private_key',
  'PUBLIC KEY': 'public_key',
  'RSA PUBLIC KEY': 'public_key',
};

async function readBlock(block: PemBlock, options: ContentsOptions): Promise<Item[]> {
  const { label, at, hasHeaders, der, fault } = block;
  if (fault !== null) return [unreadableItem(fault, at)];
  if (hasHeaders || der === null)
    return label.endsWith('PRIVATE KEY')
      ? [encryptedKey(at)]
      : [unreadableItem('a block with header fields (RFC 1421)', at)];
  if (label === 'OPENSSH PRIVATE KEY') return [otherPrivateKey('an OpenSSH private key', at)];
  if (label.endsWith(' PARAMETERS')) return [{ kind: 'other', at, what: describeLabel(label) }];
  const expected = kindsByLabel[label];
  return expected === undefined
    ? [unreadableItem(describeLabel(label), at)]
    : readDer(der, { at, expected, options });
}

interface DerContext {
  readonly at: string | null;
  /** By the label of the PEM block; null: there is none. */
  readonly expected: DerKind | null;
  readonly options: ContentsOptions;
}

/** What the bytes are counts before what their label says: portals label bundles as certificates. */
async function readDer(der: Uint8Array, { at, expected, options }: DerContext): Promise<Item[]> {
  const kind = derKindOf(der) ?? expected;
  if (kind === null) return [unreadableItem('DER of an unknown kind, or damaged', at)];
  if (kind === 'pkcs12') return readPkcs12Items(der, options.password);
  try {
    return readKind(der, kind, at);
  } catch (cause) {
    if (!(cause instanceof DerError || cause instanceof BerError)) throw cause;
    return [unreadableItem(`damaged ${names[kind]}: ${cause.message}`, at)];
  }
}

const names: Readonly<Record<Exclude<DerKind, 'pkcs12'>, string>> = {
  certificate: 'certificate',
  crl: 'CRL',
  request: 'certificate request',
  ocsp_response: 'OCSP response',
  pkcs7: 'PKCS#7 bundle',
  private_key: 'private key',
  encrypted_key: 'encrypted private key',
  public_key: 'public key',
};

function readKind(der: Uint8Array, kind: Exclude<DerKind, 'pkcs12'>, at: string | null): Item[] {
  switch (kind) {
    case 'certificate':
      return [certificateItem(der, { at })];
    case 'crl':
      readCrlOutline(der);
      return [{ kind: 'crl', at, der }];
    case 'request':
      return [{ kind: 'request', at, request: readRequest(der) }];
    case 'ocsp_response':
      return ocspItems(der, at);
    case 'pkcs7':
      return pkcs7Items(der, at);
    case 'private_key':
      return [privateKeyInDer(der, at)];
    case 'encrypted_key':
      return [encryptedKey(at)];
    case 'public_key':
      return [publicKeyItem({ key: Buffer.from(der), format: 'der', type: 'spki' }, at)];
    default:
      return kind satisfies never;
  }
}

function ocspItems(der: Uint8Array, at: string | null): Item[] {
  const response = parseOcspResponse(der);
  const certificates = response.basic?.certificates ?? [];
  const parts = certificates.map((each, index) =>
    certificateItem(each, { at: within(at, `certificate ${index + 1} of the response`), isPart: true }),
  );
  return [{ kind: 'ocsp_response', at, response }, ...parts];
}

function pkcs7Items(der: Uint8Array, at: string | null): Item[] {
  const { certificates, crls } = readPkcs7(der);
  const items: Item[] = certificates.map((each, index) =>
    certificateItem(each, { at: within(at, `certificate ${index + 1} of ${certificates.length}`) }),
  );
  for (const [index, crl] of crls.entries()) {
    readCrlOutline(crl);
    items.push({ kind: 'crl', at: within(at, `CRL ${index + 1}`), der: crl });
  }
  return items.length > 0 ? items : [unreadableItem('a PKCS#7 bundle without a certificate', at)];
}

function within(at: string | null, part: string): string {
  return at === null ? part : `${at}, ${part}`;
}
