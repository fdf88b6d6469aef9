/** Describes keys: the type, the size and the pin of the public half. The private half is never kept or returned. */
import { createHash, createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { keyTypeOf } from '../../pki/key.ts';
import { type KeyItem, type UnreadableItem, unreadableItem } from './item.ts';

/** `der`: PKCS#8, PKCS#1 or SEC 1. */
export function privateKeyInDer(der: Uint8Array, at: string | null): KeyItem | UnreadableItem {
  for (const type of ['pkcs8', 'pkcs1', 'sec1'] as const) {
    try {
      return privateKey(createPrivateKey({ key: Buffer.from(der), format: 'der', type }), at);
    } catch {
      // Another form, or not readable.
    }
  }
  return unreadableItem('a private key that cannot be read', at);
}

/** `key`: read already, from a PKCS#12 file. */
export function privateKey(key: KeyObject, at: string | null): KeyItem {
  return { kind: 'private_key', at, what: 'a private key', ...publicFacts(createPublicKey(key)) };
}

export function encryptedKey(at: string | null): KeyItem {
  return { kind: 'private_key', at, what: 'an encrypted private key', key: null, spkiPin: null };
}

/** Forms that Node cannot read: OpenSSH, a private JWK. */
export function otherPrivateKey(what: string, at: string | null): KeyItem {
  return { kind: 'private_key', at, what, key: null, spkiPin: null };
}

export function publicKeyItem(
  input: Parameters<typeof createPublicKey>[0],
  at: string | null,
): KeyItem | UnreadableItem {
  try {
    return { kind: 'public_key', at, what: 'a public key', ...publicFacts(createPublicKey(input)) };
  } catch {
    return unreadableItem('a public key that cannot be read', at);
  }
}

function publicFacts(key: KeyObject): Pick<KeyItem, 'key' | 'spkiPin'> {
  const spki = key.export({ type: 'spki', format: 'der' });
  return { key: keyTypeOf(key), spkiPin: createHash('sha256').update(spki).digest('base64') };
}
