/** Registrations at the authorization server: clients that get tokens, and gateways that introspect them. */
import { X509Certificate } from 'node:crypto';
import type { JWK } from 'jose';
import type { Leaf } from '../pki/authority.ts';

/** Client metadata as RFC 7591 and RFC 8705 §2 name its members. */
export interface Registration {
  readonly client_id: string;
  readonly token_endpoint_auth_method: string;
  readonly [member: string]: unknown;
}

const grants = { grant_types: ['client_credentials'], response_types: [], redirect_uris: [] };
/** RFC 8705 §3.4: tokens of this client are bound to the certificate that it presents at the token endpoint. */
const bound = { tls_client_certificate_bound_access_tokens: true };

/** RFC 8705 §2.1: a certificate of an accepted CA, with this subject. */
export function registerByAuthority(id: string, leaf: Leaf): Registration {
  const subject = subjectOf(leaf);
  return {
    client_id: id,
    token_endpoint_auth_method: 'tls_client_auth',
    tls_client_auth_subject_dn: subject,
    ...grants,
    ...bound,
  };
}

/** RFC 8705 §2.2: a self-signed certificate that is in the `x5c` of a registered key. */
export function registerByKeySet(id: string, jwks: { readonly keys: readonly object[] }): Registration {
  return {
    client_id: id,
    token_endpoint_auth_method: 'self_signed_tls_client_auth',
    jwks,
    ...grants,
    ...bound,
  };
}

const resourceServer = { grant_types: [], response_types: [], redirect_uris: [] };

/** Gateways that may introspect (RFC 7662 §2.1), one for each way to authenticate. */
export const introspecting = {
  bySecret: (id: string, secret: string): Registration => ({
    client_id: id,
    client_secret: secret,
    token_endpoint_auth_method: 'client_secret_basic',
    ...resourceServer,
  }),
  byAssertion: (id: string, publicKey: JWK): Registration => ({
    client_id: id,
    token_endpoint_auth_method: 'private_key_jwt',
    jwks: { keys: [publicKey] },
    ...resourceServer,
  }),
  byCertificate: (id: string, leaf: Leaf): Registration => ({
    client_id: id,
    token_endpoint_auth_method: 'tls_client_auth',
    tls_client_auth_subject_dn: subjectOf(leaf),
    ...resourceServer,
  }),
};

/** The subject as Node prints it; the authorization server compares the same text. */
export function subjectOf({ pem }: Pick<Leaf, 'pem'>): string {
  return new X509Certificate(pem).subject;
}
