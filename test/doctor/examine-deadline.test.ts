/** The limit of a whole examination: an endpoint that answers no more ends it in time, and is not judged for what was cut off. */
import { connect, createServer, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fileAnchors } from '../../src/doctor/anchors.ts';
import { examine } from '../../src/doctor/examine.ts';
import { harmlessMessage } from '../../src/doctor/message.ts';
import type { Report } from '../../src/doctor/report.ts';
import { readTarget } from '../../src/doctor/target.ts';
import { parseCertificate } from '../../src/pki/certificate.ts';
import { authority } from '../support/pki/authority.ts';
import { openEndpoint } from '../support/process/faulty-endpoint.ts';
import { type Listening, listenOnLoopback } from '../support/process/listening.ts';

const pki = authority();
const client = pki.issueClient();
/** Longer than a test may take: only the limit of the whole ends a wait. */
const timeoutMs = 600_000;

let good: Awaited<ReturnType<typeof openEndpoint>>;
beforeAll(async () => {
  good = await openEndpoint({ pki });
});
afterAll(() => good[Symbol.asyncDispose]());

/** Passes the first connections on to an endpoint without a fault, and keeps the others open without an answer. */
function silentAfter(connections: number): Promise<Listening> {
  let count = 0;
  return listenOnLoopback(
    createServer((socket: Socket) => {
      socket.on('error', () => {});
      if (++count > connections) return;
      const onward = connect({ port: good.port, host: '127.0.0.1' });
      onward.on('error', () => {});
      socket.pipe(onward).pipe(socket);
    }),
  );
}

function examineAt(port: number, maxTimeMs: number): Promise<Report> {
  return examine({
    target: readTarget(`https://127.0.0.1:${port}/`),
    anchors: fileAnchors([parseCertificate(pki.root.der)]),
    identity: { cert: client.chainPem, key: client.keyPem },
    body: harmlessMessage(),
    ...{
      token: null,
      signature: null,
      other: null,
      expected: null,
      tolerated: [],
      count: 5,
      version: '0.0.0',
      now: Date.now(),
    },
    ...{ budgetMs: 60_000, timeoutMs, maxTimeMs, onStep: () => {} },
  });
}

const outcomes = ({ checks }: Report, outcome: string) => checks.filter((each) => each.outcome === outcome);

describe.concurrent('the limit of an examination', () => {
  it('ends one whose endpoint answers no ClientHello', async () => {
    await using server = await silentAfter(1);
    const report = await examineAt(server.port, 1000);
    expect(outcomes(report, 'fail').map(({ id }) => id)).toEqual(['tls']);
  });

  it.each([2, 4, 12, 25, 34, 36, 38, 41, 44])(
    'ends one whose endpoint answers %i connections, and fails it for nothing that was not measured',
    async (connections) => {
      await using server = await silentAfter(connections);
      const report = await examineAt(server.port, 3000);
      expect([...outcomes(report, 'fail'), ...outcomes(report, 'warn')].map(({ fact }) => fact)).toEqual(
        outcomes(report, 'warn').map(() =>
          expect.stringContaining('the time for the whole examination was over'),
        ),
      );
      expect(outcomes(report, 'unknown').concat(outcomes(report, 'warn')).length).toBeGreaterThan(0);
    },
  );
});
