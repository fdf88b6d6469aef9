/** A client's connection over a stream with a small buffer: the buffers of the kernel would take megabytes. */
import { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { expect, it, vi } from 'vitest';
import type { ClientPermit } from '../../src/identity/authorize.ts';
import { requestFields } from '../../src/message/field-forwarding.ts';
import { parseCertificate } from '../../src/pki/certificate.ts';
import { IdentityFields } from '../../src/relay/compiled-header-sets.ts';
import { Downstream } from '../../src/relay/downstream.ts';
import { HeldBodies } from '../../src/relay/held-bodies.ts';
import type { RelayPolicy } from '../../src/relay/relay-policy.ts';
import { RouteTable } from '../../src/relay/route-table.ts';
import { Pools } from '../../src/upstream/pools.ts';
import { authority } from '../support/pki/authority.ts';
import { endpointAt, recorder, type TestRecorder } from '../support/process/endpoint.ts';
import { deadPort } from '../support/process/listening.ts';
import { answers, snapshotOf } from '../support/process/snapshot.ts';

const pki = authority();

/** One route to an endpoint that refuses connections. */
async function policyOf(records: TestRecorder): Promise<{ relay: RelayPolicy; pools: Pools }> {
  const { limits, timeouts } = snapshotOf(pki);
  const policy = { ...answers, path: '/', endpoints: [endpointAt(await deadPort())] };
  const pools = new Pools(records);
  const [upstream] = pools.update({ routes: [policy], timeouts });
  const meter = records.meter.route('/');
  const routes = new RouteTable([{ policy, upstream: upstream as never, guards: null, meter }]);
  const identityFields = new IdentityFields({ sets: [], chain: false, by: [] });
  return { relay: { routes, identityFields, requestFields, limits, timeouts, tracer: null }, pools };
}

/** A client that sends 10,000 requests and reads no response. */
function unreadingClient(): Duplex {
  const request = Buffer.from('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  const block = Buffer.concat(Array.from({ length: 2_000 }, () => request));
  let blocks = 0;
  return new Duplex({
    writableHighWaterMark: 16 * 1024,
    read() {
      if (blocks++ < 5) setImmediate(() => this.push(block));
    },
    write() {
      // Never calls back: the bytes stay in the buffer.
    },
  });
}

it('closes instead of queueing errors for a client that sends requests and does not read the responses', async () => {
  const records = recorder();
  const { relay, pools } = await policyOf(records);
  const leaf = parseCertificate(pki.issueClient().der);
  const permit = { leaf, path: [leaf] } as unknown as ClientPermit;
  const client = unreadingClient();
  let answered = 0;
  new Downstream({
    socket: client as TLSSocket,
    transport: client as never,
    caller: { connId: 'c', permit, address: '192.0.2.1', port: 1 },
    account: { leaf: '', inFlight: 0, connections: 1 },
    held: new HeldBodies(),
    policy: () => relay,
    permitted: () => true,
    overloaded: () => false,
    auditUnavailable: () => false,
    recorder: { ...records, audit: () => void answered++ },
  });
  await vi.waitUntil(() => client.writableEnded);
  expect(answered).toBeLessThan(200);
  pools.close();
});
