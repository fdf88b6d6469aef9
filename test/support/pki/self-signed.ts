/** Self-signed client certificates, as Transmit Mosaic registers them by a JWKS (RFC 8705 §2.2). */
import { type IssueOptions, issueCertificate } from '../../../src/issuing/certificate.ts';
import type { Leaf } from './authority.ts';

const day = 86_400_000;

/** Two calls with the same name make two certificates with the same name and different keys. */
export function selfSignedClient(name: string, options: Partial<IssueOptions> = {}): Leaf {
  const now = Date.now();
  const issued = issueCertificate({
    subject: { C: 'GB', O: 'Example', CN: name },
    key: 'P-256',
    notBefore: now - day,
    notAfter: now + 350 * day,
    keyUsage: ['digitalSignature'],
    ...options,
  });
  return { ...issued, chainPem: issued.pem };
}
