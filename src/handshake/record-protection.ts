/** TLS 1.3 record protection (RFC 8446 §5.2) for one direction, with keys from its traffic secret (§7.1, §7.3). */
import { createCipheriv, createDecipheriv, createHmac } from 'node:crypto';

/** The cipher suites of RFC 8446 appendix B.4 that the gateway negotiates. */
export const suites = {
  TLS_AES_128_GCM_SHA256: { cipher: 'aes-128-gcm', keyBytes: 16, hash: 'sha256', hashBytes: 32 },
  TLS_AES_256_GCM_SHA384: { cipher: 'aes-256-gcm', keyBytes: 32, hash: 'sha384', hashBytes: 48 },
  TLS_CHACHA20_POLY1305_SHA256: {
    cipher: 'chacha20-poly1305',
    keyBytes: 32,
    hash: 'sha256',
    hashBytes: 32,
  },
} as const;

export type Suite = (typeof suites)[keyof typeof suites];

const HEADER_BYTES = 5;
const TAG_BYTES = 16;
const IV_BYTES = 12;
const APPLICATION_DATA = 23;

/** The plaintext of one record without padding (TLSInnerPlaintext, RFC 8446 §5.2). */
export interface Content {
  readonly type: number;
  readonly bytes: Buffer;
}

export class RecordProtection {
  readonly suite: Suite;
  readonly #key: Buffer;
  readonly #iv: Buffer;
  #sequence = 0n;

  /** `secret` is neither kept nor wiped. */
  constructor(suite: Suite, secret: Buffer) {
    this.suite = suite;
    this.#key = expandLabel(suite, secret, { label: 'key', length: suite.keyBytes });
    this.#iv = expandLabel(suite, secret, { label: 'iv', length: IV_BYTES });
  }

  /** Decrypts a complete record with its header. null: it does not decrypt with this key; the sequence number stays. */
  open(record: Buffer): Content | null {
    if (record.length < HEADER_BYTES + TAG_BYTES + 1) return null;
    const { cipher } = this.suite;
    const end = record.length - TAG_BYTES;
    const decipher = createDecipheriv(cipher as 'aes-128-gcm', this.#key, this.#nonce(), {
      authTagLength: TAG_BYTES,
    });
    decipher.setAAD(record.subarray(0, HEADER_BYTES)).setAuthTag(record.subarray(end));
    const inner = decipher.update(record.subarray(HEADER_BYTES, end));
    try {
      decipher.final();
    } catch {
      return null;
    }
    this.#sequence++;
    // The content type is the last octet that is not zero. A plaintext without one is left to OpenSSL to reject (§5.4).
    let last = inner.length - 1;
    while (last >= 0 && inner[last] === 0) last--;
    return { type: last < 0 ? 0 : (inner[last] as number), bytes: inner.subarray(0, Math.max(last, 0)) };
  }

  /** Encrypts the content into a complete record with its header. */
  seal({ type, bytes }: Content): Buffer {
    const { cipher } = this.suite;
    const header = Buffer.from([APPLICATION_DATA, 3, 3, 0, 0]);
    header.writeUInt16BE(bytes.length + 1 + TAG_BYTES, 3);
    const sealing = createCipheriv(cipher as 'aes-128-gcm', this.#key, this.#nonce(), {
      authTagLength: TAG_BYTES,
    });
    sealing.setAAD(header);
    const inner = [sealing.update(bytes), sealing.update(Buffer.from([type])), sealing.final()];
    this.#sequence++;
    return Buffer.concat([header, ...inner, sealing.getAuthTag()]);
  }

  /** Overwrites the keys: no record can be opened or sealed afterwards. */
  wipe(): void {
    this.#key.fill(0);
    this.#iv.fill(0);
  }

  /** The per-record nonce (§5.3). */
  #nonce(): Buffer {
    const nonce = Buffer.from(this.#iv);
    nonce.writeBigUInt64BE(nonce.readBigUInt64BE(4) ^ this.#sequence, 4);
    return nonce;
  }
}

/** The secret that follows a KeyUpdate (§7.2). */
export function nextSecret(suite: Suite, secret: Buffer): Buffer {
  return expandLabel(suite, secret, { label: 'traffic upd', length: suite.hashBytes });
}

/** HKDF-Expand-Label (§7.1), up to the length of one hash: one block of HKDF-Expand (RFC 5869 §2.3). */
export function expandLabel(
  { hash }: Suite,
  secret: Buffer,
  options: { readonly label: string; readonly length: number; readonly context?: Buffer },
): Buffer {
  const { label, length, context = Buffer.alloc(0) } = options;
  const name = Buffer.from(`tls13 ${label}`, 'latin1');
  const info = Buffer.concat([
    Buffer.from([length >> 8, length & 255, name.length]),
    name,
    Buffer.from([context.length]),
    context,
    Buffer.from([1]),
  ]);
  const block = createHmac(hash, secret).update(info).digest();
  const key = Buffer.from(block.subarray(0, length));
  block.fill(0);
  return key;
}
