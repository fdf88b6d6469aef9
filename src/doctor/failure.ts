/** Why a connection or a request got no response, in words of a reader who does not know the codes. */

/** Why an attempt ended without a response. */
export interface Failure {
  readonly stage: 'handshake' | 'response';
  /**
   * `closed`: by the server, or reset; `other`: it sent something else than TLS or HTTP, or could not be connected; `cut`: the
   * time for the whole examination was over, which says nothing about the endpoint.
   */
  readonly kind: 'alert' | 'closed' | 'silent' | 'other' | 'cut';
  /** Such as `the connection was reset`. */
  readonly reason: string;
  /** Of a response that did not end, or was too long; null: not even its head came. */
  readonly status: number | null;
}

/** Codes of our own, beside those of Node. */
export const silentCode = 'SILENT';
export const closedCode = 'CLOSED';
export const cutCode = 'CUT';

export const cutReason = 'the time for the whole examination was over';
export const cutAdvice = 'give the examination more time with --max-time';

export function errorOf(code: string): Error {
  return Object.assign(new Error(code), { code });
}

const reasons: Readonly<Record<string, readonly [kind: Failure['kind'], reason: string]>> = {
  ECONNRESET: ['closed', 'the connection was reset'],
  EPIPE: ['closed', 'the connection was closed'],
  [closedCode]: ['closed', 'the connection was closed'],
  [silentCode]: ['silent', 'no answer in time'],
  [cutCode]: ['cut', cutReason],
  ECONNREFUSED: ['other', 'the connection was refused'],
  ERR_SSL_WRONG_VERSION_NUMBER: ['other', 'the answer is not TLS'],
  ERR_SSL_PACKET_LENGTH_TOO_LONG: ['other', 'the answer is not TLS'],
};

/**
 * Alerts as OpenSSL names them in its error codes: `ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED`, from OpenSSL 3.2 on
 * `ERR_SSL_SSL/TLS_ALERT_HANDSHAKE_FAILURE`, and `ERR_SSL_TLSV1_UNRECOGNIZED_NAME`.
 */
const alertCode = /^ERR_SSL_(?:(?:SSL\/?V3|SSL\/TLS|TLSV1|TLSV13)_ALERT|TLSV1)_(\w+)$/;

/** `error.status`: of a response whose head came. */
export function failureOf(stage: Failure['stage'], error: Error & { readonly status?: number }): Failure {
  return { stage, ...causeOf(error), status: error.status ?? null };
}

function causeOf(error: NodeJS.ErrnoException): Pick<Failure, 'kind' | 'reason'> {
  const { code = '' } = error;
  const [, alert] = alertCode.exec(code) ?? [];
  if (alert !== undefined) {
    const name = alert.toLowerCase().replaceAll('_', ' ');
    return { kind: 'alert', reason: `the server sent the TLS alert "${name}"` };
  }
  if (error.message === 'socket hang up') return { kind: 'closed', reason: 'the connection was closed' };
  if (code.startsWith('HPE_')) return { kind: 'other', reason: `the answer is not HTTP (${code})` };
  const [kind, reason] = reasons[code] ?? [
    'other',
    code === '' ? error.message : `the connection failed (${code})`,
  ];
  return { kind, reason };
}
