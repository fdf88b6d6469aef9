/** A client's connection over a stream that takes no more than it says, where the kernel's buffers would take megabytes. */
import { createServer } from 'node:net';
import { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { expect, it, vi } from 'vitest';
import type { ClientPermit } from '../../src/identity/authorize.ts';
import { requestFields } from '../../src/message/fields.ts';
import { parseCertificate } from '../../src/pki/certificate.ts';
import { Downstream } from '../../src/relay/downstream.ts';
import { IdentityFields } from '../../src/relay/identity-fields.ts';
import { RouteTable } from '../../src/relay/route.ts';
import { Pools } from '../../src/upstream/pools.ts';
import { authority } from '../support/pki/authority.ts';
import { endpointAt, recorder } from '../support/process/endpoint.ts';
import { listenOnLoopback } from '../support/process/listening.ts';
import { answers, snapshotOf } from '../support/process/snapshot.ts';

it('lets no errors pile up for a client that asks on and does not read them', async () => {
  const unused = await listenOnLoopback(createServer());
  await unused.close();
  const told = recorder();
  const pki = authority();
  const leaf = parseCertificate(pki.issueClient().der);
  const permit = { leaf, path: [leaf] } as unknown as ClientPermit;
  const { limits, timeouts } = snapshotOf(pki);
  const policy = { ...answers, path: '/', endpoints: [endpointAt(unused.port)] };
  const pools = new Pools(told);
  const [upstream] = pools.update({ routes: [policy], timeouts });
  const routes = new RouteTable([{ policy, upstream: upstream as never, meter: told.meter.route('/') }]);
  const relay = {
    routes,
    identityFields: new IdentityFields({ sets: [], chain: false, by: [] }),
    requestFields,
    limits,
    timeouts,
    tracer: null,
  };
  const request = Buffer.from('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  const block = Buffer.concat(Array.from({ length: 2_000 }, () => request));
  let asked = 0;
  const client = new Duplex({
    writableHighWaterMark: 16 * 1024,
    read() {
      if (asked++ < 5) setImmediate(() => this.push(block));
    },
    write() {
      // Nobody reads.
    },
  });
  let answered = 0;
  new Downstream({
    socket: client as TLSSocket,
    transport: client as never,
    caller: { connId: 'c', permit, address: '192.0.2.1', port: 1 },
    account: { leaf: '', inFlight: 0, connections: 1 },
    policy: () => relay,
    permitted: () => true,
    overloaded: () => false,
    auditUnavailable: () => false,
    recorder: { ...told, audit: () => void answered++ },
  });
  await vi.waitUntil(() => client.writableEnded);
  expect(answered).toBeLessThan(200);
  pools.close();
});
