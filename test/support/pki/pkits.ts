/** The cases of NIST's PKITS from the table in test/fixtures/pkits, with their certificates and CRLs. */
import { readFileSync } from 'node:fs';
import type { DenyReasonName } from '../../../src/identity/deny-reasons.ts';

/** Expected outcome of a case → deny reasons that match it; the last two need CRLs (RFC 5280 §6.3.3). */
export const outcomes = {
  valid: [],
  signature: ['untrusted'],
  validity: ['expired', 'not_yet_valid'],
  names: ['untrusted'],
  issuer: ['untrusted'],
  path_length: ['untrusted'],
  name_constraints: ['name_constraints'],
  extension: ['unsupported_extension'],
  revoked: ['revoked'],
  undetermined: ['revocation_unknown'],
} as const satisfies Record<string, readonly DenyReasonName[]>;

export interface PkitsCase {
  /** Section and number in NIST's document. */
  readonly number: string;
  readonly title: string;
  readonly expected: keyof typeof outcomes;
  /** DER, and PKCS#12 with the key. */
  readonly endEntity: { readonly certificate: Buffer; readonly pfx: Buffer };
  /** DER: the CAs from the trust anchor down, then CRL issuers outside the path. */
  readonly certificates: readonly Buffer[];
  readonly crls: readonly Buffer[];
}

/** The passphrase of all PKCS#12 files. */
export const passphrase = 'password';

/** `unusable_key`: the client's TLS library cannot load the key. */
export type PkitsReason = DenyReasonName | 'unusable_key';

/** Cases that the gateway refuses although NIST calls them valid, or for another reason than NIST's. */
export const exceptions: Readonly<Record<string, { readonly reason: PkitsReason; readonly why: Exception }>> =
  {
    '4.1.4': { reason: 'no_certificate', why: 'dsa' },
    '4.1.5': { reason: 'unusable_key', why: 'dsa' },
    '4.1.6': { reason: 'no_certificate', why: 'dsa' },
    '4.6.6': { reason: 'ca_as_leaf', why: 'ca' },
    '4.6.8': { reason: 'ca_as_leaf', why: 'ca' },
    '4.6.10': { reason: 'ca_as_leaf', why: 'ca' },
    '4.6.12': { reason: 'ca_as_leaf', why: 'ca' },
    '4.6.14': { reason: 'ca_as_leaf', why: 'ca' },
    '4.14.11': { reason: 'ca_as_leaf', why: 'ca' },
    '4.14.13': { reason: 'ca_as_leaf', why: 'ca' },
  };
/** `dsa`: TLS has no signature scheme for the key. `ca`: the end entity is a CA, which is not accepted as a client. */
type Exception = 'dsa' | 'ca';

const folder = new URL('../../fixtures/pkits/', import.meta.url);
const read = (path: string): Buffer => readFileSync(new URL(path, folder));

export const trustAnchor = read('certs/TrustAnchorRootCertificate.crt');

export const pkitsCases: readonly PkitsCase[] = read('cases.txt')
  .toString('latin1')
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#'))
  .map(readCase);

export function needsCrls({ expected }: PkitsCase): boolean {
  return expected === 'revoked' || expected === 'undetermined';
}

function readCase(line: string): PkitsCase {
  const [number, title, expected, endEntity, certificates, crls, ...more] = line.split(' | ');
  if (!number || !title || !isOutcome(expected) || !endEntity || !certificates || !crls || more.length > 0)
    throw new Error(`test/fixtures/pkits/cases.txt: ${line}`);
  const named = (column: string) => (column === '-' ? [] : column.split(' '));
  return {
    number,
    title,
    expected,
    endEntity: { certificate: read(`certs/${endEntity}.crt`), pfx: read(`pkcs12/${endEntity}.p12`) },
    certificates: named(certificates).map((name) => read(`certs/${name}.crt`)),
    crls: ['TrustAnchorRootCRL', ...named(crls)].map((name) => read(`crls/${name}.crl`)),
  };
}

function isOutcome(word: string | undefined): word is PkitsCase['expected'] {
  return word !== undefined && Object.hasOwn(outcomes, word);
}
