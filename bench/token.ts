/** The access token of a run: a JWT that is bound to the load's certificate, and the key set that verifies it. */
import { createHash, createPublicKey, X509Certificate } from 'node:crypto';
import { exportJWK, SignJWT } from 'jose';
import { makeKey } from '../src/pki/key.ts';
import type { Certificates } from './certificates.ts';

export interface BoundToken {
  /** For `Authorization: Bearer`. */
  readonly token: string;
  /** A JSON Web Key Set. */
  readonly keys: string;
}

/** `routes[].bearer` without its key set. */
export const tokenPolicy = {
  ...{ issuer: 'https://as.example', audience: 'https://gateway.example' },
  ...{ scopes: ['ehi'], algorithms: ['ES256'] },
} as const;

/** Valid for a day, which is longer than a run. */
export async function makeToken({ client }: Pick<Certificates, 'client'>): Promise<BoundToken> {
  const key = makeKey('P-256');
  const kid = 'bench';
  const { raw } = new X509Certificate(client.chain);
  const token = await new SignJWT({
    ...{ client_id: 'bench', scope: tokenPolicy.scopes.join(' ') },
    cnf: { 'x5t#S256': createHash('sha256').update(raw).digest('base64url') },
  })
    .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid })
    .setIssuer(tokenPolicy.issuer)
    .setSubject('bench')
    .setAudience(tokenPolicy.audience)
    .setIssuedAt()
    .setExpirationTime('1d')
    .sign(key);
  const jwk = { ...(await exportJWK(createPublicKey(key))), kid, use: 'sig', alg: 'ES256' };
  return { token, keys: JSON.stringify({ keys: [jwk] }) };
}
