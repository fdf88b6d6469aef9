/** Names of the TLS alerts that end a connection (RFC 8446 §6; RFC 5246 §7.2 for those of TLS 1.2), and advice on each. */

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

/** Alerts by which a client rejects the gateway's certificate → what to do. "It" is the gateway's certificate. */
const certificateAdvice: Readonly<Record<number, string>> = {
  42: 'The client does not trust its CA, or the host name that the client called is not in it (Go sends this alert for both): give the client the root CA, and compare that host name with the certificate’s subjectAltName.',
  43: 'The client cannot use this kind of certificate: check its key, its signature algorithm, and that its extendedKeyUsage contains serverAuth.',
  44: 'The client considers it revoked: replace it.',
  45: 'It has expired by the client’s clock: check its dates, the dates of the CAs in the chain file, and the client’s clock.',
  46: 'The client does not trust its CA, or the host name that the client called is not in it (Java sends this alert for both): give the client the root CA, and compare that host name with the certificate’s subjectAltName.',
  48: 'The client does not know its CA: give the client the root CA, and put the intermediate CAs behind the certificate in the chain file of listen.certificate.',
  113: 'The client requires a stapled OCSP response, which the gateway does not send.',
};

/** Other alerts with a known remedy → what to do. */
const otherAdvice: Readonly<Record<number, string>> = {
  40: 'The client accepts nothing that the gateway offers; see the client’s own log for the cause.',
  51: 'The client could not verify the gateway’s signature: look for a middlebox that replaces the certificate.',
  70: 'The client rejects the TLS version that was agreed on: enable TLS 1.2 or 1.3 in the client.',
  71: 'The client requires stronger cipher suites or keys than those that were agreed on.',
  80: 'The client had an internal error; see the client’s own log for the cause.',
  90: 'The client gave up the handshake.',
  116: 'The client requires a kind of certificate that it did not get.',
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
export function alertAdvice(alert: number): string | null {
  return certificateAdvice[alert] ?? otherAdvice[alert] ?? null;
}
