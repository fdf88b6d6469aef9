/** How far a handshake had come, from the bytes of both sides and from what OpenSSL had read. */

export interface Progress {
  /** Of the TCP connection, without a PROXY header. */
  readonly bytesRead: number;
  readonly bytesWritten: number;
  /** The client's certificate was received in this handshake: that of a resumed session does not count. */
  readonly leafSeen: boolean;
  /** The session is a resumed one (RFC 8446 §2.2), in which neither side sends a certificate; null: not known. */
  readonly resumed?: boolean | null;
  /** Bytes of the shortest of the gateway's certificate chains; null: not known. */
  readonly chainBytes?: number | null;
  /** Kind of the leaf's key, such as `rsa` or `ec`; null: not known. */
  readonly leafKeyType?: string | null;
  /** The TLS version that was agreed on, or the highest that the client offers; null: not known. */
  readonly tlsVersion: string | null;
  /** Bytes of TLS from the client up to the end of its last ClientHello; null: not known. */
  readonly helloBytes?: number | null;
}

/** An alert record in clear. */
const ALERT_BYTES = 7;

/**
 * A HelloRetryRequest with its ChangeCipherSpec (RFC 8446 §4.1.4, appendix D.4) has 99 bytes at most, and an alert may
 * follow. The shortest flight, of a session of TLS 1.2 that is resumed without a session ID, has 109.
 */
const RETRY_BYTES = 99 + ALERT_BYTES;

/**
 * A flight with a certificate has at least this many bytes besides the chain: ServerHello, CertificateRequest, a signature.
 * That of a resumed session has 109 to 260, and 1,430 at most with the key share of X25519MLKEM768.
 */
const FLIGHT_BYTES = 240;

/**
 * What the gateway has sent last. `nothing`: or an alert. `retry`: it asked for a key share of another group. `resumption`:
 * the flight of a resumed session. `certificate`: a flight with its certificate.
 */
export type Sent = 'nothing' | 'retry' | 'resumption' | 'certificate';

export function sentOf({ bytesWritten, resumed = null, chainBytes = null }: Progress): Sent {
  if (bytesWritten <= ALERT_BYTES) return 'nothing';
  if (bytesWritten <= RETRY_BYTES) return 'retry';
  const isResumed = resumed ?? bytesWritten <= FLIGHT_BYTES + (chainBytes ?? 0);
  return isResumed ? 'resumption' : 'certificate';
}

/** The gateway has chosen version and cipher suite, and has sent the flight that begins with ServerHello. */
export function hasSentFlight(progress: Progress): boolean {
  const sent = sentOf(progress);
  return sent === 'certificate' || sent === 'resumption';
}

/** A certificate is longer; a ChangeCipherSpec (RFC 8446 appendix D.4) and an alert are shorter. */
const ANSWER_BYTES = 64;

/** Whether the client sent more than its ClientHello; null: not known. */
export function hasAnswered({ leafSeen, bytesRead, helloBytes = null }: Progress): boolean | null {
  if (leafSeen) return true;
  return helloBytes === null ? null : bytesRead > helloBytes + ANSWER_BYTES;
}
