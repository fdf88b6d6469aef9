/** Reads the public keys that seals are checked with. */
import { createPublicKey, type KeyObject } from 'node:crypto';
import { keyIdOf } from '../../audit/seals/seal.ts';

const block = /-----BEGIN PUBLIC KEY-----[\s\S]+?-----END PUBLIC KEY-----/g;

/**
 * By their ids (`keyIdOf`). Several blocks are allowed, because a key may have been replaced while the files were written.
 *
 * @returns a text that says what is wrong, without the content: it may be a private key.
 */
export function readPublicKeys(pem: string): ReadonlyMap<string, KeyObject> | string {
  if (pem.includes('PRIVATE KEY'))
    return 'found a private key; allowed the public key, such as the .pub file of `certs audit-key`';
  const blocks = pem.match(block) ?? [];
  if (blocks.length === 0) return 'found no public key; allowed PEM with PUBLIC KEY blocks (Ed25519)';
  const keys = new Map<string, KeyObject>();
  for (const [index, each] of blocks.entries()) {
    const key = parse(each);
    if (key?.asymmetricKeyType !== 'ed25519') {
      const found = key === null ? 'cannot be read' : `is of type ${key.asymmetricKeyType}`;
      return `public key ${index + 1} ${found}; allowed Ed25519`;
    }
    keys.set(keyIdOf(key), key);
  }
  return keys;
}

function parse(pem: string): KeyObject | null {
  try {
    return createPublicKey(pem);
  } catch {
    return null;
  }
}
