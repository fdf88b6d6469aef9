/**
 * Reads a server's flight of TLS 1.3 with `openssl s_client -msg`, which prints each handshake message in hex: for servers
 * that agree on no group or suite of ours.
 */
import { spawn } from 'node:child_process';
import { isIPv6 } from 'node:net';
import { waitFor } from './deadline.ts';
import type { Endpoint } from './endpoint.ts';
import { messageTypes } from './flight-messages.ts';
import type { CertificateRequest } from './server-flight.ts';
import { readCertificateRequest, readCertificates } from './server-messages.ts';
import { WireCursor, WireError } from './wire.ts';

/** Bytes of hex text; a flight of our own reader may have 1 MiB. */
const MAX_OUTPUT = 4 * 1024 * 1024;

export type SClientFacts =
  | {
      readonly kind: 'sent';
      readonly certificates: readonly Buffer[];
      readonly certificateRequest: CertificateRequest | null;
    }
  /** `reason`: a clause for a report. */
  | { readonly kind: 'not-possible'; readonly reason: string };

/** `openssl`: the program. It gets no input, no key, and the environment of this process. */
export async function readWithSClient(endpoint: Endpoint, openssl: string): Promise<SClientFacts> {
  const output = await runSClient(endpoint, openssl);
  return output.kind === 'output' ? parseMessages(output.text) : output;
}

type Output =
  | { readonly kind: 'output'; readonly text: string }
  | Extract<SClientFacts, { kind: 'not-possible' }>;

function runSClient(endpoint: Endpoint, openssl: string): Promise<Output> {
  const wait = waitFor(endpoint);
  if (wait.ms === 0) return Promise.resolve(late);
  const child = spawn(openssl, argumentsFor(endpoint), { stdio: ['ignore', 'pipe', 'ignore'] });
  const chunks: Buffer[] = [];
  let length = 0;
  return new Promise((done) => {
    const finish = (output: Output) => {
      clearTimeout(timer);
      child.kill('SIGKILL');
      done(output);
    };
    const timer = setTimeout(() => finish(late), wait.ms);
    child.on('error', (error: NodeJS.ErrnoException) => {
      const reason = error.code === 'ENOENT' ? 'openssl is not installed' : 'openssl cannot be run';
      finish({ kind: 'not-possible', reason });
    });
    child.stdout.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      length += chunk.length;
      if (length > MAX_OUTPUT) finish({ kind: 'not-possible', reason: 'openssl s_client wrote too much' });
    });
    child.on('close', () => finish({ kind: 'output', text: Buffer.concat(chunks).toString('latin1') }));
  });
}

const late: Output = { kind: 'not-possible', reason: 'openssl s_client did not end in time' };

function argumentsFor({ host, port, servername }: Endpoint): string[] {
  const at = `${isIPv6(host) ? `[${host}]` : host}:${port}`;
  const name = servername === null ? ['-noservername'] : ['-servername', servername];
  return ['s_client', '-connect', at, ...name, '-tls1_3', '-msg'];
}

/** `<<< TLS 1.3, Handshake [length 00f8], CertificateRequest`; LibreSSL has no comma after the version. */
const heading = /^<<< TLS 1\.3,? Handshake \[length [0-9a-f]{4,6}\], \w+$/;
const hexLine = /^ {4}((?:[0-9a-f]{2} ?)+)$/;

/** Pure: the facts in the output of `s_client -msg`. */
export function parseMessages(output: string): SClientFacts {
  const lines = output.split(/\r?\n/);
  const bodies = new Map<number, Buffer>();
  try {
    for (const [at, line] of lines.entries()) {
      if (!heading.test(line)) continue;
      const { type, body } = readMessage(hexAfter(lines, at));
      bodies.set(type, body);
    }
    const certificate = bodies.get(messageTypes.certificate);
    if (certificate === undefined)
      return { kind: 'not-possible', reason: 'openssl s_client shows no certificate' };
    // A request comes before the certificate (RFC 8446 §4.3.2): without one here there is none.
    const request = bodies.get(messageTypes.certificateRequest);
    return {
      kind: 'sent',
      certificates: readCertificates(certificate, 'TLS 1.3'),
      certificateRequest: request === undefined ? null : readCertificateRequest(request, 'TLS 1.3'),
    };
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    return { kind: 'not-possible', reason: `openssl s_client: ${error.message}` };
  }
}

/** The hex of the lines after `at`. */
function hexAfter(lines: readonly string[], at: number): string {
  const digits: string[] = [];
  for (let next = at + 1; next < lines.length; next++) {
    const [, hex] = hexLine.exec(lines[next] ?? '') ?? [];
    if (hex === undefined) break;
    digits.push(hex);
  }
  return digits.join('').replaceAll(' ', '');
}

function readMessage(hex: string): { type: number; body: Buffer } {
  const cursor = new WireCursor(Buffer.from(hex, 'hex'), 'a handshake message');
  const type = cursor.number(1);
  const body = cursor.vector(3);
  cursor.close();
  return { type, body };
}
