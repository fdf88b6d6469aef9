/** Finds the failure reason and its detail from the error that ended a TLS connection and from the handshake's progress. */
import { adviceText } from '../explanation.ts';
import { explainClose } from './abandoned-handshakes.ts';
import { type Failure, type FailureReasonName, failure, failureReasons } from './failure-reasons.ts';
import { hasSentFlight, type Progress, sentOf } from './handshake-progress.ts';
import { alertAdvice, alertName, rejectsCertificate } from './tls-alerts.ts';

/** Node's error of a failed connection; only an error of TLS has `library` and `reason`, which are OpenSSL's. */
export interface TlsFault {
  readonly code?: string | undefined;
  readonly message: string;
  readonly library?: string | undefined;
  readonly reason?: string | undefined;
}

/** OpenSSL's error codes → reason. Node puts `ERR_SSL_` before each, whatever OpenSSL library it comes from. */
const reasonByCode: Readonly<Record<string, FailureReasonName>> = {
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
  ERR_SSL_UNEXPECTED_MESSAGE: 'unexpected_message',
  ERR_SSL_UNEXPECTED_RECORD: 'unexpected_message',
  ERR_SSL_BAD_RECORD_TYPE: 'unexpected_message',
  ERR_SSL_APP_DATA_IN_HANDSHAKE: 'unexpected_message',
  ERR_SSL_INVALID_CCS_MESSAGE: 'unexpected_message',
  ERR_SSL_CCS_RECEIVED_EARLY: 'unexpected_message',
  ERR_SSL_GOT_A_FIN_BEFORE_A_CCS: 'unexpected_message',
  ERR_SSL_WRONG_VERSION_NUMBER: 'unexpected_message',
  ERR_SSL_TOO_MANY_WARN_ALERTS: 'unexpected_message',
  ERR_SSL_DECRYPTION_FAILED_OR_BAD_RECORD_MAC: 'record_damaged',
  ERR_SSL_DECRYPTION_FAILED: 'record_damaged',
  ERR_SSL_BAD_DECRYPT: 'record_damaged',
  ERR_SSL_CIPHER_OPERATION_FAILED: 'record_damaged',
  // A record that is shorter than its encryption makes it.
  ERR_SSL_INVALID_AAD: 'record_damaged',
  ERR_SSL_DIGEST_CHECK_FAILED: 'handshake_altered',
  ERR_SSL_EXCESSIVE_MESSAGE_SIZE: 'message_too_large',
  ERR_SSL_DATA_LENGTH_TOO_LONG: 'message_too_large',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'message_too_large',
  ERR_SSL_ENCRYPTED_LENGTH_TOO_LONG: 'message_too_large',
};

/** Reasons of several OpenSSL errors. */
const precise: readonly FailureReasonName[] = ['malformed_client_hello', 'unexpected_message'];

const proxyAdvice = adviceText({
  cause: 'the client takes the gateway for an HTTP proxy',
  client: 'call the gateway itself with https://, and do not configure it as a proxy (https_proxy)',
  gateway: null,
});

/** Of an error during the handshake. */
export function explainFault(fault: TlsFault, progress: Progress): Failure {
  // Node's error of a connection that was closed has the same code as one that was reset.
  if (!isOfTls(fault)) return explainClose(progress, fault.message.startsWith('read '));
  const { code = '' } = fault;
  const alert = alertOf(fault);
  if (alert !== null) return explainAlert(alert);
  // No alert was sent: OpenSSL did not recognize the first five bytes as the header of a TLS record.
  if (code === 'ERR_SSL_WRONG_VERSION_NUMBER' && progress.bytesWritten === 0) return failure('not_tls');
  const known = reasonByCode[code];
  if (code === 'ERR_SSL_HTTPS_PROXY_REQUEST')
    return failure('plain_http', 'the client sent an HTTP CONNECT request without TLS', proxyAdvice);
  if (code === 'ERR_SSL_INAPPROPRIATE_FALLBACK')
    return failure(
      'protocol_version',
      `the client fell back to ${progress.tlsVersion} although it supports a newer version (RFC 7507)`,
      adviceText({
        cause: 'an earlier handshake of this client failed, and it tries again with an older version',
        client: 'look for a middlebox on the way, and switch off the fallback',
        gateway: 'look for the record of the earlier handshake',
      }),
    );
  if (known === 'protocol_version' && isOldVersion(fault, progress))
    return failure(known, `the client offers ${progress.tlsVersion} at most`);
  if (known !== undefined) return explainKnown(known, fault);
  if (isOfSignature(fault, progress)) return failure('key_not_proven');
  if (isOfCertificate(fault, progress)) return failure('malformed_certificate');
  return explainOther(fault, progress);
}

/**
 * Whether the socket's version is the highest that the client offers, where the versions do not fit. Of a ClientHello in
 * the format of SSL 2.0 OpenSSL has read no version, and returns its own newest. With supported_versions (RFC 8446 §4.2.1)
 * it returns TLS 1.2, which the client need not offer.
 */
export function isOldVersion({ code }: TlsFault, { tlsVersion }: Pick<Progress, 'tlsVersion'>): boolean {
  return code !== 'ERR_SSL_UNKNOWN_PROTOCOL' && ['SSLv3', 'TLSv1', 'TLSv1.1'].includes(tlsVersion ?? '');
}

const later: readonly FailureReasonName[] = ['message_too_large', 'record_damaged', 'unexpected_message'];

/** Of an error after the handshake; null: the connection was closed or reset without an error of TLS. */
export function explainLaterFault(fault: TlsFault): Failure | null {
  if (!isOfTls(fault)) return null;
  const alert = alertOf(fault);
  if (alert !== null) return explainAlert(alert);
  const known = reasonByCode[fault.code ?? ''];
  return known !== undefined && later.includes(known) ? explainKnown(known, fault) : unknownFault(fault);
}

/** False: a system error, the connection was closed or reset. */
function isOfTls({ code }: TlsFault): boolean {
  return code?.startsWith('ERR_SSL_') === true;
}

/** OpenSSL's phrases are constants and never contain bytes of the client. */
function unknownFault({ code, reason }: TlsFault): Failure {
  return failure('protocol_error', `TLS failed: ${reason ?? code}`);
}

/** In a reason that several errors have, OpenSSL's phrase says which. */
function explainKnown(known: FailureReasonName, { code, reason }: TlsFault): Failure {
  const { says } = failureReasons[known];
  return precise.includes(known) ? failure(known, `${says} (OpenSSL: ${reason ?? code})`) : failure(known);
}

/** Before the gateway has sent its flight every other error is one of the ClientHello. */
function explainOther(fault: TlsFault, progress: Progress): Failure {
  const isOfHello = !hasSentFlight(progress) && !/INTERNAL_ERROR|MALLOC/.test(fault.code ?? '');
  return isOfHello && fault.library === 'SSL routines'
    ? explainKnown('malformed_client_hello', fault)
    : unknownFault(fault);
}

function explainAlert(alert: number): Failure {
  const reason = rejectsCertificate(alert) ? 'server_certificate_refused' : 'client_alert';
  const what =
    reason === 'client_alert'
      ? `the client ended the connection with the TLS alert ${alertName(alert)}`
      : `the client rejected the gateway’s certificate with the TLS alert ${alertName(alert)}`;
  return failure(reason, what, adviceText(alertAdvice(alert) ?? failureReasons[reason]));
}

/**
 * The number of the client's alert; null: the error is not an alert. OpenSSL's message contains its packed error code
 * (`…:error:0A000418:…`): the bits above 23 are the library, 20 for SSL; the bits below are the reason, 1000 plus the
 * number for an alert. The names in the codes cannot be used: they differ between OpenSSL versions.
 */
function alertOf({ message }: TlsFault): number | null {
  const packed = Number.parseInt(/\berror:([0-9A-F]{8}):/.exec(message)?.[1] ?? '', 16);
  const library = (packed >>> 23) & 0xff;
  const reason = packed & 0x7f_ffff;
  return library === 20 && reason >= 1000 && reason < 1256 ? reason - 1000 : null;
}

/** An error of verifying CertificateVerify; which OpenSSL library reports it depends on the kind of key. */
function isOfSignature(
  { code, library, message }: TlsFault,
  { leafSeen, leafKeyType = null }: Progress,
): boolean {
  if (!leafSeen) return false;
  if (code === 'ERR_SSL_BAD_SIGNATURE') return true;
  // With a leaf of another kind the error is left over from a CA's signature in the chain, and OpenSSL reports it when
  // it next has to wait for bytes.
  if (library === 'rsa routines') return leafKeyType === null || leafKeyType.startsWith('rsa');
  return /verify/i.test(functionOf(message));
}

/** An error of parsing the client's Certificate message: nothing else after the gateway's flight contains ASN.1. */
function isOfCertificate({ library, message }: TlsFault, progress: Progress): boolean {
  if (progress.leafSeen || sentOf(progress) !== 'certificate') return false;
  return (
    library === 'asn1 encoding routines' ||
    library === 'x509 certificate routines' ||
    /client_certificate|X509|PUBKEY/.test(functionOf(message))
  );
}

/** The fifth part of `40E3…:error:030000EA:digital envelope routines:EVP_DigestVerifyFinal:provider signature failure:…`. */
function functionOf(message: string): string {
  return message.split(':')[4] ?? '';
}
