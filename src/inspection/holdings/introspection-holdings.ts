/** The CAs and the credentials of `routes[].bearer.introspection`. No secret is shown. */
import { createHash, createPrivateKey, createPublicKey } from 'node:crypto';
import type { IntrospectionConfig } from '../../config/schema/bearer.ts';
import type { Config } from '../../config/schema/schema.ts';
import { keyTypeOf } from '../../pki/key.ts';
import { authorityHoldings, chainHoldings, readConfigured, reasonOf } from './file-holdings.ts';
import type { Holding, Use } from './holding.ts';

type Place = Pick<Use, 'path' | 'usedBy'>;

/** In the order of the configuration. */
export async function introspectionHoldings({ routes }: Config): Promise<Holding[]> {
  const found: Holding[] = [];
  for (const [index, { bearer }] of routes.entries()) {
    const { introspection } = bearer ?? {};
    if (introspection === undefined) continue;
    const { origin } = new URL(introspection.endpoint);
    const place = { path: `routes[${index}].bearer.introspection`, usedBy: `introspection ${origin}` };
    found.push(...(await serverHoldings(introspection, place)), ...(await ownHoldings(introspection, place)));
  }
  return found;
}

async function serverHoldings({ ca }: IntrospectionConfig, place: Place): Promise<Holding[]> {
  if (ca !== undefined)
    return authorityHoldings({
      ...place,
      purpose: 'introspection_ca',
      path: `${place.path}.ca`,
      source: ca,
    });
  const detail = 'the introspection endpoint is verified with them';
  return [{ ...place, purpose: 'system_cas', source: 'operating system', kind: 'set', detail }];
}

async function ownHoldings({ auth }: IntrospectionConfig, place: Place): Promise<Holding[]> {
  const path = `${place.path}.auth`;
  const { kind, secretFile = '', keyFile = '', chain = '', key = '' } = auth;
  switch (kind) {
    case 'client_secret_basic': {
      const detail = `the password of the client ${auth.clientId}`;
      return [{ ...place, path, purpose: 'introspection_secret', source: secretFile, kind: 'set', detail }];
    }
    case 'private_key_jwt':
      return [await signingKey({ ...place, path, purpose: 'introspection_key', source: keyFile }, auth.kid)];
    case 'tls_client_auth':
      return chainHoldings(
        { ...place, path, purpose: 'introspection_client', source: chain },
        { keyFile: key, others: 'introspection_chain' },
      );
    default:
      return kind satisfies never;
  }
}

async function signingKey(use: Use, kid: string | undefined): Promise<Holding> {
  let pem: Buffer;
  try {
    pem = await readConfigured(use.source);
  } catch (cause) {
    return { ...use, kind: 'fault', detail: reasonOf(cause) };
  }
  try {
    const publicKey = createPublicKey(createPrivateKey(pem));
    const spki = publicKey.export({ type: 'spki', format: 'der' });
    const spkiPin = createHash('sha256').update(spki).digest('base64');
    const state = kid === undefined ? 'used' : `used; kid ${kid}`;
    return { ...use, kind: 'key', key: keyTypeOf(publicKey), spkiPin, state };
  } catch {
    return { ...use, kind: 'fault', detail: 'no private key that can be read' };
  }
}
