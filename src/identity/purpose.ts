/** Extended key usage (RFC 5280 §4.2.1.12): the same question to every certificate on a path. */
import type { Certificate } from '../pki/certificate.ts';

const clientAuth = '1.3.6.1.5.5.7.3.2';

/**
 * Null: it has no extended key usage, or clientAuth is in it. anyExtendedKeyUsage does not stand for clientAuth: RFC 5280
 * lets an application require the purpose itself, and OpenSSL does.
 */
export function purposeFault({ extendedKeyUsage: purposes }: Certificate): string | null {
  return purposes === null || purposes.includes(clientAuth)
    ? null
    : `extended key usage is ${purposes.join(', ')}, without clientAuth`;
}
