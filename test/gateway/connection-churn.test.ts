/** Connections that come and go in every way, many at once: each has its record, and nothing of them is left. */
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { connect as connectTcp } from 'node:net';
import { expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { statusOf } from '../support/http/http.ts';
import { post } from '../support/process/client.ts';
import type { AuditRecord } from '../support/process/gateway.ts';
import { metricsWhen } from '../support/process/metrics.ts';
import { expectOneRecordEach } from '../support/process/records.ts';
import { openStage, type Stage } from '../support/process/stage.ts';

const rounds = 40;
const atOnce = 10;

interface Visit {
  /** What the audit says of the connection, and of its messages. */
  readonly verdict: string;
  readonly outcomes: readonly string[];
  come(stage: Stage): Promise<void>;
}

/** Each in its own words. */
const visits: Readonly<Record<string, Visit>> = {
  'one message, and the client says that it is the last': {
    verdict: 'allow',
    outcomes: ['answered'],
    async come(stage) {
      await using client = await stage.connect();
      const answer = await client.exchange(post({ target: '/last', fields: ['Connection: close'] }));
      expect(statusOf(answer)).toBe(200);
      expect(await client.rest()).toHaveLength(0);
    },
  },
  'three messages, and the client closes its half': {
    verdict: 'allow',
    outcomes: ['answered', 'answered', 'answered'],
    async come(stage) {
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
    async come(stage) {
      const transport = connectTcp({ port: stage.gateway.port, host: '127.0.0.1' });
      await using client = await stage.connect({ socket: transport });
      expect(statusOf(await client.exchange(post({ target: '/reset' })))).toBe(200);
      transport.resetAndDestroy();
    },
  },
  'a reset in the middle of a head': {
    verdict: 'allow',
    outcomes: [],
    async come(stage) {
      const transport = connectTcp({ port: stage.gateway.port, host: '127.0.0.1' });
      await using client = await stage.connect({ socket: transport });
      await new Promise((written) => client.socket.write('POST / HTTP/1.1\r\nHost', written));
      transport.resetAndDestroy();
    },
  },
  'no message at all': {
    verdict: 'allow',
    outcomes: [],
    async come(stage) {
      await using client = await stage.connect();
      expect(await client.halfClose().rest()).toHaveLength(0);
    },
  },
  'no certificate': {
    verdict: 'deny',
    outcomes: ['denied'],
    async come(stage) {
      await using client = await stage.connect({ leaf: undefined });
      expect(statusOf(await client.exchange(post({ target: '/nobody' })))).toBe(400);
      expect(await client.rest()).toHaveLength(0);
    },
  },
  'no TLS, and a reset': {
    verdict: 'failed',
    outcomes: [],
    async come(stage) {
      const socket = connectTcp({ port: stage.gateway.port, host: '127.0.0.1' }).on('error', () => {});
      await once(socket, 'connect');
      socket.resetAndDestroy();
    },
  },
};

const openFiles = async ({ gateway }: Stage) => (await readdir(`/proc/${gateway.pid}/fd`)).length;

it.runIf(process.platform === 'linux')('leaves nothing behind but records', async () => {
  await using stage = await openStage({ named: true });
  for (const { come } of Object.values(visits)) await come(stage);
  await metricsWhen(stage.gateway, (samples) => samples.get('ehi_connections') === 0);
  const before = await openFiles(stage);

  const kinds = Object.values(visits);
  let next = 0;
  const queue = Array.from({ length: rounds }, () => kinds).flat();
  const come = async () => {
    for (let visit = queue[next++]; visit !== undefined; visit = queue[next++]) await visit.come(stage);
  };
  await Promise.all(Array.from({ length: atOnce }, come));
  const samples = await metricsWhen(stage.gateway, (each) => each.get('ehi_connections') === 0);
  expect(samples.get('ehi_in_flight')).toBe(0);
  // Connections to the host outlive their clients, and are as many as messages at the same time.
  expect(stage.host.connectionCount).toBeLessThanOrEqual(2 * atOnce);
  await eventually(
    () => openFiles(stage),
    (count) => count <= before + atOnce,
  );

  await expectOneRecordEach(stage.gateway, (rounds + 1) * kinds.length);
  const records = stage.gateway.records();
  const count = (fits: (record: AuditRecord) => boolean) => records.filter(fits).length;
  const expected = (of: (visit: Visit) => number) =>
    (rounds + 1) * kinds.reduce((sum, visit) => sum + of(visit), 0);
  for (const verdict of ['allow', 'deny', 'failed']) {
    const those = count((record) => record.type === 'handshake' && record.verdict === verdict);
    expect(those).toBe(expected((visit) => Number(visit.verdict === verdict)));
  }
  for (const outcome of ['answered', 'denied', 'client_gone', 'failed', 'cut']) {
    const those = count((record) => record.outcome === outcome);
    expect(those).toBe(expected(({ outcomes }) => outcomes.filter((each) => each === outcome).length));
  }
  expect(stage.host.requests).toHaveLength(count(({ outcome }) => outcome === 'answered'));
});
