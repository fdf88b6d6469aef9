/** One accepted connection: its source, its state, and its one handshake record. */
import { randomBytes, randomInt } from 'node:crypto';
import type { Socket } from 'node:net';
import { maskDetail } from '../audit/masked-values.ts';
import { type HandshakeFacts, handshakeLine } from '../audit/record.ts';
import { formatAddress, parseAddress } from '../source/address.ts';
import type { AddressShare } from '../source/address-counts.ts';
import type { Recorder } from '../telemetry/recorder.ts';
import { clientHelloBytes } from './client-hello.ts';
import type { HandshakeInspector } from './handshake-inspector.ts';
import type { TlsParameters } from './tls-parameters.ts';

/**
 * Unique among replicas and restarts. Hexadecimal that ends in a letter, so that no ID contains a run of 13 digits, which
 * the host's masking would treat as a card number.
 */
const threadPrefix = `${randomBytes(5).toString('hex').slice(0, 9)}${'abcdef'[randomInt(6)]}`;
let count = 0;

export type HandshakeResult = Pick<
  HandshakeFacts,
  'verdict' | 'reason' | 'detail' | 'opensslCode' | 'leaf' | 'anchor' | 'generation' | 'revocation' | 'shadow'
> & { readonly peer: TlsParameters | null };

/** The fields of a connection that ended before the verdict on its client. */
export const unjudged = {
  opensslCode: null,
  peer: null,
  leaf: null,
  anchor: null,
  generation: null,
  revocation: null,
  shadow: null,
} as const satisfies Partial<HandshakeResult>;

/** What OpenSSL has chosen when it has read the ClientHello. */
type Agreed = Pick<TlsParameters, 'tlsVersion' | 'alpn' | 'resumed'>;

export class Inbound {
  readonly connId = `${threadPrefix}-${(++count).toString(16)}`;
  readonly transport: Socket;
  /** performance.now(), ms. */
  readonly acceptedAt = performance.now();
  /** The source: the socket's peer, or the one that a trusted PROXY header states. Stored, since a failed socket has no peer. */
  address: string;
  port: number | null;
  proxyAddress: string | null = null;
  /** The source was admitted, and TLS has begun. */
  admitted = false;
  /** Inspects its bytes before OpenSSL; null: the address is listed, or not admitted yet. */
  inspector: HandshakeInspector | null = null;
  /** The authorized client; null: none, or not yet. Its members are null if it sent no certificate. */
  client: { readonly leaf: string | null; readonly anchor: string | null } | null = null;
  /** timeouts.handshake has passed; the connection is being closed. */
  timedOut = false;
  /** What was agreed on when the ClientHello was read; null: not yet, or not known. */
  agreed: Agreed | null = null;
  /** The first bytes where they were read before TLS, of a listed address (observed-addresses.ts). */
  observed: Buffer | null = null;
  /** Its part of its address's limits; null: the address is listed, or not admitted yet. */
  share: AddressShare | null = null;
  /** Length of the PROXY header before TLS, bytes. */
  headerBytes = 0;

  readonly #listener: string;
  readonly #recorder: Recorder;
  #recorded = false;
  #helloBytes: number | null = null;

  constructor(transport: Socket, options: { listener: string; recorder: Recorder }) {
    this.transport = transport;
    this.address = canonical(transport.remoteAddress ?? '');
    this.port = transport.remotePort ?? null;
    this.#listener = options.listener;
    this.#recorder = options.recorder;
  }

  /** OpenSSL has read the ClientHello and agreed on these. */
  helloRead(agreed: Agreed): void {
    this.agreed = agreed;
    this.#helloBytes = this.transport.bytesRead - this.headerBytes;
  }

  /** Bytes of TLS received up to the end of the last ClientHello; null: not known. */
  get helloBytes(): number | null {
    if (this.#helloBytes !== null) return this.#helloBytes;
    if (this.inspector !== null) return clientHelloBytes(this.inspector.firstBytes, { isWhole: true });
    return this.observed === null ? null : clientHelloBytes(this.observed, { isWhole: false });
  }

  /** The client resumed a session; null: not known. */
  get resumed(): boolean | null {
    return this.agreed?.resumed ?? this.inspector?.resumed ?? null;
  }

  /** null: TLS alone has read them. */
  get firstBytes(): Buffer | null {
    return this.observed ?? this.inspector?.firstBytes ?? null;
  }

  get recorded(): boolean {
    return this.#recorded;
  }

  /** Writes the connection's one handshake record. Later calls are ignored. */
  record(result: HandshakeResult): void {
    if (this.#recorded) return;
    this.#recorded = true;
    const durationMs = performance.now() - this.acceptedAt;
    const { peer } = result;
    // Refused at accept: no handshake began, so there is no duration to measure.
    const measured = result.verdict === 'deny' && peer === null ? Number.NaN : durationMs;
    this.#recorder.meter.handshake(result.verdict, result.reason ?? 'none', measured);
    const time = Date.now();
    const { connId } = this;
    const sourceAddress = this.address === '' ? null : this.address;
    if (result.verdict !== 'allow') {
      const { verdict, reason, detail, leaf } = result;
      this.#recorder.meter.refused({
        ...{ time, connId, sourceAddress },
        ...{ verdict, reason: reason ?? '', leaf },
        detail: detail === null ? null : maskDetail(detail),
      });
    }
    this.#recorder.audit(
      handshakeLine({
        time,
        connId,
        sourceAddress,
        sourcePort: this.port,
        proxyAddress: this.proxyAddress,
        listener: this.#listener,
        tlsVersion: peer?.tlsVersion ?? null,
        cipher: peer?.cipher ?? null,
        resumed: peer?.resumed ?? null,
        sni: peer?.sni ?? null,
        alpn: peer?.alpn ?? null,
        durationMs,
        leaf: result.leaf,
        anchor: result.anchor,
        verdict: result.verdict,
        reason: result.reason,
        opensslCode: result.opensslCode,
        detail: result.detail,
        generation: result.generation,
        revocation: result.revocation,
        shadow: result.shadow,
      }),
    );
  }
}

/** A dual-stack socket reports 192.0.2.1 as `::ffff:192.0.2.1` (RFC 4291 §2.5.5.2). */
function canonical(text: string): string {
  if (!text.includes(':')) return text;
  const address = parseAddress(text);
  return address === null ? text : formatAddress(address);
}
