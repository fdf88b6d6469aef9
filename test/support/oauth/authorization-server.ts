/**
 * A real authorization server (oidc-provider) on loopback HTTPS: mutual TLS client authentication and certificate-bound
 * access tokens (RFC 8705), as JWTs (RFC 9068) or opaque with introspection (RFC 7662), by resource indicator (RFC 8707).
 */
import { randomBytes, type X509Certificate } from 'node:crypto';
import { createServer } from 'node:https';
import type { TLSSocket } from 'node:tls';
import { exportJWK } from 'jose';
import Provider, { type ProviderContext } from 'oidc-provider';
import { type KeyKind, makeKey } from '../../../src/pki/key.ts';
import { type Authority, authority } from '../pki/authority.ts';
import { type Listening, listenOnLoopback } from '../process/listening.ts';
import type { Registration } from './clients.ts';

/** The algorithms that it can sign access tokens with. */
export type TokenAlgorithm = 'PS256' | 'ES256' | 'EdDSA' | 'RS256';

/** A resource indicator's tokens: `opaque`, or JWTs that are signed with this algorithm. */
export interface Resource {
  readonly format: 'opaque' | TokenAlgorithm;
  /** Space-separated. */
  readonly scope: string;
  /** Seconds; default 300. */
  readonly lifetime?: number;
}

export interface AuthorizationServerOptions {
  readonly clients: readonly Registration[];
  /** Resource indicator (an absolute URI) → its tokens; the indicator is their `aud`. */
  readonly resources: Readonly<Record<string, Resource>>;
  /** PEM of the CAs of clients with `tls_client_auth`. */
  readonly clientAnchors: string;
}

export interface AuthorizationServer extends Listening {
  /** `https://localhost:<port>`. */
  readonly issuer: string;
  /** Issued the server's certificate. */
  readonly pki: Authority;
  readonly endpoints: { readonly token: string; readonly introspection: string; readonly jwks: string };
  /** The path of each request, in order. */
  readonly requests: readonly string[];
}

const keyKinds: Readonly<Record<TokenAlgorithm, KeyKind>> = {
  PS256: 'rsa-2048',
  RS256: 'rsa-2048',
  ES256: 'P-256',
  EdDSA: 'ed25519',
};

export async function openAuthorizationServer(
  options: AuthorizationServerOptions,
): Promise<AuthorizationServer> {
  const pki = authority({ name: 'Authorization server' });
  const leaf = pki.issueServer();
  const server = createServer({
    cert: leaf.chainPem,
    key: leaf.keyPem,
    requestCert: true,
    // Self-signed certificates are judged by the server of each client's registration, not by the handshake.
    rejectUnauthorized: false,
    ca: options.clientAnchors,
  });
  const listening = await listenOnLoopback(server);
  const issuer = `https://localhost:${listening.port}`;
  const provider = new Provider(issuer, await configurationOf(options));
  const serve = provider.callback();
  const requests: string[] = [];
  server.on('request', (request, response) => {
    requests.push(new URL(request.url ?? '', issuer).pathname);
    serve(request, response).catch(() => response.destroy());
  });
  const endpoints = {
    token: `${issuer}/token`,
    introspection: `${issuer}/token/introspection`,
    jwks: `${issuer}/jwks`,
  };
  return { ...listening, issuer, pki, endpoints, requests };
}

async function configurationOf({ clients, resources }: AuthorizationServerOptions) {
  return {
    clients,
    jwks: { keys: await signingKeys() },
    cookies: { keys: [randomBytes(32).toString('hex')] },
    ttl: {
      ClientCredentials: (_: ProviderContext, token: { resourceServer: { accessTokenTTL: number } }) =>
        token.resourceServer.accessTokenTTL,
    },
    scopes: [...new Set(Object.values(resources).flatMap(({ scope }) => scope.split(' ')))],
    clientAuthMethods: [
      'client_secret_basic',
      'private_key_jwt',
      'tls_client_auth',
      'self_signed_tls_client_auth',
    ],
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      introspection: { enabled: true, allowedPolicy: mayIntrospect },
      mTLS: {
        enabled: true,
        certificateBoundAccessTokens: true,
        tlsClientAuth: true,
        selfSignedTlsClientAuth: true,
        getCertificate: (context: ProviderContext) => certificateOf(context)?.toString(),
        certificateAuthorized: ({ req }: ProviderContext) => (req.socket as TLSSocket).authorized,
        certificateSubjectMatches: (context: ProviderContext, property: string, expected: string) =>
          property === 'tls_client_auth_subject_dn' && certificateOf(context)?.subject === expected,
      },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: (_: ProviderContext, indicator: string) => tokensFor(resources, indicator),
      },
    },
  };
}

/** A resource server may introspect the tokens of every client. */
function mayIntrospect(): boolean {
  return true;
}

function certificateOf({ req }: ProviderContext): X509Certificate | undefined {
  return (req.socket as TLSSocket).getPeerX509Certificate();
}

function tokensFor(resources: AuthorizationServerOptions['resources'], indicator: string) {
  const resource = resources[indicator];
  if (resource === undefined) throw new Error(`no resource ${indicator}`);
  const { format, scope, lifetime = 300 } = resource;
  const common = { scope, audience: indicator, accessTokenTTL: lifetime };
  return format === 'opaque'
    ? { ...common, accessTokenFormat: 'opaque' }
    : { ...common, accessTokenFormat: 'jwt', jwt: { sign: { alg: format } } };
}

/** Private keys, one for each algorithm. */
async function signingKeys(): Promise<object[]> {
  const entries = Object.entries(keyKinds).map(async ([alg, kind]) => ({
    ...(await exportJWK(makeKey(kind))),
    kid: `as-${alg}`,
    use: 'sig',
    alg,
  }));
  return Promise.all(entries);
}
