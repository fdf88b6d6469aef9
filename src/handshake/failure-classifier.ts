/** From the error that ended a TLS connection, and how far it had come, to the reason and the operator's sentence. */

import { type HandshakeFailureName, handshakeFailures } from './failure-reasons.ts';
import { alertAdvice, alertName, refusesCertificate } from './tls-alerts.ts';

/** What Node says of a failed connection; `library` and `reason` are OpenSSL's, of an error of TLS alone. */
export interface TlsFault {
  readonly code?: string | undefined;
  readonly message: string;
  readonly library?: string | undefined;
  readonly reason?: string | undefined;
}

/** How far the handshake had come. */
export interface Progress {
  /** Of the TCP connection. */
  readonly bytesRead: number;
  readonly bytesWritten: number;
  /** The client's certificate has come. */
  readonly leafSeen: boolean;
  /** Of its key: `rsa`, `ec`…; null: not known. */
  readonly leafKeyType?: string | null;
  /** TLS version as far as it is agreed on, or what a client offers at most; null: not known. */
  readonly tlsVersion: string | null;
}

export interface HandshakeFailure {
  readonly reason: HandshakeFailureName;
  readonly detail: string;
}

/**
 * What the gateway sends first is its certificate's flight, except for a HelloRetryRequest (RFC 8446 §4.1.4), which is
 * shorter than this, and an alert of seven bytes.
 */
const FLIGHT_BYTES = 400;

/** OpenSSL's codes (Node puts `ERR_SSL_` before all of them, whatever library they are of). */
const reasonsOfCodes: Readonly<Record<string, HandshakeFailureName>> = {
  ERR_SSL_HTTP_REQUEST: 'plain_http',
  ERR_SSL_HTTPS_PROXY_REQUEST: 'plain_http',
  ERR_SSL_UNSUPPORTED_PROTOCOL: 'protocol_version',
  ERR_SSL_UNSUPPORTED_SSL_VERSION: 'protocol_version',
  ERR_SSL_VERSION_TOO_LOW: 'protocol_version',
  ERR_SSL_UNKNOWN_PROTOCOL: 'protocol_version',
  ERR_SSL_NO_SHARED_CIPHER: 'no_shared_cipher',
  ERR_SSL_NO_CIPHERS_SPECIFIED: 'no_shared_cipher',
  ERR_SSL_NO_SUITABLE_KEY_SHARE: 'no_shared_group',
  ERR_SSL_NO_SUITABLE_GROUPS: 'no_shared_group',
  ERR_SSL_NO_SHARED_GROUPS: 'no_shared_group',
  ERR_SSL_NO_SUITABLE_SIGNATURE_ALGORITHM: 'no_shared_signature',
  ERR_SSL_NO_SHARED_SIGNATURE_ALGORITHMS: 'no_shared_signature',
  ERR_SSL_NO_APPLICATION_PROTOCOL: 'no_shared_alpn',
  ERR_SSL_CERT_LENGTH_MISMATCH: 'malformed_certificate',
  ERR_SSL_UNKNOWN_CERTIFICATE_TYPE: 'malformed_certificate',
  ERR_SSL_WRONG_SIGNATURE_TYPE: 'signature_not_supported',
  ERR_SSL_WRONG_CURVE: 'signature_not_supported',
  ERR_SSL_LEGACY_SIGALG_DISALLOWED_OR_UNSUPPORTED: 'signature_not_supported',
  ERR_SSL_EXCESSIVE_MESSAGE_SIZE: 'message_too_large',
  ERR_SSL_DATA_LENGTH_TOO_LONG: 'message_too_large',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'message_too_large',
  ERR_SSL_ENCRYPTED_LENGTH_TOO_LONG: 'message_too_large',
};

/** Of an error of TLS, during the handshake or after it. */
export function explainFault(fault: TlsFault, progress: Progress): HandshakeFailure {
  if (!isOfTls(fault)) return explainEnd(progress);
  const { code = '' } = fault;
  const alert = alertOf(fault);
  if (alert !== null) return explainAlert(alert);
  // Not an alert either was sent: to OpenSSL the first five bytes were no record of TLS.
  if (code === 'ERR_SSL_WRONG_VERSION_NUMBER' && progress.bytesWritten === 0) return failure('not_tls');
  const known = reasonsOfCodes[code];
  if (code === 'ERR_SSL_INAPPROPRIATE_FALLBACK')
    return failure(
      'protocol_version',
      `the client fell back to ${progress.tlsVersion} though it knows a newer version (RFC 7507)`,
      'An earlier handshake of this client failed: look for its record, and for a middlebox between.',
    );
  if (known === 'protocol_version' && progress.tlsVersion !== null)
    return failure(known, `the client offers ${progress.tlsVersion} at most`);
  if (known !== undefined) return failure(known);
  if (isOfSignature(fault, progress)) return failure('key_not_proven');
  if (isOfCertificate(fault, progress)) return failure('malformed_certificate');
  return unknownFault(fault);
}

/** Of an error after the handshake; null: the client only left. */
export function explainBreak(fault: TlsFault): HandshakeFailure | null {
  if (!isOfTls(fault)) return null;
  const alert = alertOf(fault);
  if (alert !== null) return explainAlert(alert);
  const known = reasonsOfCodes[fault.code ?? ''];
  return known === 'message_too_large' ? failure(known) : unknownFault(fault);
}

/** Of a connection that ended without an error of TLS. */
export function explainEnd(progress: Progress): HandshakeFailure {
  const { bytesRead } = progress;
  if (bytesRead === 0) return failure('closed_silent');
  return hasSentCertificate(progress)
    ? failure('closed_after_certificate')
    : failure(
        'closed_before_certificate',
        `${handshakeFailures.closed_before_certificate.says}, after ${bytesRead} bytes`,
      );
}

/** Of a handshake that took too long. */
export function explainTimeout(progress: Progress): HandshakeFailure {
  const { says } = handshakeFailures.handshake_timeout;
  const { bytesRead } = progress;
  const heard = bytesRead === 0 ? 'the client sent nothing' : `the client sent ${bytesRead} bytes`;
  const sent = hasSentCertificate(progress) ? ', and did not answer the gateway’s certificate' : '';
  return failure('handshake_timeout', `${says}: ${heard}${sent}`);
}

/** The reason's sentence, or one that says more, and then what to do. */
export function failure(
  reason: HandshakeFailureName,
  what: string = handshakeFailures[reason].says,
  advice: string = handshakeFailures[reason].advice,
): HandshakeFailure {
  return { reason, detail: `${what}. ${advice}` };
}

export function hasSentCertificate({ bytesWritten }: Pick<Progress, 'bytesWritten'>): boolean {
  return bytesWritten > FLIGHT_BYTES;
}

/** Else it is one of the system: the connection was closed or reset. */
function isOfTls({ code }: TlsFault): boolean {
  return code?.startsWith('ERR_SSL_') === true;
}

/** OpenSSL's phrases are its own, never a client's bytes. */
function unknownFault({ code, reason }: TlsFault): HandshakeFailure {
  return failure('protocol_error', `TLS failed: ${reason ?? code}`);
}

function explainAlert(alert: number): HandshakeFailure {
  const reason = refusesCertificate(alert) ? 'server_certificate_refused' : 'client_alert';
  const what =
    reason === 'client_alert'
      ? `the client ended the connection by the TLS alert ${alertName(alert)}`
      : `the client does not accept the gateway’s certificate: TLS alert ${alertName(alert)}`;
  return failure(reason, what, alertAdvice(alert) ?? handshakeFailures[reason].advice);
}

/**
 * The number of the client's alert; null: the error is none. OpenSSL's message holds the packed code
 * (`…:error:0A000418:…`): above bit 23 the library, SSL is 20, below it the reason, an alert's is 1000 and its number.
 * The names in the codes are no help: OpenSSL has changed them.
 */
function alertOf({ message }: TlsFault): number | null {
  const packed = Number.parseInt(/\berror:([0-9A-F]{8}):/.exec(message)?.[1] ?? '', 16);
  const library = (packed >>> 23) & 0xff;
  const reason = packed & 0x7f_ffff;
  return library === 20 && reason >= 1000 && reason < 1256 ? reason - 1000 : null;
}

/** Of verifying CertificateVerify: which library complains depends on the kind of key. */
function isOfSignature(
  { code, library, message }: TlsFault,
  { leafSeen, leafKeyType = null }: Progress,
): boolean {
  if (!leafSeen) return false;
  if (code === 'ERR_SSL_BAD_SIGNATURE') return true;
  // Else it is of a CA's signature in the chain, which OpenSSL leaves behind as an error where it has to wait then.
  if (library === 'rsa routines') return leafKeyType === null || leafKeyType.startsWith('rsa');
  return /verify/i.test(functionOf(message));
}

/** Of reading the client's Certificate message: nothing else that comes after the gateway's flight holds ASN.1. */
function isOfCertificate({ library, message }: TlsFault, progress: Progress): boolean {
  if (progress.leafSeen || !hasSentCertificate(progress)) return false;
  return (
    library === 'asn1 encoding routines' ||
    library === 'x509 certificate routines' ||
    /client_certificate|X509|PUBKEY/.test(functionOf(message))
  );
}

/** `40E3…:error:030000EA:digital envelope routines:EVP_DigestVerifyFinal:provider signature failure:…` */
function functionOf(message: string): string {
  return message.split(':')[4] ?? '';
}
