import { describe, expect, it } from 'vitest';
import { explainClose, explainTimeout } from '../../src/handshake/abandoned-handshakes.ts';
import { explainFault, explainLaterFault } from '../../src/handshake/failure-classifier.ts';
import type { FailureReasonName } from '../../src/handshake/failure-reasons.ts';
import type { Progress } from '../../src/handshake/handshake-progress.ts';

const start: Progress = { bytesRead: 200, bytesWritten: 0, leafSeen: false, tlsVersion: 'TLSv1.3' };
const flight: Progress = { ...start, bytesWritten: 1_700 };
const afterLeaf: Progress = { ...flight, bytesRead: 1_500, leafSeen: true };

/** An error as Node builds it from OpenSSL's error queue. */
function fault(code: string, packed: string, library = 'SSL routines', where = 'ssl3_read_bytes') {
  const reason = code.replace('ERR_SSL_', '').toLowerCase().replaceAll('_', ' ');
  return {
    code,
    library,
    reason,
    message: `40E3:error:${packed}:${library}:${where}:${reason}:../ssl/x.c:1:\n`,
  };
}
/** Identified by its number only: OpenSSL 3.0 and 3.5 use different names for the same alert. */
const alert = (number: number) =>
  fault('ERR_SSL_ANY_NAME', ((20 << 23) + 1000 + number).toString(16).toUpperCase().padStart(8, '0'));

describe('an alert of the client', () => {
  it.each([
    [42, 'bad_certificate', 'server_certificate_refused', /Go and OpenSSL send/],
    [43, 'unsupported_certificate', 'server_certificate_refused', /serverAuth/],
    [44, 'certificate_revoked', 'server_certificate_refused', /replace listen\.certificate/],
    [45, 'certificate_expired', 'server_certificate_refused', /clock/],
    [46, 'certificate_unknown', 'server_certificate_refused', /Java sends/],
    [48, 'unknown_ca', 'server_certificate_refused', /root CA/],
    [113, 'bad_certificate_status_response', 'server_certificate_refused', /OCSP/],
    [40, 'handshake_failure', 'client_alert', /own log/],
    [70, 'protocol_version', 'client_alert', /enable TLS 1\.2 or 1\.3/],
    [80, 'internal_error', 'client_alert', /own log/],
    [90, 'user_canceled', 'client_alert', /gave up/],
    [112, 'unrecognized_name', 'client_alert', /subjectAltName/],
    [200, 'unassigned', 'client_alert', /own log/],
  ] as const)('%i is named %s and has the reason %s', (number, name, reason, advice) => {
    for (const found of [explainFault(alert(number), flight), explainLaterFault(alert(number))]) {
      expect(found?.reason).toBe(reason);
      expect(found?.detail).toContain(`alert ${name} (${number}). `);
      expect(found?.detail).toMatch(advice);
    }
  });

  it('is not recognized in an error of another OpenSSL library with the same number', () => {
    const other = fault('ERR_SSL_ANY_NAME', '02000418', 'x routines');
    expect(explainFault(other, flight).reason).toBe('protocol_error');
  });
});

describe('an error of TLS during the handshake', () => {
  const faults: [string, ReturnType<typeof fault>, Progress, FailureReasonName][] = [
    ['HTTP', fault('ERR_SSL_HTTP_REQUEST', '0A00009C'), start, 'plain_http'],
    ['a CONNECT', fault('ERR_SSL_HTTPS_PROXY_REQUEST', '0A00009B'), start, 'plain_http'],
    [
      'bytes that are not a record, at the beginning',
      fault('ERR_SSL_WRONG_VERSION_NUMBER', '0A00010B'),
      start,
      'not_tls',
    ],
    [
      'bytes that are not a record, later',
      fault('ERR_SSL_WRONG_VERSION_NUMBER', '0A00010B'),
      flight,
      'unexpected_message',
    ],
    [
      'a damaged record',
      fault('ERR_SSL_CIPHER_OPERATION_FAILED', '1C800066', 'Provider routines', 'ossl_gcm_stream_update'),
      afterLeaf,
      'record_damaged',
    ],
    [
      'a bad Finished',
      fault('ERR_SSL_DIGEST_CHECK_FAILED', '0A000095', 'SSL routines', 'tls_process_finished'),
      afterLeaf,
      'handshake_altered',
    ],
    [
      'a bad key share',
      fault('ERR_SSL_LENGTH_MISMATCH', '0A00009F', 'SSL routines', 'tls_process_cke_ecdhe'),
      afterLeaf,
      'protocol_error',
    ],
    [
      'a CA’s RSA signature in the chain of a leaf that has an EC key',
      fault('ERR_SSL_INVALID_PADDING', '0200008A', 'rsa routines', 'RSA_padding_check_PKCS1_type_1'),
      { ...afterLeaf, leafKeyType: 'ec' },
      'protocol_error',
    ],
    [
      'RSA-PSS',
      fault('ERR_SSL_FIRST_OCTET_INVALID', '02000085', 'rsa routines', 'ossl_rsa_verify_PKCS1_PSS_mgf1'),
      afterLeaf,
      'key_not_proven',
    ],
    [
      'RSA PKCS#1',
      fault('ERR_SSL_INVALID_PADDING', '0200008A', 'rsa routines', 'RSA_padding_check_PKCS1_type_1'),
      afterLeaf,
      'key_not_proven',
    ],
    [
      'ECDSA',
      fault(
        'ERR_SSL_PROVIDER_SIGNATURE_FAILURE',
        '030000EA',
        'digital envelope routines',
        'EVP_DigestVerifyFinal',
      ),
      afterLeaf,
      'key_not_proven',
    ],
    [
      'a broken signature',
      fault('ERR_SSL_BAD_SIGNATURE', '0A00007B', 'SSL routines', 'tls_process_cert_verify'),
      afterLeaf,
      'key_not_proven',
    ],
    [
      'ASN.1 of a certificate',
      fault('ERR_SSL_WRONG_TAG', '068000A8', 'asn1 encoding routines', 'asn1_check_tlen'),
      flight,
      'malformed_certificate',
    ],
    [
      'ASN.1 before the certificate message',
      fault('ERR_SSL_WRONG_TAG', '068000A8', 'asn1 encoding routines', 'asn1_check_tlen'),
      start,
      'protocol_error',
    ],
    [
      'a key in a certificate',
      fault('ERR_SSL_DECODE_ERROR', '03000072', 'digital envelope routines', 'X509_PUBKEY_get0'),
      flight,
      'malformed_certificate',
    ],
    [
      'a message at a wrong time',
      fault('ERR_SSL_UNEXPECTED_MESSAGE', '0A0000F4'),
      flight,
      'unexpected_message',
    ],
    [
      'anything in a ClientHello',
      fault('ERR_SSL_BAD_EXTENSION', '0A00006E'),
      start,
      'malformed_client_hello',
    ],
    [
      'anything after a session was resumed',
      fault('ERR_SSL_BAD_EXTENSION', '0A00006E'),
      { ...start, bytesWritten: 141, resumed: true },
      'protocol_error',
    ],
    ['an error of the gateway', fault('ERR_SSL_INTERNAL_ERROR', '0A000044'), start, 'protocol_error'],
    ['any other cause', fault('ERR_SSL_BAD_EXTENSION', '0A00006E'), flight, 'protocol_error'],
  ];

  it.each(faults)('about %s has its reason', (_what, error, progress, reason) => {
    expect(explainFault(error, progress).reason).toBe(reason);
  });

  it('is quoted in OpenSSL’s words where its reason is one of several errors', () => {
    expect(explainFault(fault('ERR_SSL_BAD_EXTENSION', '0A00006E'), flight).detail).toMatch(
      /^TLS failed: bad extension\. /,
    );
    expect(explainFault(fault('ERR_SSL_UNEXPECTED_MESSAGE', '0A0000F4'), flight).detail).toMatch(
      /\(OpenSSL: unexpected message\)\. /,
    );
  });

  it('does not take OpenSSL’s own newest version for that of a ClientHello in SSL 2.0 format', () => {
    const { reason, detail } = explainFault(fault('ERR_SSL_UNKNOWN_PROTOCOL', '0A0000FE'), start);
    expect(reason).toBe('protocol_version');
    expect(detail).toMatch(/^the client offers neither TLS 1\.2 nor TLS 1\.3\. /);
  });

  it('after the handshake is an alert, a record that is damaged, unexpected or too large, or a protocol error; a reset is not an error of TLS', () => {
    expect(
      [
        fault('ERR_SSL_HTTP_REQUEST', '0A00009C'),
        fault('ERR_SSL_WRONG_VERSION_NUMBER', '0A00010B'),
        fault('ERR_SSL_DECRYPTION_FAILED_OR_BAD_RECORD_MAC', '0A000119'),
        fault('ERR_SSL_DATA_LENGTH_TOO_LONG', '0A000092'),
      ].map((each) => explainLaterFault(each)?.reason),
    ).toEqual(['protocol_error', 'unexpected_message', 'record_damaged', 'message_too_large']);
    expect(explainLaterFault({ code: 'ECONNRESET', message: 'read ECONNRESET' })).toBe(null);
  });
});

describe('a connection that closed without an error of TLS', () => {
  const resumed = { ...flight, resumed: true };
  const retry = { ...start, bytesWritten: 99 };
  const answered = { ...flight, helloBytes: 200, bytesRead: 900 };
  it.each([
    [{ ...start, bytesRead: 0 }, 'closed_silent', /health check/],
    [start, 'closed_before_certificate', /, after it had sent 200 bytes\. /],
    [
      { ...start, bytesWritten: 100 },
      'closed_before_certificate',
      /, and the gateway asked it for a key share/,
    ],
    // An alert.
    [{ ...flight, helloBytes: 200, bytesRead: 230 }, 'closed_after_certificate', /without an alert/],
    [flight, 'closed_after_certificate', /without an alert/],
    [answered, 'closed_before_finished', /, after it had sent 900 bytes in all\. /],
    [afterLeaf, 'closed_before_finished', /answered the gateway’s certificate/],
    [resumed, 'closed_before_finished', /^the client resumed a TLS session and /],
    [{ ...resumed, leafSeen: false, resumed: null, chainBytes: 2_000 }, 'closed_before_finished', /resumed/],
    // A HelloRetryRequest and an alert.
    [{ ...retry, resumed: false, bytesWritten: 106 }, 'closed_before_certificate', /, and the gateway asked/],
  ] as const)('at %j has the reason %s', (progress, reason, detail) => {
    for (const found of [
      explainClose(progress),
      explainFault({ code: 'ECONNRESET', message: 'socket hang up' }, progress),
    ]) {
      expect(found).toMatchObject({ reason, detail: expect.stringMatching(detail) });
      expect(found.detail).not.toContain('RST');
    }
    const reset = explainFault({ code: 'ECONNRESET', message: 'read ECONNRESET' }, progress);
    expect(reset).toMatchObject({
      reason,
      detail: expect.stringContaining('reset the connection (TCP RST)'),
    });
  });

  it.each([
    [{ ...start, bytesRead: 0 }, 'timeout_silent', /sent nothing within timeouts\.handshake\. /],
    [start, 'timeout_client_hello', /: it sent 200 bytes\. /],
    [flight, 'handshake_timeout', /sent its certificate: it sent 200 bytes in all\. /],
    [
      { ...flight, helloBytes: 200 },
      'handshake_timeout',
      /: it sent nothing more than its ClientHello, 200 bytes in all\. /,
    ],
    [answered, 'handshake_timeout', /: a part of its answer came, 900 bytes in all\. /],
    [resumed, 'handshake_timeout', /^the client resumed a TLS session and did not finish/],
    [retry, 'timeout_client_hello', /^the client did not complete its second ClientHello/],
  ] as const)('within timeouts.handshake at %j has the reason %s', (progress, reason, detail) => {
    expect(explainTimeout(progress)).toMatchObject({ reason, detail: expect.stringMatching(detail) });
  });
});

it('has a detail that fits into an audit record for every alert', () => {
  for (let number = 0; number < 256; number++) {
    expect(Buffer.byteLength(explainFault(alert(number), flight).detail)).toBeLessThanOrEqual(768);
  }
});
