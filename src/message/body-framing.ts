/** Body framing: finds the end of a body, decodes chunks and encodes them again (RFC 9112 §6.3, §7.1). */
import { ChunkExtension } from './chunk-extension.ts';
import { hexValue, tokenTable, valueTable } from './grammar.ts';

const CR = 0x0d;
const LF = 0x0a;
const COLON = 0x3a;
const SEMICOLON = 0x3b;

type State =
  | 'length'
  | 'close'
  | 'size'
  | 'extension'
  | 'sizeLf'
  | 'data'
  | 'dataCr'
  | 'dataLf'
  | 'trailer'
  | 'trailerName'
  | 'trailerValue'
  | 'trailerLf'
  | 'lastLf'
  | 'done'
  | 'failed';

export interface BodyLimits {
  /** Maximum payload bytes. */
  readonly body: number;
  /** Maximum bytes of the trailer section, and of all chunk extensions of a body together. */
  readonly head: number;
  /** Maximum lines of the trailer section. */
  readonly fields: number;
}

/** Trailer fields that frame or route a message (RFC 9110 §6.5.1): a message with one of them is refused. */
const forbiddenTrailers = new Set(['content-length', 'transfer-encoding', 'connection', 'host']);

export type BodyFault = 'chunk' | 'trailer' | 'body_length';

/**
 * Decodes one body after another, in place: `read` overwrites the framing in the given bytes and moves the payload to their
 * front, so that many chunks are forwarded as one.
 */
export class BodyReader {
  /** End of the payload in the bytes of the last `read`; it begins at `at` of that call. */
  payloadEnd = 0;
  /** Why the body is refused; null: no fault. */
  fault: BodyFault | null = null;
  /** Payload bytes of this body so far. */
  received = 0;

  #state: State = 'done';
  /** Remaining bytes of the body (`length`) or of the chunk. */
  #left = 0;
  #digits = 0;
  readonly #extension = new ChunkExtension();
  #extensionBytes = 0;
  #trailerBytes = 0;
  #trailerLines = 0;
  #trailerName = '';
  #limits: BodyLimits = { body: 0, head: 0, fields: 0 };

  start(
    framing: 'none' | 'length' | 'chunked' | 'close',
    options: { length: number; limits: BodyLimits },
  ): void {
    this.fault = null;
    this.received = 0;
    this.#limits = options.limits;
    this.#left = 0;
    this.#digits = 0;
    this.#extensionBytes = 0;
    this.#trailerBytes = 0;
    this.#trailerLines = 0;
    if (framing === 'chunked') this.#state = 'size';
    else if (framing === 'close') this.#state = 'close';
    else if (framing === 'length' && options.length > 0) {
      this.#state = 'length';
      this.#left = options.length;
    } else this.#state = 'done';
  }

  get done(): boolean {
    return this.#state === 'done';
  }

  /** To be called at the end of the connection: ends a body with framing `close`. */
  close(): void {
    if (this.#state === 'close') this.#state = 'done';
  }

  /** Decodes `bytes` from `at` to `end`; returns the index after the last byte that belongs to this body. */
  read(bytes: Uint8Array, at: number, end: number): number {
    this.payloadEnd = at;
    if (this.#state === 'length') {
      const taken = Math.min(this.#left, end - at);
      this.#left -= taken;
      if (this.#left === 0) this.#state = 'done';
      this.#take(taken);
      return at + taken;
    }
    if (this.#state === 'close') {
      this.#take(end - at);
      return end;
    }
    while (at < end && this.#state !== 'done' && this.#state !== 'failed') {
      if (this.#state === 'data') {
        const taken = Math.min(this.#left, end - at);
        if (this.payloadEnd !== at) bytes.copyWithin(this.payloadEnd, at, at + taken);
        this.#left -= taken;
        if (this.#left === 0) this.#state = 'dataCr';
        this.#take(taken);
        at += taken;
      } else {
        this.#step(bytes[at] as number);
        at++;
      }
    }
    return at;
  }

  #take(bytes: number): void {
    this.payloadEnd += bytes;
    this.received += bytes;
    if (this.received > this.#limits.body) this.#fail('body_length');
  }

  #fail(fault: BodyFault): void {
    this.fault = fault;
    this.#state = 'failed';
  }

  /** Handles one byte of chunk framing: no white space, CRLF only. */
  #step(byte: number): void {
    switch (this.#state) {
      case 'size':
        return this.#size(byte);
      case 'extension':
        return this.#extend(byte);
      case 'sizeLf':
        if (byte !== LF) return this.#fail('chunk');
        this.#state = this.#left === 0 ? 'trailer' : 'data';
        this.#digits = 0;
        return;
      case 'dataCr':
        if (byte !== CR) return this.#fail('chunk');
        this.#state = 'dataLf';
        return;
      case 'dataLf':
        if (byte !== LF) return this.#fail('chunk');
        this.#state = 'size';
        return;
      default:
        return this.#trailer(byte);
    }
  }

  #size(byte: number): void {
    const digit = hexValue(byte);
    if (digit !== -1) {
      if (++this.#digits > 8) return this.#fail('chunk');
      this.#left = this.#left * 16 + digit;
      return;
    }
    if ((byte !== CR && byte !== SEMICOLON) || this.#digits === 0) return this.#fail('chunk');
    // Refused before the chunk arrives, since its size alone exceeds the limit.
    if (this.received + this.#left > this.#limits.body) return this.#fail('body_length');
    if (byte === CR) this.#state = 'sizeLf';
    else {
      this.#state = 'extension';
      this.#extension.begin();
    }
  }

  #extend(byte: number): void {
    const read = this.#extension.next(byte);
    // RFC 9112 §7.1.1: unknown extensions are ignored, and their total length per message is limited.
    if (read === 'fault' || ++this.#extensionBytes > this.#limits.head) return this.#fail('chunk');
    if (read === 'end') this.#state = 'sizeLf';
  }

  /** Trailer fields are parsed as strictly as those of the head, and dropped (RFC 9112 §7.1.2). */
  #trailer(byte: number): void {
    if (++this.#trailerBytes > this.#limits.head) return this.#fail('trailer');
    switch (this.#state) {
      case 'trailer':
        if (byte === CR) this.#state = 'lastLf';
        else if (tokenTable[byte] !== 1 || ++this.#trailerLines > this.#limits.fields) this.#fail('trailer');
        else {
          this.#state = 'trailerName';
          this.#trailerName = String.fromCharCode(byte);
        }
        return;
      case 'trailerName':
        if (byte !== COLON && tokenTable[byte] === 1) this.#trailerName += String.fromCharCode(byte);
        else if (byte !== COLON || forbiddenTrailers.has(this.#trailerName.toLowerCase()))
          this.#fail('trailer');
        else this.#state = 'trailerValue';
        return;
      case 'trailerValue':
        if (byte === CR) this.#state = 'trailerLf';
        else if (valueTable[byte] !== 1) this.#fail('trailer');
        return;
      case 'trailerLf':
        if (byte !== LF) return this.#fail('trailer');
        this.#state = 'trailer';
        return;
      case 'lastLf':
        if (byte !== LF) return this.#fail('trailer');
        this.#state = 'done';
        return;
      default:
        return this.#fail('chunk');
    }
  }
}

/** The last chunk of a body, without trailers. */
export const lastChunk = '0\r\n\r\n';

/** The size line of a chunk of `bytes` payload bytes. The caller adds CRLF after the payload. */
export function chunkHead(bytes: number): string {
  return `${bytes.toString(16)}\r\n`;
}
