/**
 * Reads the records that a client sends until its handshake is done, and refuses what would cause OpenSSL costly work for a
 * client from an unlisted address: too many bytes or records, or certificates that are costly to verify. In TLS 1.2 the
 * certificates are in clear; in TLS 1.3 they are protected by the client's handshake traffic secret, which the server knows
 * before the client can use it (RFC 8446 §7.3).
 */
import { findCostlyCertificate } from './costly-certificates.ts';
import { HandshakeMessages } from './handshake-messages.ts';
import { readSecret } from './key-log.ts';
import { RecordProtection, suites } from './record-protection.ts';

const HEADER_BYTES = 5;
/** An ordinary handshake has about six records from the client; many small records cost more than their bytes. */
const MAX_RECORDS = 64;

/** A ClientHello is shorter. */
const MAX_FIRST_BYTES = 4096;

const ALERT = 21;
const FATAL = 2;
const types = { changeCipherSpec: 20, handshake: 22, applicationData: 23 } as const;
const messages = { clientHello: 1, certificate: 11, finished: 20, compressedCertificate: 25 } as const;

export interface FlightRefusal {
  readonly reason: 'handshake_too_large' | 'certificates_refused' | 'sslv2_hello';
  readonly detail: string;
}

/**
 * `plain`: records are in clear · `opaque`: a ChangeCipherSpec came, so what follows is encrypted by TLS 1.2, or is TLS 1.3
 * before its secret is known · `protected`: TLS 1.3, its secret is known · `over`: bytes are passed on without reading.
 */
type Mode = 'plain' | 'opaque' | 'protected' | 'over';

export class ClientFlight {
  readonly #maxBytes: number;
  #mode: Mode = 'plain';
  /** Bytes after the last complete record. */
  #chunks: Buffer[] = [];
  #length = 0;
  /** Bytes of the next record with its header; 0: not known yet. */
  #size = 0;
  /** The last record must be passed to OpenSSL before the next one is read. */
  #flush = false;
  #bytes = 0;
  #records = 0;
  /** null: not TLS 1.3, or its secret is not known. */
  #protection: RecordProtection | null = null;
  /** server_application_traffic_secret_0, which protects an alert. */
  #serverSecret: Buffer | null = null;
  readonly #messages = new HandshakeMessages({
    begin: (type, length) => this.#beginMessage(type, length),
    end: (type, body) => this.#endMessage(type, body),
    stopped: () => this.#refusal !== null || this.#mode === 'over',
  });
  #refusal: FlightRefusal | null = null;
  #first: Buffer[] = [];
  #firstLength = 0;

  constructor({ maxBytes }: { readonly maxBytes: number }) {
    this.#maxBytes = maxBytes;
  }

  /** Why no more bytes may be passed on; null: they may. */
  get refusal(): FlightRefusal | null {
    return this.#refusal;
  }

  /** The bytes of the first record as far as they came, to explain a failure; empty once the handshake is done. */
  get firstBytes(): Buffer {
    return Buffer.concat(this.#first);
  }

  /** Adds bytes from the client. */
  add(chunk: Buffer): void {
    if (this.#firstLength < MAX_FIRST_BYTES) {
      this.#first.push(chunk);
      this.#firstLength += chunk.length;
    }
    this.#chunks.push(chunk);
    this.#length += chunk.length;
  }

  /**
   * The next bytes for OpenSSL; null: more bytes are needed, or they are refused. Returns all complete records up to one
   * that changes how the next is read, joined: after a certificate with a wrong signature OpenSSL fails the handshake if it
   * has to wait for more bytes, and goes on if it does not.
   */
  next(): Buffer | null {
    this.#flush = false;
    const records: Buffer[] = [];
    for (let record = this.#nextRecord(); record !== null; record = this.#nextRecord()) {
      records.push(record);
      if (this.#flush) break;
    }
    if (this.#refusal !== null || records.length === 0) return null;
    return records.length === 1 ? (records[0] as Buffer) : Buffer.concat(records);
  }

  #nextRecord(): Buffer | null {
    if (this.#refusal !== null) return null;
    if (this.#mode === 'over') return this.#length === 0 ? null : this.#take(this.#length);
    if (this.#records === 0 && this.#length > 0 && !this.#beginsTls()) {
      if (this.#refusal !== null || this.#length < 3) return null;
      // OpenSSL rejects these bytes and reads nothing after them.
      this.end();
      return this.#nextRecord();
    }
    if (this.#size === 0 && this.#length >= HEADER_BYTES)
      this.#size = HEADER_BYTES + this.#peek(HEADER_BYTES).readUInt16BE(3);
    if (this.#bytes + this.#size > this.#maxBytes) return this.#tooLarge(this.#moreBytes);
    if (this.#size === 0 || this.#length < this.#size) return null;
    if (++this.#records > MAX_RECORDS)
      return this.#tooLarge(
        `more than ${MAX_RECORDS} TLS records, which no option changes for an address that clients.allowlist does not list,`,
      );
    this.#bytes += this.#size;
    const record = this.#take(this.#size);
    this.#size = 0;
    this.#read(record);
    return this.#refusal === null ? record : null;
  }

  /**
   * Takes one line of the key log and wipes it. `cipher`: the cipher suite that was agreed on. `resumed`: the client sends
   * no certificates (RFC 8446 §4.3.2).
   */
  keyLog(
    line: Buffer,
    { cipher, resumed }: { readonly cipher: string | undefined; readonly resumed: boolean },
  ): void {
    if (this.#mode !== 'over' && !resumed) {
      const clientSecret = readSecret(line, 'CLIENT_HANDSHAKE_TRAFFIC_SECRET');
      if (clientSecret !== null) this.#protect(clientSecret, cipher);
      else this.#serverSecret = readSecret(line, 'SERVER_TRAFFIC_SECRET_0') ?? this.#serverSecret;
    }
    line.fill(0);
  }

  /**
   * The cipher suite comes from OpenSSL, never from trying which one opens the client's records: after a ClientHello with
   * early_data OpenSSL skips records that it cannot decrypt (RFC 8446 §4.2.10), and a client could protect one of them with
   * another suite.
   */
  #protect(secret: Buffer, cipher: string | undefined): void {
    const suite = Object.entries(suites).find(([name]) => name === cipher)?.[1];
    if (suite === undefined)
      this.#refuseCertificates('certificates under a cipher suite that the gateway cannot inspect');
    else this.#protection = new RecordProtection(suite, secret);
    secret.fill(0);
    this.#mode = 'protected';
    this.#messages.reset();
  }

  /** The alert record that reports the refusal to the client (RFC 8446 §6.2); null: the client could not read one. */
  alert(): Buffer | null {
    const { reason } = this.#refusal ?? {};
    // unsupported_certificate or handshake_failure.
    const bytes = Buffer.from([FATAL, reason === 'certificates_refused' ? 43 : 40]);
    if (this.#mode !== 'protected')
      return this.#records === 0 ? null : Buffer.from([ALERT, 3, 3, 0, bytes.length, ...bytes]);
    if (this.#protection === null || this.#serverSecret === null) return null;
    const sealing = new RecordProtection(this.#protection.suite, this.#serverSecret);
    const record = sealing.seal({ type: ALERT, bytes });
    sealing.wipe();
    return record;
  }

  /** The handshake is done: nothing is left to explain. */
  forget(): void {
    this.#first = [];
    this.#firstLength = MAX_FIRST_BYTES;
  }

  /** The handshake is over: wipes the secrets and passes on all further bytes without reading them. */
  end(): void {
    this.#mode = 'over';
    this.#protection?.wipe();
    this.#protection = null;
    this.#serverSecret?.fill(0);
    this.#serverSecret = null;
    this.#messages.reset();
  }

  /** Checks the first record only: OpenSSL's reading of any later bytes could differ from this one. */
  #beginsTls(): boolean {
    const [type = 0, major = 3, kind = 1] = this.#peek(3);
    // A ClientHello in the format of SSL 2.0, which OpenSSL accepts and answers with TLS 1.2 (RFC 5246 appendix E.2).
    if (type >= 0x80 && kind === 1 && this.#length >= 3) {
      const detail =
        'the client sent a ClientHello in the format of SSL 2.0, which no client of TLS 1.2 or 1.3 needs';
      this.#refusal = { reason: 'sslv2_hello', detail };
    }
    return type >= types.changeCipherSpec && type <= types.applicationData && major === 3;
  }

  #read(record: Buffer): void {
    const type = record[0];
    if (this.#mode === 'plain') {
      if (type === types.handshake) this.#messages.read(record.subarray(HEADER_BYTES));
      else if (type === types.changeCipherSpec) this.#mode = 'opaque';
    } else if (this.#mode === 'opaque') {
      // May be the second ClientHello, after which OpenSSL derives the secret.
      this.#flush = true;
    } else if (this.#mode === 'protected' && type === types.applicationData) this.#readProtected(record);
  }

  #readProtected(record: Buffer): void {
    // Early data is not accepted: OpenSSL skips records that do not decrypt, and so does this (RFC 8446 §4.2.10).
    const content = this.#protection?.open(record) ?? null;
    if (content === null) return;
    if (content.type === types.handshake) this.#messages.read(content.bytes);
    content.bytes.fill(0);
  }

  #beginMessage(type: number, length: number): boolean {
    if (type === messages.compressedCertificate)
      this.#refuseCertificates('compressed certificates, which the gateway did not ask for');
    if (type !== messages.certificate) return false;
    if (length > this.#maxBytes) this.#tooLarge(this.#moreBytes);
    return this.#refusal === null;
  }

  #endMessage(type: number, body: Buffer | null): void {
    if (body !== null) {
      const problem = findCostlyCertificate(body, { tls13: this.#mode === 'protected' });
      if (problem !== null) this.#refuseCertificates(problem);
    }
    // OpenSSL answers it and derives the secret.
    if (type === messages.clientHello) this.#flush = true;
    if (type !== messages.finished || this.#mode !== 'protected') return;
    this.end();
    // Bytes after Finished belong to the open connection, where they are passed on in slices and counted.
    this.#flush = true;
  }

  #refuseCertificates(problem: string): void {
    this.#refusal = {
      reason: 'certificates_refused',
      detail: `the client sent ${problem}. The gateway does not verify this for an address that clients.allowlist does not list (a range of /0 lists none); no option changes what it verifies for such an address`,
    };
  }

  get #moreBytes(): string {
    return `more than limits.handshakeBytes (${this.#maxBytes} bytes)`;
  }

  #tooLarge(what: string): null {
    this.#refusal = {
      reason: 'handshake_too_large',
      detail: `the client sent ${what} during the handshake`,
    };
    return null;
  }

  #peek(length: number): Buffer {
    const first = this.#chunks[0] as Buffer;
    if (first.length >= length || this.#chunks.length === 1) return first.subarray(0, length);
    return Buffer.concat(this.#chunks).subarray(0, length);
  }

  #take(length: number): Buffer {
    const all = this.#chunks.length === 1 ? (this.#chunks[0] as Buffer) : Buffer.concat(this.#chunks);
    const rest = all.subarray(length);
    this.#chunks = rest.length === 0 ? [] : [rest];
    this.#length = rest.length;
    return all.subarray(0, length);
  }
}
