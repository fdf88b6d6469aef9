/** A real client (openid-client) that gets access tokens by client_credentials over mutual TLS (RFC 8705 §2). */
import { clientCredentialsGrant, customFetch, discovery, TlsClientAuth } from 'openid-client';
import type { Leaf } from '../pki/authority.ts';
import type { AuthorizationServer } from './authorization-server.ts';
import { openMutualTlsFetch } from './mutual-tls-fetch.ts';

export interface TokenClientOptions {
  readonly server: Pick<AuthorizationServer, 'issuer' | 'pki'>;
  readonly id: string;
  /** The certificate that the client presents. */
  readonly leaf: Pick<Leaf, 'chainPem' | 'keyPem'>;
}

export interface TokenClient extends AsyncDisposable {
  /** The access token for this resource indicator and this scope. Rejects with the server's error. */
  token(resource: string, scope?: string): Promise<string>;
}

export async function openTokenClient({ server, id, leaf }: TokenClientOptions): Promise<TokenClient> {
  const mutualTls = openMutualTlsFetch({ ca: server.pki.root.pem, leaf });
  const configuration = await discovery(new URL(server.issuer), id, {}, TlsClientAuth(), {
    [customFetch]: mutualTls.fetch,
  });
  return {
    async token(resource, scope) {
      const parameters = { resource, ...(scope === undefined ? {} : { scope }) };
      const { access_token: token } = await clientCredentialsGrant(configuration, parameters);
      return token;
    },
    [Symbol.asyncDispose]: () => mutualTls[Symbol.asyncDispose](),
  };
}
