/** NIST's PKITS (test/fixtures/pkits): its cases as they are tabled beside the certificates, and their files. */
import { readFileSync } from 'node:fs';

/** What a case must come to: `undetermined` is a revocation status that no CRL tells (RFC 5280 §6.3.3). */
const outcomes = [
  'valid',
  'signature',
  'validity',
  'names',
  'issuer',
  'path_length',
  'name_constraints',
  'extension',
  'revoked',
  'undetermined',
] as const;
export type PkitsOutcome = (typeof outcomes)[number];

export interface PkitsCase {
  /** Section and number in NIST's document. */
  readonly number: string;
  readonly title: string;
  readonly expected: PkitsOutcome;
  /** Names of files without their extension, as are all below. */
  readonly endEntity: string;
  /** CA certificates from the trust anchor down, then CRL issuers beside the path; all DER. */
  readonly certificates: readonly Buffer[];
  readonly crls: readonly Buffer[];
}

const folder = new URL('../fixtures/pkits/', import.meta.url);
const read = (path: string): Buffer => readFileSync(new URL(path, folder));

export const trustAnchor = read('certs/TrustAnchorRootCertificate.crt');

export function endEntity({ endEntity: name }: PkitsCase): { certificate: Buffer; pfx: Buffer } {
  return { certificate: read(`certs/${name}.crt`), pfx: read(`pkcs12/${name}.p12`) };
}

export const passphrase = 'password';

export const pkitsCases: readonly PkitsCase[] = read('cases.txt')
  .toString('latin1')
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#'))
  .map((line) => {
    const [number, title, expected, ee, certificates, crls, ...more] = line.split(' | ');
    const outcome = outcomes.find((each) => each === expected);
    if (!number || !title || !outcome || !ee || !certificates || !crls || more.length > 0)
      throw new Error(`test/fixtures/pkits/cases.txt: ${line}`);
    const named = (column: string) => (column === '-' ? [] : column.split(' '));
    return {
      number,
      title,
      expected: outcome,
      endEntity: ee,
      certificates: named(certificates).map((name) => read(`certs/${name}.crt`)),
      crls: ['TrustAnchorRootCRL', ...named(crls)].map((name) => read(`crls/${name}.crl`)),
    };
  });
