/** Ephemeral keys for the groups whose key exchange of TLS 1.3 can be done here (RFC 8446 §4.2.8). */
import { createECDH, createPublicKey, diffieHellman, generateKeyPairSync } from 'node:crypto';
import type { KeyShare } from './client-hello.ts';

export interface KeyShares {
  readonly shares: readonly KeyShare[];
  /** The shared secret with the server's key; null: no share of this group was offered, or the key is not valid. */
  agree(server: KeyShare): Buffer | null;
}

const x25519 = 29;
/** Code of the group → OpenSSL's name of the curve. */
const curves: readonly (readonly [group: number, curve: string])[] = [
  [23, 'prime256v1'],
  [24, 'secp384r1'],
  [25, 'secp521r1'],
];

interface Ephemeral extends KeyShare {
  /** Throws where the key is not valid. */
  readonly agree: (serverKey: Buffer) => Buffer;
}

export function makeKeyShares(): KeyShares {
  const ephemerals = [makeX25519(), ...curves.map(makeCurve)];
  return {
    shares: ephemerals.map(({ group, key }) => ({ group, key })),
    agree: ({ group, key }) => {
      try {
        return ephemerals.find((own) => own.group === group)?.agree(Buffer.from(key)) ?? null;
      } catch {
        return null;
      }
    },
  };
}

function makeX25519(): Ephemeral {
  const { publicKey, privateKey } = generateKeyPairSync('x25519');
  const { x = '' } = publicKey.export({ format: 'jwk' });
  return {
    group: x25519,
    key: Buffer.from(x, 'base64url'),
    agree: (serverKey) => {
      const key = { kty: 'OKP', crv: 'X25519', x: serverKey.toString('base64url') };
      return diffieHellman({ privateKey, publicKey: createPublicKey({ key, format: 'jwk' }) });
    },
  };
}

function makeCurve([group, curve]: readonly [number, string]): Ephemeral {
  const ecdh = createECDH(curve);
  return { group, key: ecdh.generateKeys(), agree: (serverKey) => ecdh.computeSecret(serverKey) };
}
