/** The introspection endpoints of a configuration, with the credentials for them: they stay in the control thread. */
import type { KeyObject } from 'node:crypto';
import type { SignatureAlgorithm } from '../jose/algorithm.ts';
import type { ServerCertificate } from '../policy/snapshot.ts';

export interface IntrospectionSettings {
  /** The path of the route: it identifies the endpoint in questions of relay threads. */
  readonly id: string;
  /** An https:// URL. */
  readonly endpoint: string;
  /** PEM of the CAs that verify the endpoint; null: those of the operating system. */
  readonly ca: readonly string[] | null;
  readonly auth: IntrospectionAuth;
  /** Milliseconds. */
  readonly cache: number;
  readonly timeout: number;
}

/** How the gateway authenticates, by the names of RFC 6749 §2.3.1, RFC 7523 §2.2 and RFC 8705 §2.1. */
export type IntrospectionAuth =
  | { readonly kind: 'client_secret_basic'; readonly clientId: string; readonly secret: string }
  | {
      readonly kind: 'private_key_jwt';
      readonly clientId: string;
      readonly key: KeyObject;
      readonly kid: string | null;
      readonly algorithm: SignatureAlgorithm;
      /** The issuer of the tokens, whom the assertion is for. */
      readonly audience: string;
    }
  | { readonly kind: 'tls_client_auth'; readonly clientId: string; readonly certificate: ServerCertificate };
