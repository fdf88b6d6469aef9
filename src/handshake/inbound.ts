/** One accepted connection, from the first byte to its one handshake record. */
import { randomBytes, randomInt } from 'node:crypto';
import type { Socket } from 'node:net';
import { type HandshakeFacts, handshakeLine } from '../audit/record.ts';
import { formatAddress, parseAddress } from '../source/address.ts';
import type { AddressShare } from '../source/address-share.ts';
import type { Recorder } from '../telemetry/recorder.ts';
import type { Gate } from './handshake-inspector.ts';
import type { Negotiated } from './tls-parameters.ts';

/**
 * Unique among replicas and restarts. Hex that ends in a letter: with the counter behind it no id is a run of 13 digits,
 * which the host's own masking would take for a card number.
 */
const threadPrefix = `${randomBytes(5).toString('hex').slice(0, 9)}${'abcdef'[randomInt(6)]}`;
let count = 0;

export type HandshakeResult = Pick<
  HandshakeFacts,
  'verdict' | 'reason' | 'detail' | 'opensslCode' | 'leaf' | 'anchor' | 'generation' | 'revocation' | 'shadow'
> & { readonly peer: Negotiated | null };

/** What is known of a connection that ended before its client could be judged: nothing. */
export const unjudged = {
  opensslCode: null,
  peer: null,
  leaf: null,
  anchor: null,
  generation: null,
  revocation: null,
  shadow: null,
} as const satisfies Partial<HandshakeResult>;

export class Inbound {
  readonly connId = `${threadPrefix}-${(++count).toString(16)}`;
  readonly transport: Socket;
  /** performance.now(), ms. */
  readonly acceptedAt = performance.now();
  /** The source: the socket's peer, or who a trusted PROXY header names. Kept: a failed socket forgets its peer. */
  address: string;
  port: number | null;
  proxyAddress: string | null = null;
  /** The source was judged, TLS has begun. */
  admitted = false;
  /** What its bytes pass through; null: the allowlist names the address, or it is not judged yet. */
  gate: Gate | null = null;
  /** The client that was let in; null: none was, or not yet. */
  client: { readonly leaf: string; readonly anchor: string } | null = null;
  /** What it counts as of its address's share; null: the allowlist names the address, or it is not judged yet. */
  share: AddressShare | null = null;
  /** Octets of the PROXY header before TLS. */
  headerBytes = 0;

  readonly #listener: string;
  readonly #recorder: Recorder;
  #recorded = false;

  constructor(transport: Socket, options: { listener: string; recorder: Recorder }) {
    this.transport = transport;
    this.address = canonical(transport.remoteAddress ?? '');
    this.port = transport.remotePort ?? null;
    this.#listener = options.listener;
    this.#recorder = options.recorder;
  }

  get recorded(): boolean {
    return this.#recorded;
  }

  /** Writes the connection's one handshake record; what comes after the first word is not heard. */
  record(result: HandshakeResult): void {
    if (this.#recorded) return;
    this.#recorded = true;
    const durationMs = performance.now() - this.acceptedAt;
    const { peer, ...facts } = result;
    // Refused at accept: no handshake began that could be timed.
    const shaken = result.verdict === 'deny' && peer === null ? Number.NaN : durationMs;
    this.#recorder.meter.handshake(result.verdict, result.reason ?? 'none', shaken);
    this.#recorder.audit(
      handshakeLine({
        time: Date.now(),
        connId: this.connId,
        sourceAddress: this.address === '' ? null : this.address,
        sourcePort: this.port,
        proxyAddress: this.proxyAddress,
        listener: this.#listener,
        tlsVersion: peer?.tlsVersion ?? null,
        cipher: peer?.cipher ?? null,
        resumed: peer?.resumed ?? null,
        sni: peer?.sni ?? null,
        alpn: peer?.alpn ?? null,
        durationMs,
        ...facts,
      }),
    );
  }
}

/** `::ffff:192.0.2.1`, which a dual-stack socket reports, is 192.0.2.1 (RFC 4291 §2.5.5.2). */
function canonical(text: string): string {
  if (!text.includes(':')) return text;
  const address = parseAddress(text);
  return address === null ? text : formatAddress(address);
}
