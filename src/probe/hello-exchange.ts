/** One connection to a server: sends a ClientHello, reads the answer, closes. */
import { connect, type Socket } from 'node:net';
import { suitesOf } from './cipher-suites.ts';
import { writeClientHello, writeHelloRecord } from './client-hello.ts';
import { type Wait, waitFor } from './deadline.ts';
import type { Endpoint } from './endpoint.ts';
import { type FlightAnswer, FlightReader } from './flight-reader.ts';
import { type KeyShares, makeKeyShares } from './key-shares.ts';
import { groupsOf } from './named-groups.ts';
import type { FlightFailure, FlightOutcome } from './outcome.ts';
import { readableSuites } from './server-protection.ts';
import { offeredSchemes } from './signature-schemes.ts';
import type { VersionName } from './versions.ts';

export interface HelloOptions extends Endpoint {
  /** The only version that is offered. */
  readonly version: VersionName;
  /** Codes of cipher suites; default: all of the table that this version has and that can be read. */
  readonly suites?: readonly number[];
  /** Codes of groups; default: those of the keys, or all of the table that this version has. */
  readonly groups?: readonly number[];
  /** Codes of signature schemes for the handshake; default: all of the table. Certificates may be signed with any. */
  readonly signatureSchemes?: readonly number[];
  /** Protocols to offer by ALPN, such as `http/1.1`; default: none. */
  readonly alpn?: readonly string[];
  /** Whether a ClientHello of TLS 1.3 has keys; without them the server answers with HelloRetryRequest. */
  readonly withShares: boolean;
  readonly until: 'hello' | 'end';
}

/** Never rejects for what the server does. */
export function exchangeHello(options: HelloOptions): Promise<FlightOutcome> {
  const wait = waitFor(options);
  if (wait.ms === 0) return Promise.resolve(untried);
  const { version, until, servername, alpn = [] } = options;
  const keys: KeyShares | null = version === 'TLS 1.3' && options.withShares ? makeKeyShares() : null;
  const suites = options.suites ?? suitesFor(options);
  const groups =
    options.groups ??
    keys?.shares.map(({ group }) => group) ??
    groupsOf(version).flatMap(({ code }) => code ?? []);
  const shares = keys?.shares.filter(({ group }) => groups.includes(group)) ?? [];
  const signatureSchemes = options.signatureSchemes ?? offeredSchemes;
  const certificateSchemes = options.signatureSchemes === undefined ? [] : offeredSchemes;
  const hello = writeClientHello({
    ...{ version, suites, servername, groups, alpn, shares },
    ...{ signatureSchemes, certificateSchemes },
  });
  const reader = new FlightReader({ version, suites, hello, keys, until });
  return converse({ endpoint: options, wait, bytes: writeHelloRecord(hello, version), reader });
}

/** The deadline is over. */
const untried: FlightOutcome = { kind: 'timeout', phase: 'total', connectMs: null, ms: 0, received: null };

/** A flight of TLS 1.3 can be read with some suites only. */
function suitesFor({ version, withShares }: HelloOptions): number[] {
  const all = suitesOf(version);
  const suites =
    withShares && version === 'TLS 1.3' ? all.filter(({ name }) => readableSuites.includes(name)) : all;
  return suites.map(({ code }) => code);
}

function converse(options: {
  endpoint: Endpoint;
  wait: Wait;
  bytes: Buffer;
  reader: FlightReader;
}): Promise<FlightOutcome> {
  const { endpoint, wait, bytes, reader } = options;
  const began = performance.now();
  let connectMs: number | null = null;
  return new Promise((done) => {
    const socket: Socket = connect({ host: endpoint.host, port: endpoint.port });
    const finish = (answer: FlightAnswer | null) => {
      if (answer === null) return;
      clearTimeout(timer);
      socket.removeAllListeners('data').destroy();
      const timing = { connectMs, ms: performance.now() - began };
      done(
        answer.kind === 'flight'
          ? { ...answer, ...timing }
          : { ...answer, ...timing, received: reader.received },
      );
    };
    const phase = () => (connectMs === null ? 'connect' : 'handshake');
    const timer = setTimeout(
      () => finish({ kind: 'timeout', phase: wait.isCut ? 'total' : phase() }),
      wait.ms,
    );
    socket.once('connect', () => {
      connectMs = performance.now() - began;
      socket.write(bytes);
    });
    socket.on('data', (chunk: Buffer) => finish(reader.add(chunk)));
    socket.once('end', () => finish(reader.end()));
    // Stays attached: an error after the answer must not end the process.
    socket.on('error', (error) => finish(failureOf(error, { isOpen: connectMs !== null, reader })));
  });
}

function failureOf(
  error: NodeJS.ErrnoException,
  { isOpen, reader }: { readonly isOpen: boolean; readonly reader: FlightReader },
): FlightAnswer {
  const code = error.code ?? 'unknown error';
  if (!isOpen) return { kind: 'unreachable', code };
  // What came before a reset may be an answer, such as HTTP.
  const answer = reader.end();
  const reset: FlightFailure = { kind: 'reset', code };
  return answer.kind === 'closed' ? reset : answer;
}
