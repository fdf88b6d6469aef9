/** Connections that open and end in every way, many at the same time: each is recorded, and its resources are released. */
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { connect as connectTcp } from 'node:net';
import { expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { statusOf } from '../support/http/http.ts';
import { post } from '../support/process/client.ts';
import type { AuditRecord } from '../support/process/gateway.ts';
import { openHost } from '../support/process/host.ts';
import { metricsWhen } from '../support/process/metrics.ts';
import { expectOneRecordEach } from '../support/process/records.ts';
import { openStage, type Stage } from '../support/process/stage.ts';

const rounds = 40;
const atOnce = 10;

interface Scenario {
  /** The expected records of the connection and of its messages. */
  readonly verdict: string;
  readonly outcomes: readonly string[];
  run(stage: Stage): Promise<void>;
}

/** By a description of how the connection ends. */
const scenarios: Readonly<Record<string, Scenario>> = {
  'one message, and the client says that it is the last': {
    verdict: 'allow',
    outcomes: ['answered'],
    async run(stage) {
      await using client = await stage.connect();
      const answer = await client.exchange(post({ target: '/last', fields: ['Connection: close'] }));
      expect(statusOf(answer)).toBe(200);
      expect(await client.rest()).toHaveLength(0);
    },
  },
  'three messages, and the client closes its half': {
    verdict: 'allow',
    outcomes: ['answered', 'answered', 'answered'],
    async run(stage) {
      await using client = await stage.connect();
      for (let count = 0; count < 3; count++) {
        expect(statusOf(await client.exchange(post({ target: '/three' })))).toBe(200);
      }
      expect(await client.halfClose().rest()).toHaveLength(0);
    },
  },
  'one message, and a reset after its answer': {
    verdict: 'allow',
    outcomes: ['answered'],
    async run(stage) {
      const transport = connectTcp({ port: stage.gateway.port, host: '127.0.0.1' });
      await using client = await stage.connect({ socket: transport });
      expect(statusOf(await client.exchange(post({ target: '/reset' })))).toBe(200);
      transport.resetAndDestroy();
    },
  },
  'a reset in the middle of a head': {
    verdict: 'allow',
    outcomes: [],
    async run(stage) {
      const transport = connectTcp({ port: stage.gateway.port, host: '127.0.0.1' });
      await using client = await stage.connect({ socket: transport });
      await new Promise((written) => client.socket.write('POST / HTTP/1.1\r\nHost', written));
      transport.resetAndDestroy();
    },
  },
  'no message at all': {
    verdict: 'allow',
    outcomes: [],
    async run(stage) {
      await using client = await stage.connect();
      expect(await client.halfClose().rest()).toHaveLength(0);
    },
  },
  'no certificate': {
    verdict: 'deny',
    outcomes: ['denied'],
    async run(stage) {
      await using client = await stage.connect({ leaf: undefined });
      expect(statusOf(await client.exchange(post({ target: '/denied' })))).toBe(400);
      expect(await client.rest()).toHaveLength(0);
    },
  },
  'no TLS, and a reset': {
    verdict: 'failed',
    outcomes: [],
    async run(stage) {
      const socket = connectTcp({ port: stage.gateway.port, host: '127.0.0.1' }).on('error', () => {});
      await once(socket, 'connect');
      socket.resetAndDestroy();
    },
  },
};

const openFiles = async ({ gateway }: Stage) => (await readdir(`/proc/${gateway.pid}/fd`)).length;

it.runIf(process.platform === 'linux')('records each connection and releases its resources', async () => {
  await using host = await openHost();
  // Connections to the host that are idle must close, too, before descriptors are counted.
  const upstream = { url: host.url, pool: { idleTimeout: '4s' } };
  await using stage = await openStage({ named: true, routes: [{ path: '/', upstream }] });
  for (const { run } of Object.values(scenarios)) await run(stage);
  await metricsWhen(stage.gateway, (samples) => samples.get('ehi_connections') === 0);
  const before = await openFiles(stage);

  const kinds = Object.values(scenarios);
  let next = 0;
  const queue = Array.from({ length: rounds }, () => kinds).flat();
  const runQueued = async () => {
    for (let each = queue[next++]; each !== undefined; each = queue[next++]) await each.run(stage);
  };
  await Promise.all(Array.from({ length: atOnce }, runQueued));
  const samples = await metricsWhen(stage.gateway, (each) => each.get('ehi_connections') === 0);
  expect(samples.get('ehi_in_flight')).toBe(0);
  // Connections to the host outlive their clients; there are as many as there were concurrent messages.
  expect(host.connectionCount).toBeLessThanOrEqual(2 * atOnce);
  await eventually(
    () => openFiles(stage),
    (count) => count <= before + atOnce,
  );

  await expectOneRecordEach(stage.gateway, (rounds + 1) * kinds.length);
  const records = stage.gateway.records();
  const count = (fits: (record: AuditRecord) => boolean) => records.filter(fits).length;
  const expected = (of: (scenario: Scenario) => number) =>
    (rounds + 1) * kinds.reduce((sum, scenario) => sum + of(scenario), 0);
  for (const verdict of ['allow', 'deny', 'failed']) {
    const those = count((record) => record.type === 'handshake' && record.verdict === verdict);
    expect(those).toBe(expected((scenario) => Number(scenario.verdict === verdict)));
  }
  for (const outcome of ['answered', 'denied', 'client_gone', 'failed', 'cut']) {
    const those = count((record) => record.outcome === outcome);
    expect(those).toBe(expected(({ outcomes }) => outcomes.filter((each) => each === outcome).length));
  }
  expect(host.requests).toHaveLength(count(({ outcome }) => outcome === 'answered'));
});
