/** `fetch` with a client certificate, for the requests of clients and gateways to an authorization server. */
import { Agent, fetch as undiciFetch } from 'undici';
import type { Leaf } from '../pki/authority.ts';

export interface MutualTlsFetch extends AsyncDisposable {
  readonly fetch: (url: string | URL, init?: object) => Promise<Response>;
}

/** `ca`: PEM that the server is verified with; without `leaf` no certificate is presented. */
export function openMutualTlsFetch(options: {
  readonly ca: string;
  readonly leaf?: Pick<Leaf, 'chainPem' | 'keyPem'> | undefined;
}): MutualTlsFetch {
  const { ca, leaf } = options;
  const agent = new Agent({ connect: { ca, ...(leaf ? { cert: leaf.chainPem, key: leaf.keyPem } : {}) } });
  return {
    fetch: (url, init) =>
      undiciFetch(url, { ...init, dispatcher: agent } as object) as unknown as Promise<Response>,
    [Symbol.asyncDispose]: () => agent.close(),
  };
}
