/** Splits what a server sends into TLS records (RFC 8446 §5.1), and recognizes answers that are not TLS. */
import type { FlightFailure } from './outcome.ts';

export const contentTypes = { changeCipherSpec: 20, alert: 21, handshake: 22, applicationData: 23 } as const;

const HEADER_BYTES = 5;
/** RFC 8446 §5.1; of protected records §5.2. */
const MAX_FRAGMENT = 2 ** 14;
const MAX_PROTECTED = MAX_FRAGMENT + 256;
/** A flight with the certificates and names of hundreds of CAs is smaller. */
export const MAX_BYTES = 1024 * 1024;
/** Of an answer that is not TLS. */
const MAX_TEXT = 80;
const MAX_LINE = 1024;

export const tooLarge: FlightFailure = { kind: 'too-large', detail: `more than ${MAX_BYTES} bytes` };

export interface TlsRecord {
  readonly kind: 'record';
  readonly type: number;
  /** With the header. */
  readonly bytes: Buffer;
}

export class RecordReader {
  #rest: Buffer = Buffer.alloc(0);
  #total = 0;
  /** A complete record came: what follows must be records, too. */
  #isTls = false;

  add(chunk: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    this.#total += chunk.length;
  }

  /** null: more bytes are needed. */
  next(): TlsRecord | FlightFailure | null {
    if (this.#total > MAX_BYTES) return tooLarge;
    if (!this.#beginsRecord()) return this.#isTls ? malformed('bytes that are no record') : this.#readText();
    if (this.#rest.length < HEADER_BYTES) return null;
    const type = this.#rest[0] as number;
    const length = this.#rest.readUInt16BE(3);
    // Only application data may be empty, and it has no place in a flight.
    if (length === 0) return malformed('an empty record');
    if (length > (type === contentTypes.applicationData ? MAX_PROTECTED : MAX_FRAGMENT))
      return malformed(`a record of ${length} bytes`);
    if (this.#rest.length < HEADER_BYTES + length) return null;
    this.#isTls = true;
    const bytes = this.#rest.subarray(0, HEADER_BYTES + length);
    this.#rest = this.#rest.subarray(HEADER_BYTES + length);
    return { kind: 'record', type, bytes };
  }

  /** The server ended the connection: what its last bytes are. */
  end(): FlightFailure {
    if (this.#isTls || this.#beginsRecord()) return { kind: 'closed' };
    return isHttp(this.#text()) ? this.#http() : this.#notTls();
  }

  /** Also for no bytes at all. */
  #beginsRecord(): boolean {
    const [type = contentTypes.handshake, major = 3] = this.#rest;
    return type >= contentTypes.changeCipherSpec && type <= contentTypes.applicationData && major === 3;
  }

  /** null: more bytes decide. */
  #readText(): FlightFailure | null {
    const text = this.#text();
    if ('HTTP/'.startsWith(text)) return null;
    if (!isHttp(text)) return this.#notTls();
    return text.includes('\n') || text.length >= MAX_LINE ? this.#http() : null;
  }

  #http(): FlightFailure {
    const [line = ''] = this.#text().split(/\r?\n/, 1);
    const [, status] = /^HTTP\/\d(?:\.\d)? (\d{3})(?: |$)/.exec(line) ?? [];
    return { kind: 'http', status: status === undefined ? null : Number(status), line: printableText(line) };
  }

  #notTls(): FlightFailure {
    return { kind: 'not-tls', text: printableText(this.#text()) };
  }

  #text(): string {
    return this.#rest.subarray(0, MAX_LINE).toString('latin1');
  }
}

function malformed(detail: string): FlightFailure {
  return { kind: 'malformed', detail };
}

/** A status line, or a page of a server that answers HTTP/0.9. */
function isHttp(text: string): boolean {
  return /^HTTP\/|^<(?:!doctype )?html/i.test(text);
}

/** What a terminal may show of it. */
function printableText(text: string): string {
  return text.slice(0, MAX_TEXT).replace(/[^\x20-\x7e]/g, '.');
}
