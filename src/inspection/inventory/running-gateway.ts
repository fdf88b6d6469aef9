/** What a running gateway knows of its certificates: the metrics and the endpoints of its admin port. */
import { request } from 'node:http';
import { UnreachableError, UsageError } from '../../errors.ts';
import { printable } from '../../terminal/printable.ts';
import { readSamples, type Sample } from './metrics-text.ts';

/** Times are milliseconds since the epoch. */
export interface RunningGateway {
  /** Since when it counts: its start, or the last reload of its configuration. */
  readonly since: number | null;
  /** The last admitted handshake, by SHA-256 of the CA that issued the client certificate, and by anchor. */
  readonly handshakes: readonly {
    readonly anchor: string;
    readonly issuerSha256: string;
    readonly at: number;
  }[];
  /** The certificates that it uses. `role`: `server`, `anchor`, `client`. */
  readonly certificates: readonly {
    readonly role: string;
    readonly subject: string;
    readonly serial: string;
    readonly notAfter: number;
    /** null: not known. */
    readonly lastSeen: number | null;
  }[];
  /** URL of each endpoint → its open connections. */
  readonly connections: ReadonlyMap<string, number>;
}

const timeoutMs = 5_000;
const maxBody = 32 * 1024 * 1024;

/** `url`: of the admin port, without a path. Throws UsageError, UnreachableError. */
export async function readRunningGateway(url: string): Promise<RunningGateway> {
  const origin = URL.parse(url);
  if (origin === null || origin.protocol !== 'http:' || `${origin.origin}/` !== origin.href)
    throw new UsageError(
      `--url: found ${printable(url)}; allowed http://HOST:PORT of the admin port, without a path`,
    );
  const samples = readSamples(await get(new URL('/metrics', origin)));
  if (!samples.some(({ name }) => name === 'ehi_build_info'))
    throw new UnreachableError(`${printable(url)}: answers, but has no metrics of ehi-gateway`);
  const connections = connectionsIn(await get(new URL('/upstreams', origin)), url);
  const since = of(samples, 'ehi_config_last_reload_success_timestamp_seconds')[0];
  return {
    since: since === undefined ? null : since.value * 1000,
    handshakes: of(samples, 'ehi_client_last_handshake_timestamp_seconds').map(({ labels, value }) => ({
      anchor: labels.anchor ?? '',
      issuerSha256: labels.issuer_sha256 ?? '',
      at: value * 1000,
    })),
    certificates: certificatesIn(samples),
    connections,
  };
}

function of(samples: readonly Sample[], name: string): Sample[] {
  return samples.filter((sample) => sample.name === name);
}

function certificatesIn(samples: readonly Sample[]): RunningGateway['certificates'] {
  const key = ({ name, serial }: Sample['labels']) => `${serial} ${name}`;
  const seen = new Map(
    of(samples, 'ehi_client_certificate_last_seen_timestamp_seconds').map(({ labels, value }) => [
      key(labels),
      value * 1000,
    ]),
  );
  return of(samples, 'ehi_certificate_not_after_timestamp_seconds').map(({ labels, value }) => ({
    ...{
      role: labels.role ?? '',
      subject: labels.name ?? '',
      serial: labels.serial ?? '',
      notAfter: value * 1000,
    },
    lastSeen: labels.role === 'client' ? (seen.get(key(labels)) ?? null) : null,
  }));
}

function connectionsIn(text: string, url: string): Map<string, number> {
  try {
    const { endpoints } = JSON.parse(text) as {
      readonly endpoints: readonly { url: string; connections: { idle: number; in_use: number } }[];
    };
    return new Map(endpoints.map((each) => [each.url, each.connections.idle + each.connections.in_use]));
  } catch (cause) {
    throw new UnreachableError(`${printable(url)}: /upstreams is not what ehi-gateway answers`, cause);
  }
}

function get(url: URL): Promise<string> {
  return new Promise((resolve, reject) => {
    const fail = (why: string, cause?: unknown) =>
      reject(new UnreachableError(`${url.href}: ${printable(why)}`, cause));
    const outgoing = request(url, { agent: false, signal: AbortSignal.timeout(timeoutMs) }, (response) => {
      if (response.statusCode !== 200) {
        response.destroy();
        return fail(`answered with status ${response.statusCode}`);
      }
      let body = '';
      response.setEncoding('utf8').on('data', (text: string) => {
        body += text;
        if (body.length > maxBody) outgoing.destroy(new Error('the answer is too long'));
      });
      response.on('error', (cause) => fail(reasonOf(cause), cause));
      response.on('end', () => resolve(body));
    });
    outgoing.on('error', (cause) => fail(reasonOf(cause), cause)).end();
  });
}

function reasonOf(cause: Error & { code?: string }): string {
  if (cause.name === 'AbortError' || cause.name === 'TimeoutError') return `no answer within ${timeoutMs} ms`;
  // The error of a host name with several addresses has an empty message.
  return cause.message === '' ? (cause.code ?? cause.name) : cause.message;
}
