/**
 * Reads along what a client sends until its handshake is done, one record after the other, and holds back what would make
 * OpenSSL work for a stranger: too many bytes or records, or certificates that are costly to verify. In TLS 1.2 those come in
 * clear, in TLS 1.3 under the handshake traffic secret, which the server knows before the client can use it (RFC 8446 §7.3).
 */
import { judgeCertificates } from './costly-certificates.ts';
import { HandshakeMessages } from './handshake-messages.ts';
import { RecordProtection, suites } from './record-protection.ts';

const HEADER_BYTES = 5;
const SPACE = 0x20;
/** An ordinary handshake has about six from the client; many small ones cost more than their bytes. */
const MAX_RECORDS = 64;

const ALERT = 21;
const FATAL = 2;
const types = { changeCipherSpec: 20, handshake: 22, applicationData: 23 } as const;
const messages = { clientHello: 1, certificate: 11, finished: 20, compressedCertificate: 25 } as const;

export interface FlightRefusal {
  readonly reason: 'handshake_too_large' | 'certificates_refused';
  readonly detail: string;
}

/**
 * `plain`: records are read as they are · `sealed`: a ChangeCipherSpec came, so what follows is of a TLS 1.2 session, or of
 * TLS 1.3 before its secret · `protected`: TLS 1.3, its secret is known · `over`: nothing is read any more.
 */
type Mode = 'plain' | 'sealed' | 'protected' | 'over';

export class ClientFlight {
  readonly #maxBytes: number;
  #mode: Mode = 'plain';
  /** What came after the last whole record. */
  #chunks: Buffer[] = [];
  #length = 0;
  /** Bytes of the next record; 0: not known yet. */
  #size = 0;
  /** What was read last must be passed on before anything else is read. */
  #flush = false;
  #bytes = 0;
  #records = 0;
  /** null: not in TLS 1.3, or not yet. */
  #protection: RecordProtection | null = null;
  /** server_application_traffic_secret_0: what an alert would be sealed with. */
  #serverSecret: Buffer | null = null;
  readonly #messages = new HandshakeMessages({
    begin: (type, length) => this.#beginMessage(type, length),
    end: (type, body) => this.#endMessage(type, body),
    stopped: () => this.#refusal !== null || this.#mode === 'over',
  });
  #refusal: FlightRefusal | null = null;

  constructor({ maxBytes }: { readonly maxBytes: number }) {
    this.#maxBytes = maxBytes;
  }

  /** Why no more may be passed on; null: nothing speaks against it. */
  get refusal(): FlightRefusal | null {
    return this.#refusal;
  }

  offer(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#length += chunk.length;
  }

  /**
   * The next bytes for OpenSSL; null: more has to come, or there is a refusal. All records that are there, as far as none of
   * them changes how the next is read: OpenSSL takes a handshake for failed that stops behind a certificate whose
   * signature is wrong, and goes on where it does not have to stop.
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
      // OpenSSL refuses it, and reads nothing of what follows.
      this.end();
      return this.#nextRecord();
    }
    if (this.#size === 0 && this.#length >= HEADER_BYTES)
      this.#size = HEADER_BYTES + this.#peek(HEADER_BYTES).readUInt16BE(3);
    if (this.#bytes + this.#size > this.#maxBytes) return this.#tooLarge(`more than ${this.#maxBytes} bytes`);
    if (this.#size === 0 || this.#length < this.#size) return null;
    if (++this.#records > MAX_RECORDS) return this.#tooLarge(`more than ${MAX_RECORDS} records`);
    this.#bytes += this.#size;
    const record = this.#take(this.#size);
    this.#size = 0;
    this.#read(record);
    return this.#refusal === null ? record : null;
  }

  /**
   * One line of the key log (NSS format), which is wiped. `cipher`: the suite that was agreed on. `resumed`: the client has
   * no certificates to send (RFC 8446 §4.3.2).
   */
  keyLog(
    line: Buffer,
    { cipher, resumed }: { readonly cipher: string | undefined; readonly resumed: boolean },
  ): void {
    if (this.#mode !== 'over' && !resumed) this.#readKey(line, cipher);
    line.fill(0);
  }

  /** The secret never becomes a string, which could not be wiped. */
  #readKey(line: Buffer, cipher: string | undefined): void {
    const secretAt = line.lastIndexOf(SPACE) + 1;
    const isOf = (label: string) => line.indexOf(`${label} `, 0, 'latin1') === 0;
    if (isOf('SERVER_TRAFFIC_SECRET_0')) this.#serverSecret = hexOf(line, secretAt);
    else if (isOf('CLIENT_HANDSHAKE_TRAFFIC_SECRET')) this.#unlock(hexOf(line, secretAt), cipher);
  }

  /**
   * The suite is taken from OpenSSL, and never from what the client's records fit: behind a ClientHello that speaks of early
   * data OpenSSL skips records that it cannot open (RFC 8446 §4.2.10), and a client could seal one under another suite.
   */
  #unlock(secret: Buffer, cipher: string | undefined): void {
    const suite = Object.entries(suites).find(([name]) => name === cipher)?.[1];
    if (suite === undefined)
      this.#refuseCertificates('certificates under a cipher suite that is not read here');
    else this.#protection = new RecordProtection(suite, secret);
    secret.fill(0);
    this.#mode = 'protected';
    this.#messages.reset();
  }

  /** The record that tells the client of the refusal (RFC 8446 §6.2); null: it could not read one. */
  alert(): Buffer | null {
    const { reason } = this.#refusal ?? {};
    // unsupported_certificate, or handshake_failure.
    const bytes = Buffer.from([FATAL, reason === 'certificates_refused' ? 43 : 40]);
    if (this.#mode !== 'protected')
      return this.#records === 0 ? null : Buffer.from([ALERT, 3, 3, 0, bytes.length, ...bytes]);
    if (this.#protection === null || this.#serverSecret === null) return null;
    const sealing = new RecordProtection(this.#protection.suite, this.#serverSecret);
    const record = sealing.seal({ type: ALERT, bytes });
    sealing.wipe();
    return record;
  }

  /** The handshake is over: what follows is passed on as it comes. */
  end(): void {
    this.#mode = 'over';
    this.#protection?.wipe();
    this.#protection = null;
    this.#serverSecret?.fill(0);
    this.#serverSecret = null;
    this.#messages.reset();
  }

  /** Of the first record alone: on whatever follows it OpenSSL's judgement could differ from this one. */
  #beginsTls(): boolean {
    const [type = 0, major = 3, kind = 1] = this.#peek(3);
    // A ClientHello in the format of SSL 2.0, which OpenSSL still reads and answers with TLS 1.2 (RFC 5246 appendix E.2).
    if (type >= 0x80 && kind === 1 && this.#length >= 3) {
      const detail = 'a ClientHello in the format of SSL 2.0, which no client of TLS 1.2 or 1.3 needs';
      this.#refusal = { reason: 'certificates_refused', detail };
    }
    return type >= types.changeCipherSpec && type <= types.applicationData && major === 3;
  }

  #read(record: Buffer): void {
    const type = record[0];
    if (this.#mode === 'plain') {
      if (type === types.handshake) this.#messages.read(record.subarray(HEADER_BYTES));
      else if (type === types.changeCipherSpec) this.#mode = 'sealed';
    } else if (this.#mode === 'sealed') {
      // Perhaps the second ClientHello, which gives the secret.
      this.#flush = true;
    } else if (this.#mode === 'protected' && type === types.applicationData) this.#readProtected(record);
  }

  #readProtected(record: Buffer): void {
    // Of early data, which is refused, OpenSSL skips what it cannot open, as here (RFC 8446 §4.2.10).
    const content = this.#protection?.open(record) ?? null;
    if (content === null) return;
    if (content.type === types.handshake) this.#messages.read(content.bytes);
    content.bytes.fill(0);
  }

  #beginMessage(type: number, length: number): boolean {
    if (type === messages.compressedCertificate)
      this.#refuseCertificates('compressed certificates, which were not asked for');
    if (type !== messages.certificate) return false;
    if (length > this.#maxBytes) this.#tooLarge(`more than ${this.#maxBytes} bytes`);
    return this.#refusal === null;
  }

  #endMessage(type: number, body: Buffer | null): void {
    if (body !== null) {
      const problem = judgeCertificates(body, { tls13: this.#mode === 'protected' });
      if (problem !== null) this.#refuseCertificates(problem);
    }
    // OpenSSL answers it, and thereby gives the secret.
    if (type === messages.clientHello) this.#flush = true;
    if (type !== messages.finished || this.#mode !== 'protected') return;
    this.end();
    // What came behind it is the open connection's, and is given in slices and counted.
    this.#flush = true;
  }

  #refuseCertificates(problem: string): void {
    this.#refusal = {
      reason: 'certificates_refused',
      detail: `the client sent ${problem}: OpenSSL would verify it for an address that clients.allowlist does not name`,
    };
  }

  #tooLarge(what: string): null {
    this.#refusal = {
      reason: 'handshake_too_large',
      detail: `the client’s part of the handshake has ${what}: see limits.handshakeBytes`,
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

/** What stands in hex from `at` to the end of the line. */
function hexOf(line: Buffer, at: number): Buffer {
  const bytes = Buffer.alloc((line.length - at) >> 1);
  for (let index = 0; index < bytes.length; index++) {
    const digits = at + 2 * index;
    bytes[index] = (digitOf(line[digits]) << 4) | digitOf(line[digits + 1]);
  }
  return bytes;
}

function digitOf(code = 0): number {
  return code < 0x3a ? code - 0x30 : (code | 0x20) - 0x57;
}
