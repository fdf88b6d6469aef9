/**
 * Reads what a client offers from the bytes of its ClientHello (RFC 8446 §4.1.2), to explain a handshake that failed. OpenSSL
 * decides on the handshake; nothing here does.
 */

export interface ClientHello {
  /** Such as `0x0303`: the highest version that the client offers; 0: none that is known. */
  readonly version: number;
  /** As in supported_versions, without values that clients add at random (RFC 8701); null: the extension is absent. */
  readonly versions: readonly number[] | null;
  readonly suites: readonly number[];
  /** null: the extension is absent. */
  readonly groups: readonly number[] | null;
  readonly signatures: readonly number[] | null;
  readonly alpn: readonly string[] | null;
  readonly serverName: string | null;
}

const RECORD_HEADER = 5;
const HANDSHAKE = 22;
const CLIENT_HELLO = 1;
const CHANGE_CIPHER_SPEC = 20;
const TLS12 = 0x0303;
const TLS13 = 0x0304;
const extensions = { serverName: 0, groups: 10, signatures: 13, alpn: 16, versions: 43 } as const;

/** Whether the bytes begin with the header of a TLS record. */
export function beginsRecord(bytes: Buffer): boolean {
  const [type = 0, major = 3] = bytes;
  return type >= 20 && type <= 23 && major === 3;
}

/** Bytes of the first record with its header; NaN: the header is incomplete. */
export function firstRecordLength(bytes: Buffer): number {
  return bytes.length < RECORD_HEADER ? Number.NaN : RECORD_HEADER + bytes.readUInt16BE(3);
}

/**
 * Bytes of the ClientHello messages at the beginning: of both after a HelloRetryRequest (RFC 8446 §4.1.4), where a
 * ChangeCipherSpec may lie between them. `isWhole`: the bytes are all that came, not the first record alone, behind which a
 * second ClientHello may have come. null: not known.
 */
export function clientHelloBytes(bytes: Buffer, { isWhole }: { readonly isWhole: boolean }): number | null {
  let end = firstRecordLength(bytes);
  if (!(bytes.length >= end)) return null;
  if (!isWhole) return (readClientHello(bytes)?.version ?? TLS13) < TLS13 ? end : null;
  for (let at = end; bytes.length > at + RECORD_HEADER; ) {
    const record = bytes.subarray(at);
    at += firstRecordLength(record);
    const isHello = record[0] === HANDSHAKE && record[RECORD_HEADER] === CLIENT_HELLO;
    if (isHello) end = at;
    else if (record[0] !== CHANGE_CIPHER_SPEC) break;
  }
  return end;
}

/** null: the bytes are not a complete ClientHello in one record, or it is malformed. */
export function readClientHello(bytes: Buffer): ClientHello | null {
  if (bytes[0] !== HANDSHAKE || !beginsRecord(bytes) || !(bytes.length >= firstRecordLength(bytes)))
    return null;
  const record = new Fields(bytes.subarray(RECORD_HEADER, firstRecordLength(bytes)));
  if (record.number(1) !== CLIENT_HELLO) return null;
  const body = new Fields(record.vector(3));
  const legacyVersion = body.number(2);
  body.skip(32);
  body.vector(1);
  const suites = body.numbers(2);
  body.vector(1);
  const found = body.isAtEnd ? new Map<number, Fields>() : readExtensions(new Fields(body.vector(2)));
  const versions = found.get(extensions.versions)?.numbers(1).filter(isVersion) ?? null;
  const hello = {
    // With the extension it alone counts (RFC 8446 §4.2.1).
    version:
      versions === null ? Math.min(legacyVersion, TLS12) : Math.max(0, ...versions.filter(isKnownVersion)),
    versions,
    suites,
    groups: found.get(extensions.groups)?.numbers(2) ?? null,
    signatures: found.get(extensions.signatures)?.numbers(2) ?? null,
    alpn: found.get(extensions.alpn)?.texts() ?? null,
    serverName: found.get(extensions.serverName)?.serverName() ?? null,
  };
  return [record, body, ...found.values()].some(({ isBroken }) => isBroken) ? null : hello;
}

/** Not a value that clients add at random (RFC 8701 §2). */
function isVersion(version: number): boolean {
  return (version & 0x0f0f) !== 0x0a0a;
}

function isKnownVersion(version: number): boolean {
  return version >= 0x0300 && version <= 0x0304;
}

function readExtensions(fields: Fields): Map<number, Fields> {
  const found = new Map<number, Fields>();
  while (!fields.isAtEnd && !fields.isBroken) {
    const type = fields.number(2);
    found.set(type, new Fields(fields.vector(2)));
  }
  return found;
}

/** Reads numbers and vectors (RFC 8446 §3.4); what lies beyond the end reads as empty, and `isBroken` says so. */
class Fields {
  #rest: Buffer;
  isBroken = false;

  constructor(bytes: Buffer) {
    this.#rest = bytes;
  }

  get isAtEnd(): boolean {
    return this.#rest.length === 0;
  }

  skip(length: number): Buffer {
    if (length > this.#rest.length) this.isBroken = true;
    const taken = this.#rest.subarray(0, length);
    this.#rest = this.#rest.subarray(length);
    return taken;
  }

  number(size: number): number {
    const bytes = this.skip(size);
    return bytes.length < size ? 0 : bytes.readUIntBE(0, size);
  }

  /** `size`: bytes of its length. */
  vector(size: number): Buffer {
    return this.skip(this.number(size));
  }

  /** A vector of two-byte numbers. */
  numbers(size: number): number[] {
    const bytes = this.vector(size);
    return Array.from({ length: bytes.length >> 1 }, (_, index) => bytes.readUInt16BE(index * 2));
  }

  texts(): string[] {
    const list = new Fields(this.vector(2));
    const texts: string[] = [];
    while (!list.isAtEnd && !list.isBroken) texts.push(list.vector(1).toString('latin1'));
    return texts;
  }

  /** RFC 6066 §3: the name is of type 0. */
  serverName(): string | null {
    const list = new Fields(this.vector(2));
    return list.number(1) === 0 ? list.vector(2).toString('latin1') : null;
  }
}
