/** A private key that a TLS client accepts for a certificate although its signatures do not verify. */
import { createPrivateKey, generateKeyPairSync } from 'node:crypto';

/**
 * PEM of an EC key with the public point of the given key and another private number: OpenSSL only compares the points
 * before it uses the certificate.
 */
export function keyThatCannotSign(keyPem: string): string {
  const key = createPrivateKey(keyPem);
  const namedCurve = key.asymmetricKeyDetails?.namedCurve as string;
  const other = generateKeyPairSync('ec', { namedCurve }).privateKey;
  const der = key.export({ type: 'pkcs8', format: 'der' });
  const own = Buffer.from(key.export({ format: 'jwk' }).d as string, 'base64url');
  Buffer.from(other.export({ format: 'jwk' }).d as string, 'base64url').copy(der, der.indexOf(own));
  const stolen = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  return stolen.export({ type: 'pkcs8', format: 'pem' }).toString();
}
