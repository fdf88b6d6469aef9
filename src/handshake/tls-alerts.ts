/** Names of the TLS alerts that end a connection (RFC 8446 §6; RFC 5246 §7.2 for those of TLS 1.2), and advice on each. */

import type { Advice } from '../explanation.ts';

const seeLog = 'see its own log for the cause';

/** Names from IANA's TLS Alerts registry. */
const names: Readonly<Record<number, string>> = {
  0: 'close_notify',
  10: 'unexpected_message',
  20: 'bad_record_mac',
  21: 'decryption_failed',
  22: 'record_overflow',
  30: 'decompression_failure',
  40: 'handshake_failure',
  41: 'no_certificate',
  42: 'bad_certificate',
  43: 'unsupported_certificate',
  44: 'certificate_revoked',
  45: 'certificate_expired',
  46: 'certificate_unknown',
  47: 'illegal_parameter',
  48: 'unknown_ca',
  49: 'access_denied',
  50: 'decode_error',
  51: 'decrypt_error',
  60: 'export_restriction',
  70: 'protocol_version',
  71: 'insufficient_security',
  80: 'internal_error',
  86: 'inappropriate_fallback',
  90: 'user_canceled',
  100: 'no_renegotiation',
  109: 'missing_extension',
  110: 'unsupported_extension',
  111: 'certificate_unobtainable',
  112: 'unrecognized_name',
  113: 'bad_certificate_status_response',
  114: 'bad_certificate_hash_value',
  115: 'unknown_psk_identity',
  116: 'certificate_required',
  120: 'no_application_protocol',
  121: 'ech_required',
};

/** Alerts by which a client rejects the gateway's certificate. "It" is the gateway's certificate. */
const certificateAdvice: Readonly<Record<number, Advice>> = {
  42: {
    cause:
      'the client does not trust its CA, or the host name that it called is not in it (Go and OpenSSL send this alert for both)',
    client: 'trust the root CA, and compare that host name with the certificate’s subjectAltName',
    gateway: 'check subjectAltName and chain file of listen.certificate',
  },
  43: {
    cause: 'the client cannot use this kind of certificate',
    client: null,
    gateway: 'check its key, its signature algorithm, and that its extendedKeyUsage contains serverAuth',
  },
  44: {
    cause: 'the client considers it revoked',
    client: null,
    gateway: 'ask the CA, and replace listen.certificate',
  },
  45: {
    cause: 'it has expired by the client’s clock',
    client: 'check the clock',
    gateway:
      'check the dates of listen.certificate and of the CAs in its chain file; replace what has expired',
  },
  46: {
    cause:
      'the client does not trust its CA, or the host name that it called is not in it (Java sends this alert for both)',
    client: 'trust the root CA, and compare that host name with the certificate’s subjectAltName',
    gateway: 'check subjectAltName and chain file of listen.certificate',
  },
  48: {
    cause: 'the client does not know its CA',
    client: 'trust the root CA of the gateway’s certificate',
    gateway: 'put the intermediate CAs behind the certificate in the chain file of listen.certificate',
  },
  113: {
    cause: 'the client requires a stapled OCSP response, which the gateway does not send',
    client: 'do not require OCSP stapling',
    gateway: 'use a certificate without the must-staple extension',
  },
};

const foundAnError: Advice = {
  cause:
    'the client found an error in what it received: a middlebox alters bytes, or its TLS library is defective',
  client: 'see its own log, connect without the middlebox, and update the TLS library',
  gateway: null,
};

/** Other alerts with a known remedy. */
const otherAdvice: Readonly<Record<number, Advice>> = {
  10: foundAnError,
  20: foundAnError,
  22: foundAnError,
  47: foundAnError,
  50: foundAnError,
  109: foundAnError,
  110: foundAnError,
  0: { cause: 'the client gave up before the handshake was done', client: seeLog, gateway: null },
  40: {
    cause: 'the client accepts nothing that the gateway offers, or has no certificate to send',
    client: seeLog,
    gateway: null,
  },
  41: {
    cause: 'the client has no certificate to send and says so as SSL 3.0 did',
    client: 'configure a client certificate',
    gateway: null,
  },
  49: { cause: 'a rule of the client forbids the connection', client: seeLog, gateway: null },
  51: {
    cause: 'the client could not verify the gateway’s signature: a middlebox replaces the certificate',
    client: 'connect without the middlebox',
    gateway: 'check that key and certificate of listen.certificate belong together',
  },
  70: {
    cause: 'the client rejects the TLS version that was agreed on',
    client: 'enable TLS 1.2 or 1.3',
    gateway: null,
  },
  71: {
    cause: 'the client requires stronger cipher suites or keys than those that were agreed on',
    client: 'see which it requires',
    gateway: 'check the size of the key of listen.certificate',
  },
  80: { cause: 'the client had an internal error', client: seeLog, gateway: null },
  90: { cause: 'the client gave up the handshake', client: seeLog, gateway: null },
  112: {
    cause: 'the client found another host name than it called',
    client: 'compare the host name it calls with the certificate’s subjectAltName',
    gateway: 'check subjectAltName of listen.certificate',
  },
  116: {
    cause: 'the client requires a certificate that it did not get',
    client: seeLog,
    gateway: null,
  },
};

/** Such as `unknown_ca (48)`. */
export function alertName(alert: number): string {
  return `${names[alert] ?? 'unassigned'} (${alert})`;
}

/** Whether a client sends this alert because it rejects the gateway's certificate. */
export function rejectsCertificate(alert: number): boolean {
  return alert in certificateAdvice;
}

/** Null where no advice is known. */
export function alertAdvice(alert: number): Advice | null {
  return certificateAdvice[alert] ?? otherAdvice[alert] ?? null;
}
