/** Reads a JSON Web Key Set, or one JSON Web Key, into items; keys without a certificate are described, too. */
import type { JsonWebKeyInput } from 'node:crypto';
import { UsageError } from '../../errors.ts';
import { readJwks } from '../../issuing/jwks-reader.ts';
import { certificateItem } from './certificate-item.ts';
import { type Item, type UnreadableItem, unreadableItem } from './item.ts';
import { otherPrivateKey, publicKeyItem } from './key-items.ts';

/** A larger set is not a registration of a client. */
const MAX_KEYS = 1000;

/** `bytes`: text that begins with a brace or a bracket. */
export function jwksItems(bytes: Uint8Array): Item[] {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch {
    // The message of JSON.parse repeats a part of the input, which may be a private key.
    return [unreadableItem('text that begins like JSON and is not, or is cut off')];
  }
  const set = membersOf(value);
  const keys = set?.keys ?? (set?.kty === undefined ? undefined : [set]);
  if (!Array.isArray(keys) || keys.length === 0) return [unreadableItem('JSON without an array "keys"')];
  if (keys.length > MAX_KEYS) return [unreadableItem(`a JWKS of ${keys.length} keys, more than ${MAX_KEYS}`)];
  const items = keys.flatMap((key, index) => keyItems(membersOf(key), `keys[${index}]`));
  const fault = set?.keys === undefined ? null : strictFault(bytes);
  const isReported = items.some(({ kind }) => kind === 'unreadable' || kind === 'private_key');
  return fault === null || isReported ? items : [...items, fault];
}

type Members = Readonly<Record<string, unknown>>;

function membersOf(value: unknown): Members | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Members) : null;
}

function keyItems(key: Members | null, at: string): Item[] {
  if (key === null) return [unreadableItem('a key that is no JSON object', at)];
  if ('k' in key) return [otherPrivateKey('a secret key', at)];
  if ('d' in key) return [otherPrivateKey('a private key', at)];
  const name = describe(key);
  const { x5c } = key;
  if (Array.isArray(x5c) && x5c.length > 0)
    return x5c.map((text, index) => chainItem(text, { at: `${at}.x5c[${index}]`, name }));
  const item = publicKeyItem({ key: key as JsonWebKeyInput['key'], format: 'jwk' }, at);
  const what = `a public key without a certificate${name === null ? '' : ` (${name})`}`;
  return [item.kind === 'public_key' ? { ...item, what } : item];
}

/** `kid …, use sig`: what identifies the key in the set. */
function describe(key: Members): string | null {
  const parts = ['kid', 'use', 'alg'].flatMap((name) => {
    const value = key[name];
    return typeof value === 'string' && value !== '' ? [`${name} ${value}`] : [];
  });
  return parts.length === 0 ? null : parts.join(', ');
}

function chainItem(text: unknown, place: { readonly at: string; readonly name: string | null }): Item {
  const der = typeof text === 'string' ? Buffer.from(text, 'base64') : Buffer.alloc(0);
  if (der.length === 0 || der.toString('base64') !== text)
    return unreadableItem('text that is not Base64', place.at);
  return certificateItem(der, place);
}

/** What the reader of `certs jwks` refuses: a key that is not that of its certificate, a chain out of order. */
function strictFault(bytes: Uint8Array): UnreadableItem | null {
  try {
    readJwks(bytes, 'JWKS');
    return null;
  } catch (cause) {
    if (!(cause instanceof UsageError)) throw cause;
    const [, at = 'JWKS', found = cause.message, allowed] =
      /^JWKS: (.*?): found (.*); allowed (.*)$/s.exec(cause.message) ?? [];
    const item = unreadableItem(found, at);
    return allowed === undefined ? item : { ...item, allowed };
  }
}
