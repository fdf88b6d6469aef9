/** What the gateway's certificates offer to a client: the kinds of their keys, and the length of their chains. */
import { X509Certificate } from 'node:crypto';
import type { PolicySnapshot } from '../policy/snapshot.ts';
import type { Offer, ServerKey } from './offer-mismatch.ts';

type OfferedKeys = Pick<Offer, 'keys' | 'chainBytes'>;

const known = new WeakMap<PolicySnapshot, OfferedKeys>();

/** Read once for each snapshot, when a handshake has failed. */
export function offeredKeys(snapshot: PolicySnapshot): OfferedKeys {
  let keys = known.get(snapshot);
  if (keys === undefined) {
    const chains = snapshot.certificates.map(({ chain }) => chain);
    keys = {
      keys: chains.map((chain) => keyOf(new X509Certificate(chain))),
      chainBytes: Math.min(...chains.map(lengthOf)),
    };
    known.set(snapshot, keys);
  }
  return keys;
}

/** OpenSSL's names → codes of TLS. */
const curves: Readonly<Record<string, number>> = { prime256v1: 23, secp384r1: 24, secp521r1: 25 };

function keyOf({ publicKey }: X509Certificate): ServerKey {
  const type = publicKey.asymmetricKeyType ?? '';
  if (type === 'ec') return { type, curve: curves[publicKey.asymmetricKeyDetails?.namedCurve ?? ''] ?? null };
  return { type: type.startsWith('rsa') ? 'rsa' : 'other', curve: null };
}

/** Bytes of DER in a chain of PEM. */
function lengthOf(chain: string): number {
  const blocks = chain.match(/(?<=-----BEGIN CERTIFICATE-----)[^-]+/g) ?? [];
  return blocks.reduce((sum, block) => sum + Buffer.from(block, 'base64').length, 0);
}
