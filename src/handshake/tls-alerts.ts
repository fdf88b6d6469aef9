/** TLS alerts that end a connection (RFC 8446 §6, and RFC 5246 §7.2 for those of TLS 1.2), and what to do about them. */

/** Names from the registry of the IANA. */
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

/** Alerts by which a client refuses the gateway's certificate → what to do. */
const certificateAdvice: Readonly<Record<number, string>> = {
  42: 'The client does not trust its CA, or does not find the name it calls in it (Go sends this for both): give the client the root CA, and compare that name with the certificate’s subjectAltName.',
  43: 'The client cannot use a certificate of this kind: check its key, its signature algorithm, and that its extendedKeyUsage has serverAuth.',
  44: 'The client holds it for revoked: replace it.',
  45: 'It has expired by the client’s clock: check its dates, the dates of its CAs in the chain file, and that clock.',
  46: 'The client does not trust its CA, or does not find the name it calls in it (Java sends this for both): give the client the root CA, and compare that name with the certificate’s subjectAltName.',
  48: 'The client does not know its CA: give the client the root CA, and put the intermediate CAs behind the certificate in the chain file of listen.certificate.',
  113: 'The client demands a stapled OCSP answer, which the gateway does not send.',
};

/** Other alerts of which something is known → what to do. */
const otherAdvice: Readonly<Record<number, string>> = {
  40: 'The client found nothing it accepts in the gateway’s offer; its own log says why.',
  51: 'The client could not verify the gateway’s signature: its certificate was perhaps replaced by a middlebox.',
  70: 'The client does not accept the TLS version that was agreed on: it needs 1.2 or 1.3.',
  71: 'The client asks for stronger cipher suites or keys than were agreed on.',
  80: 'The client failed by itself; its own log says why.',
  90: 'The client gave up.',
  116: 'The client demands a certificate of a kind that it did not get.',
};

/** `unknown_ca (48)`. */
export function alertName(alert: number): string {
  return `${names[alert] ?? 'unassigned'} (${alert})`;
}

/** The client refused the gateway's certificate by it. */
export function refusesCertificate(alert: number): boolean {
  return alert in certificateAdvice;
}

export function alertAdvice(alert: number): string | null {
  return certificateAdvice[alert] ?? otherAdvice[alert] ?? null;
}
