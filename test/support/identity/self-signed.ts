/** Clients with self-signed certificates, as Transmit Mosaic registers them, and their JWK Sets. */
import { type Issued, type IssueOptions, issueCertificate } from '../../../src/issuing/certificate.ts';
import { jwksOf } from '../../../src/issuing/jwks.ts';
import { parseCertificate } from '../../../src/pki/certificate.ts';

export interface SelfSigned extends Issued {
  /** PEM of the certificate alone: there is no chain. */
  readonly chainPem: string;
}

const day = 86_400_000;

/** Valid from yesterday to tomorrow, with no extension unless `changes` add some. */
export function selfSigned(name: string, changes: Partial<IssueOptions> = {}): SelfSigned {
  const now = Date.now();
  const subject = { CN: name, O: 'Example' };
  const issued = issueCertificate({ subject, notBefore: now - day, notAfter: now + day, ...changes });
  return { ...issued, chainPem: issued.pem };
}

/** The set that `ehi-gateway certs jwks` writes for these certificates. */
export function setFor(...clients: readonly { readonly der: Uint8Array }[]): string {
  const files = clients.map(({ der }, index) => ({
    file: `${index}.pem`,
    certificates: [parseCertificate(der)],
  }));
  return JSON.stringify(jwksOf(files));
}
