/** Which reason a message gets when its connection could not be opened, or was lost. */

type ConnectFailureName = 'connect_failed' | 'connect_timeout' | 'upstream_tls';
export type UpstreamLoss = ConnectFailureName | 'closed_early';

export interface ConnectFailure {
  readonly why: ConnectFailureName;
  /** The system's or OpenSSL's code, such as ECONNREFUSED or CERT_HAS_EXPIRED; `timeout`: it was not open in time. */
  readonly cause: string;
}

/** `duringTls`: TCP was connected, and the TLS handshake was not complete. */
export function openFailure({
  duringTls,
  cause,
}: {
  readonly duringTls: boolean;
  readonly cause: string;
}): ConnectFailure {
  if (cause === 'timeout') return { why: 'connect_timeout', cause };
  return { why: duringTls ? 'upstream_tls' : 'connect_failed', cause };
}

/**
 * The reason for the loss of an open connection. With TLS 1.3 a host may refuse the gateway's certificate after the
 * handshake (RFC 8446 §4.4.2.4); once it has accepted the certificate, a TLS alert only closes the connection.
 */
export function lossReason({
  accepted,
  cause,
}: {
  readonly accepted: boolean;
  readonly cause: string;
}): 'upstream_tls' | 'closed_early' {
  return !accepted && cause.startsWith('ERR_SSL_') ? 'upstream_tls' : 'closed_early';
}
