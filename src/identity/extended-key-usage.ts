/** Checks the extended key usage of any certificate on a path (RFC 5280 §4.2.1.12). */
import type { Certificate } from '../pki/certificate.ts';

const clientAuth = '1.3.6.1.5.5.7.3.2';
const names: Readonly<Record<string, string>> = {
  '1.3.6.1.5.5.7.3.1': 'serverAuth',
  '1.3.6.1.5.5.7.3.3': 'codeSigning',
  '1.3.6.1.5.5.7.3.4': 'emailProtection',
  '2.5.29.37.0': 'anyExtendedKeyUsage',
};

/**
 * null: the certificate has no extended key usage, or one with clientAuth. anyExtendedKeyUsage is not sufficient: RFC 5280
 * allows an application to require the purpose itself, and OpenSSL requires it.
 */
export function findPurposeFault({ extendedKeyUsage: purposes }: Certificate): string | null {
  return purposes === null || purposes.includes(clientAuth)
    ? null
    : `extended key usage is ${purposes.map((oid) => names[oid] ?? oid).join(', ')}, without clientAuth`;
}
