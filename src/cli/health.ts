/** `ehi-gateway health`: asks a running gateway how it is, for images that have neither shell nor curl. */
import { request } from 'node:http';
import { readAdmin } from '../config/admin.ts';
import { ConfigError, describeProblem, exitCodes } from '../errors.ts';

export interface HealthOptions {
  /** Its admin port is asked; ignored where there is a `url`. */
  readonly config?: string;
  /** Of the admin port, without a path. */
  readonly url?: string;
  /** Whether it takes messages, not only whether it lives. */
  readonly ready: boolean;
}

const timeoutMs = 2_000;
/** The pages are shorter by far: whatever answers more is no gateway. */
const longestBody = 4_096;

/** Prints one line, on stdout with 0, on stderr with 1; 64 where it is not told whom to ask. */
export async function health({ config, url, ready }: HealthOptions): Promise<number> {
  try {
    const origin = url ?? (config === undefined ? undefined : await originOf(config));
    if (origin === undefined || !isOrigin(origin)) {
      process.stderr.write('health takes --config FILE, or --url http://HOST:PORT without a path\n');
      return exitCodes.usage;
    }
    const { status, body } = await ask(new URL(ready ? '/readyz' : '/healthz', origin));
    const well = status === 200;
    process[well ? 'stdout' : 'stderr'].write(`${status} ${firstLine(body)}\n`);
    return well ? exitCodes.drained : exitCodes.unwell;
  } catch (error) {
    process.stderr.write(`${firstLine(describe(error))}\n`);
    return exitCodes.unwell;
  }
}

/** Who listens on every address listens on the loopback one too. */
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
    // The signal bounds all of it: a server that sends a byte now and then would never be silent.
    const asked = request(url, { agent: false, signal: AbortSignal.timeout(timeoutMs) }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (text: string) => {
        body += text;
        if (body.length > longestBody) asked.destroy(new Error('answers like no gateway'));
      });
      response.on('error', reject);
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
    });
    asked.on('error', reject).end();
  });
}

function describe(error: unknown): string {
  if (error instanceof ConfigError) return error.problems.map(describeProblem).join('; ');
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'AbortError' || error.name === 'TimeoutError') return `no answer within ${timeoutMs} ms`;
  // A name with several addresses fails without a message of its own.
  return error.message === '' ? ((error as NodeJS.ErrnoException).code ?? error.name) : error.message;
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? '';
}
