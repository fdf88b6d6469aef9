/** The kinds of the keys of the gateway's certificates. */
import { X509Certificate } from 'node:crypto';
import type { PolicySnapshot } from '../policy/snapshot.ts';
import type { KeyType } from './first-bytes.ts';

const known = new WeakMap<PolicySnapshot, readonly KeyType[]>();

/** Read once for each snapshot, when a handshake has failed. */
export function keyTypesOf(snapshot: PolicySnapshot): readonly KeyType[] {
  let types = known.get(snapshot);
  if (types === undefined) {
    types = snapshot.certificates.map(({ chain }) => typeOf(new X509Certificate(chain)));
    known.set(snapshot, types);
  }
  return types;
}

function typeOf({ publicKey }: X509Certificate): KeyType {
  const type = publicKey.asymmetricKeyType ?? '';
  if (type === 'ec') return 'ec';
  return type.startsWith('rsa') ? 'rsa' : 'other';
}
