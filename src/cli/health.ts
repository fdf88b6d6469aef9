/** `ehi-gateway health`: checks a running gateway through its admin port, for images without shell and curl. */

import { request } from 'node:http';
import { readAdmin } from '../config/admin-section.ts';
import { ConfigError, describeProblem, exitCodes } from '../errors.ts';
import { printable } from '../foreign-text.ts';

export interface HealthOptions {
  /** A configuration file, from which the admin port is read; ignored if `url` is given. */
  readonly config?: string;
  /** The URL of the admin port, without a path. */
  readonly url?: string;
  /** Check readiness (`/readyz`) instead of liveness (`/healthz`). */
  readonly ready: boolean;
}

const timeoutMs = 2_000;
/** The pages of the gateway are much shorter. Another server may send more. */
const maxBody = 4_096;

/** Prints one line, on stdout with exit code 0, on stderr with 1; 64 if no usable URL is given. */
export async function health({ config, url, ready }: HealthOptions): Promise<number> {
  try {
    const origin = url ?? (config === undefined ? undefined : await originOf(config));
    if (origin === undefined || !isOrigin(origin)) {
      process.stderr.write('health needs --config FILE, or --url http://HOST:PORT without a path\n');
      return exitCodes.usage;
    }
    const { status, body } = await ask(new URL(ready ? '/readyz' : '/healthz', origin));
    const isHealthy = status === 200;
    process[isHealthy ? 'stdout' : 'stderr'].write(`${status} ${printable(firstLine(body))}\n`);
    return isHealthy ? exitCodes.drained : exitCodes.unhealthy;
  } catch (error) {
    process.stderr.write(`${printable(firstLine(describe(error)))}\n`);
    return exitCodes.unhealthy;
  }
}

/** A gateway that listens on every address is reached on the loopback address. */
async function originOf(config: string): Promise<string> {
  const { address, port } = await readAdmin(config);
  const host = { '0.0.0.0': '127.0.0.1', '::': '::1' }[address] ?? address;
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

function isOrigin(text: string): boolean {
  const url = URL.parse(text);
  return url !== null && url.protocol === 'http:' && `${url.origin}/` === url.href;
}

function ask(url: URL): Promise<{ readonly status: number; readonly body: string }> {
  return new Promise((resolve, reject) => {
    // The signal limits the total time; an idle timeout would not end a server that sends a byte now and then.
    const outgoing = request(url, { agent: false, signal: AbortSignal.timeout(timeoutMs) }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (text: string) => {
        body += text;
        if (body.length > maxBody)
          outgoing.destroy(new Error('the server is not ehi-gateway: its response is too long'));
      });
      response.on('error', reject);
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
    });
    outgoing.on('error', reject).end();
  });
}

function describe(error: unknown): string {
  if (error instanceof ConfigError) return error.problems.map(describeProblem).join('; ');
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'AbortError' || error.name === 'TimeoutError')
    return `no response within ${timeoutMs} ms`;
  // The error of a host name with several addresses has an empty message.
  return error.message === '' ? ((error as NodeJS.ErrnoException).code ?? error.name) : error.message;
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? '';
}
