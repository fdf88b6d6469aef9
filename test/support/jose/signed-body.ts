/** Senders that sign the bodies of their messages, and their key sets. */
import { createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';

export interface Sender {
  readonly kid: string;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

/** With a new key for ES256. */
export function sender(kid: string): Sender {
  return { kid, ...generateKeyPairSync('ec', { namedCurve: 'P-256' }) };
}

/** The JWK Set with the public keys of these senders. */
export function keySetOf(...senders: readonly Sender[]): string {
  const keys = senders.map(({ kid, publicKey }) => ({
    ...publicKey.export({ format: 'jwk' }),
    kid,
    alg: 'ES256',
  }));
  return JSON.stringify({ keys });
}

/** A JWS by ES256 whose content is detached; `encodes` false: by RFC 7797. */
export function detachedJws(
  body: Buffer | string,
  { kid, privateKey: key }: Sender,
  { encodes = true }: { readonly encodes?: boolean } = {},
): string {
  const header = { alg: 'ES256', kid, ...(encodes ? {} : { b64: false, crit: ['b64'] }) };
  const head = Buffer.from(JSON.stringify(header)).toString('base64url');
  const content = Buffer.from(body);
  const signed = encodes ? Buffer.from(content.toString('base64url')) : content;
  const input = Buffer.concat([Buffer.from(`${head}.`), signed]);
  return `${head}..${sign('sha256', input, { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
}

/** ES256 in DER, as Base64. */
export function rawSignature(body: Buffer | string, { privateKey }: Sender): string {
  return sign('sha256', Buffer.from(body), privateKey).toString('base64');
}

/** HMAC-SHA256 of `timestamp.body`, in hex. */
export function hmacOf(
  secret: string,
  { time, body }: { readonly time: string; readonly body: Buffer | string },
): string {
  return createHmac('sha256', secret).update(`${time}.`).update(body).digest('hex');
}
