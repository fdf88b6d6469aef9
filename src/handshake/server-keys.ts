/** What the gateway's certificates offer to a client: the kinds of their keys, and the length of their chains. */
import { X509Certificate } from 'node:crypto';
import type { PolicySnapshot } from '../policy/snapshot.ts';
import type { KeyType, Offer } from './first-bytes.ts';

type OfferedKeys = Pick<Offer, 'keyTypes' | 'chainBytes'>;

const known = new WeakMap<PolicySnapshot, OfferedKeys>();

/** Read once for each snapshot, when a handshake has failed. */
export function offeredKeys(snapshot: PolicySnapshot): OfferedKeys {
  let keys = known.get(snapshot);
  if (keys === undefined) {
    const chains = snapshot.certificates.map(({ chain }) => chain);
    keys = {
      keyTypes: chains.map((chain) => typeOf(new X509Certificate(chain))),
      chainBytes: Math.min(...chains.map(lengthOf)),
    };
    known.set(snapshot, keys);
  }
  return keys;
}

function typeOf({ publicKey }: X509Certificate): KeyType {
  const type = publicKey.asymmetricKeyType ?? '';
  if (type === 'ec') return 'ec';
  return type.startsWith('rsa') ? 'rsa' : 'other';
}

/** Bytes of DER in a chain of PEM. */
function lengthOf(chain: string): number {
  const blocks = chain.match(/(?<=-----BEGIN CERTIFICATE-----)[^-]+/g) ?? [];
  return blocks.reduce((sum, block) => sum + Buffer.from(block, 'base64').length, 0);
}
