/**
 * Reads a server's flight from its bytes: up to TLS 1.2 in the clear, in TLS 1.3 with the keys of this handshake. Nothing
 * that a server sends makes it throw: each answer is a value. No signature is verified, and Finished is not checked.
 */
import { HandshakeMessages } from '../handshake/handshake-messages.ts';
import type { RecordProtection } from '../handshake/record-protection.ts';
import {
  addMessage,
  endsFlight,
  mayFollow,
  messageName,
  messageTypes,
  missingMessage,
  readAlert,
} from './flight-messages.ts';
import type { KeyShares } from './key-shares.ts';
import { namedGroup } from './named-groups.ts';
import type { FlightFailure } from './outcome.ts';
import { contentTypes, MAX_BYTES, RecordReader, type TlsRecord, tooLarge } from './record-reader.ts';
import type { ServerFlight } from './server-flight.ts';
import { beginFlight, readKeyShare, readServerHello, type ServerHello } from './server-hello.ts';
import { openServerProtection } from './server-protection.ts';
import type { VersionName } from './versions.ts';
import { WireError } from './wire.ts';

export interface FlightReaderOptions {
  /** The version that was offered. */
  readonly version: VersionName;
  /** Codes of the suites that were offered. */
  readonly suites: readonly number[];
  /** The ClientHello with its header. */
  readonly hello: Buffer;
  /** Of the ClientHello; null: it had none, so that a flight of TLS 1.3 cannot be read beyond its ServerHello. */
  readonly keys: KeyShares | null;
  /** `hello`: the answer is complete with ServerHello or HelloRetryRequest; the flight has what these say. */
  readonly until: 'hello' | 'end';
}

export type FlightAnswer = { readonly kind: 'flight'; readonly flight: ServerFlight } | FlightFailure;

const HEADER_BYTES = 5;

export class FlightReader {
  readonly #options: FlightReaderOptions;
  readonly #records = new RecordReader();
  readonly #messages = new HandshakeMessages({
    begin: (type, length) => this.#begin(type, length),
    end: (type, body) => this.#end(type, body ?? Buffer.alloc(0)),
    stopped: () => this.#answer !== null,
  });
  #flight: ServerFlight | null = null;
  /** Type of the last message; -1: none. */
  #last = -1;
  /** TLS 1.3, from the ServerHello on. */
  #protection: RecordProtection | null = null;
  /** The record that is read was protected. */
  #isProtected = false;
  /** The last warning; it is the answer if no ServerHello follows. */
  #warning: FlightFailure | null = null;
  #answer: FlightAnswer | null = null;

  constructor(options: FlightReaderOptions) {
    this.#options = options;
  }

  /** What came until now; null: no ServerHello. */
  get received(): ServerFlight | null {
    return this.#flight;
  }

  /** Bytes from the server. null: the answer is not complete. */
  add(chunk: Buffer): FlightAnswer | null {
    this.#records.add(chunk);
    while (this.#answer === null) {
      const next = this.#records.next();
      if (next === null) return null;
      if (next.kind === 'record') this.#readSafely(() => this.#read(next));
      else this.#answer = next;
    }
    return this.#answer;
  }

  /** The server ended the connection. */
  end(): FlightAnswer {
    return this.#answer ?? (this.#flight === null ? this.#warning : null) ?? this.#records.end();
  }

  #readSafely(read: () => void): void {
    try {
      read();
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.#fail(error.message);
    }
  }

  #fail(detail: string): void {
    this.#answer ??= { kind: 'malformed', detail };
  }

  #read({ type, bytes }: TlsRecord): void {
    const fragment = bytes.subarray(HEADER_BYTES);
    this.#isProtected = false;
    if (type === contentTypes.alert) return this.#readAlert(fragment);
    if (type === contentTypes.handshake) return this.#messages.read(fragment);
    if (type === contentTypes.applicationData && this.#protection !== null)
      return this.#readProtected(bytes, this.#protection);
    // For middleboxes (RFC 8446 §5).
    if (type === contentTypes.changeCipherSpec && this.#protection !== null && fragment.equals(Buffer.of(1)))
      return;
    this.#fail(`a record of type ${type} within the handshake`);
  }

  #readProtected(bytes: Buffer, protection: RecordProtection): void {
    const content = protection.open(bytes);
    if (content === null) return this.#fail('a record that cannot be decrypted');
    this.#isProtected = true;
    if (content.type === contentTypes.alert) return this.#readAlert(content.bytes);
    if (content.type !== contentTypes.handshake || content.bytes.length === 0)
      return this.#fail(`a protected record of type ${content.type} within the handshake`);
    this.#messages.read(content.bytes);
  }

  /** A server goes on after a warning, such as unrecognized_name (RFC 6066 §3). */
  #readAlert(fragment: Buffer): void {
    const alert = readAlert(fragment);
    const isWarning = alert.kind === 'alert' && alert.level === 'warning' && alert.code !== 0;
    // TLS 1.3 ignores the level of an alert (RFC 8446 §6).
    if (isWarning && this.#protection === null) this.#warning = alert;
    else this.#answer = alert;
  }

  #begin(type: number, length: number): boolean {
    const { version } = this.#options;
    if (type === messageTypes.helloRequest && length === 0 && version !== 'TLS 1.3') return false;
    if (!mayFollow(type, this.#last, version)) {
      const after = this.#last < 0 ? 'as the first message' : `after ${messageName(this.#last)}`;
      this.#fail(`${messageName(type)} ${after}`);
    } else if (length > MAX_BYTES) this.#answer = tooLarge;
    else if (this.#protection !== null && !this.#isProtected)
      this.#fail(`${messageName(type)} in the clear after ServerHello`);
    else if (type === messageTypes.serverHelloDone && length > 0) this.#fail('ServerHelloDone is not empty');
    return this.#answer === null;
  }

  #end(type: number, body: Buffer): void {
    if (type === messageTypes.helloRequest) return;
    this.#last = type;
    if (this.#flight === null) return this.#acceptHello(body);
    this.#flight = addMessage(this.#flight, type, body);
    if (!endsFlight(type, this.#flight.version)) return;
    const missing = missingMessage(this.#flight);
    if (missing !== null) this.#fail(`the flight lacks ${missing}`);
    else this.#answer = { kind: 'flight', flight: this.#flight };
  }

  #acceptHello(body: Buffer): void {
    const hello = readServerHello(body);
    const begun = beginFlight(hello, this.#options);
    if ('kind' in begun) {
      this.#answer = begun;
      return;
    }
    this.#flight = begun;
    if (this.#options.until === 'hello') this.#answer = { kind: 'flight', flight: this.#flight };
    else if (begun.version === 'TLS 1.3') this.#protect(hello, body);
  }

  /** What follows a ServerHello of TLS 1.3 is protected. */
  #protect(hello: ServerHello, body: Buffer): void {
    const { keys, hello: clientHello } = this.#options;
    const share = readKeyShare(hello);
    if (share === null) return this.#fail('ServerHello lacks key_share');
    if (hello.isRetry || keys === null) {
      this.#answer = { kind: 'retry', group: namedGroup(share.group) };
      return;
    }
    const shared = keys.agree(share);
    if (shared === null) return this.#fail('ServerHello has a key_share that is not valid');
    const header = Buffer.of(
      messageTypes.serverHello,
      body.length >> 16,
      (body.length >> 8) & 255,
      body.length & 255,
    );
    const transcript = Buffer.concat([clientHello, header, body]);
    const suite = this.#flight?.suite.name ?? '';
    this.#protection = openServerProtection({ suite, shared, transcript });
    if (this.#protection === null) this.#fail(`${suite} cannot be read here`);
  }
}
