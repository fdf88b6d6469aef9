/** What a URL stands for: the chain that a TLS server sends, or a file that is fetched. */
import { isIP } from 'node:net';
import { GatewayError, UnreachableError, UsageError } from '../../errors.ts';
import { fetchResource } from '../../fetch/http-fetch.ts';
import type { Endpoint } from '../../probe/endpoint.ts';
import { describeFailure, type FlightOutcome } from '../../probe/outcome.ts';
import { readServerFlight } from '../../probe/read-flight.ts';
import type { VersionName } from '../../probe/versions.ts';
import { printable } from '../../terminal/printable.ts';

export type WebSource =
  | { readonly kind: 'server'; readonly host: string; readonly port: number }
  | { readonly kind: 'file'; readonly url: string };

/** Bytes of an inspected file. The largest CRLs of public CAs have less. */
export const MAX_BYTES = 128 * 1024 * 1024;

/** Endings of files that hold certificates, keys, CRLs or key sets. */
const fileEnding = /\.(?:pem|crt|cer|cert|der|ca|crl|p7b|p7c|p7s|p12|pfx|csr|req|p10|ors|jwks|json|txt)$/i;

/**
 * An http URL is a file. An https URL is a file if the last part of its path ends like one, or is `jwks`; otherwise the
 * server itself is meant. null: not a URL of these schemes. Throws UsageError for one that cannot be used.
 */
export function webSourceOf(text: string): WebSource | null {
  if (!/^https?:\/\//i.test(text)) return null;
  const url = URL.parse(text);
  if (url === null || url.username !== '' || url.password !== '')
    throw new UsageError(
      `${printable(text.replace(/\/\/[^/?#]*@/, '//…@'))}: found a URL that is not valid, or has credentials; allowed https://HOST, https://HOST:PORT, or the http or https URL of a file`,
    );
  const last = url.pathname.split('/').at(-1) ?? '';
  if (url.protocol === 'http:' || fileEnding.test(last) || /^jwks$/i.test(last))
    return { kind: 'file', url: url.href };
  const host = url.hostname.replace(/^\[|\]$/g, '');
  return { kind: 'server', host, port: url.port === '' ? 443 : Number(url.port) };
}

const timeoutMs = 10_000;

/** Throws UnreachableError with the reason. */
export async function fetchFile(url: string): Promise<Buffer> {
  try {
    const fetched = await fetchResource({
      ...{ purpose: 'TRUST', url, maxBytes: MAX_BYTES, redirects: 3, timeout: 3 * timeoutMs },
    });
    if (fetched.status === 'fetched') return fetched.bytes;
    throw new UnreachableError(`${printable(url)}: the server sent no file`);
  } catch (cause) {
    if (!(cause instanceof GatewayError) || cause instanceof UnreachableError) throw cause;
    throw new UnreachableError(printable(cause.message), cause);
  }
}

export interface SentChain {
  readonly version: VersionName;
  /** DER in the order sent. */
  readonly certificates: readonly Buffer[];
}

/** In TLS 1.3, or in TLS 1.2 if the server has no TLS 1.3. Throws UnreachableError, which says what the server did. */
export async function readSentChain({
  host,
  port,
}: {
  readonly host: string;
  readonly port: number;
}): Promise<SentChain> {
  const endpoint: Endpoint = { host, port, servername: isIP(host) === 0 ? host : null, timeoutMs };
  let failure = '';
  for (const version of ['TLS 1.3', 'TLS 1.2'] as const) {
    const outcome = await readServerFlight({ ...endpoint, version });
    const certificates = certificatesIn(outcome);
    if (certificates.length > 0) return { version, certificates };
    failure = outcome.kind === 'flight' ? 'sent no certificate' : describeFailure(outcome);
    if (outcome.kind === 'unreachable' || (outcome.kind === 'timeout' && outcome.phase === 'connect')) break;
  }
  throw new UnreachableError(`${printable(host)}:${port}: the server ${printable(failure)}`);
}

/** Also those that came before the server broke off. */
function certificatesIn(outcome: FlightOutcome): readonly Buffer[] {
  return outcome.kind === 'flight' ? outcome.flight.certificates : (outcome.received?.certificates ?? []);
}
