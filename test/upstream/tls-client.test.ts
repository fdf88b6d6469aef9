/** The effect of new TLS material on the connections of an endpoint. */
import { createServer, type Server, type TLSSocket } from 'node:tls';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { UpstreamTls } from '../../src/policy/snapshot.ts';
import type { UpstreamLoss } from '../../src/upstream/connect-failure.ts';
import type { UpstreamConnection } from '../../src/upstream/connection.ts';
import { Pools } from '../../src/upstream/pools.ts';
import type { Upstream } from '../../src/upstream/route-endpoints.ts';
import { authority } from '../support/pki/authority.ts';
import { endpointAt, recorder } from '../support/process/endpoint.ts';
import { type Listening, listenOnLoopback } from '../support/process/listening.ts';
import { answers } from '../support/process/snapshot.ts';
import { silentUser } from '../support/process/upstream-user.ts';

const [old, renewed] = [authority({ name: 'Old' }), authority({ name: 'Renewed' })];
const keyed = ({ chainPem, keyPem }: { chainPem: string; keyPem: string }) => ({
  cert: chainPem,
  key: keyPem,
});

let server: Server;
let listening: Listening;
let pools: Pools;
/** For each accepted connection: the subject of the client's certificate, and whether the session was resumed. */
let seen: { client: string | undefined; resumed: boolean }[];

beforeEach(async () => {
  seen = [];
  const ca = [old.anchorPem, renewed.anchorPem];
  const options = { ...keyed(old.issueServer()), ca, requestCert: true, rejectUnauthorized: false };
  server = createServer(options, (socket: TLSSocket) => {
    seen.push({ client: socket.getPeerX509Certificate()?.subject, resumed: socket.isSessionReused() });
    socket.on('data', () => socket.write('!'));
  });
  listening = await listenOnLoopback(server);
  pools = new Pools(recorder());
});

afterEach(async () => {
  pools.close();
  await listening.close();
});

function update(tls: Partial<UpstreamTls>): Upstream {
  const material = { ca: [old.root.pem], certificate: null, serverName: null, pins: null, ...tls };
  const endpoints = [endpointAt(listening.port, { tls: material })];
  const routes = [{ ...answers, path: '/', endpoints }];
  const timeouts = { connect: 10_000, connectFirst: 50 } as Parameters<Pools['update']>[0]['timeouts'];
  return pools.update({ routes, timeouts })[0] as Upstream;
}

/** A connection on which the host has answered, after it has sent its session tickets; or why there is none. */
function dial(upstream: Upstream): Promise<UpstreamConnection | UpstreamLoss> {
  return new Promise((resolve) => {
    let connection: UpstreamConnection;
    upstream.connect({
      proxyHeader: Buffer.alloc(0),
      onUpstreamConnect: (made) => {
        connection = made;
        connection.write(Buffer.from('?'));
      },
      onUpstreamBytes: () => resolve(connection),
      onUpstreamLost: resolve,
      onUpstreamEnd: () => {},
      onUpstreamDrain: () => {},
    });
  });
}

it('verifies new connections with the new CA, and closes idle ones', async () => {
  const before = update({});
  const connection = (await dial(before)) as UpstreamConnection;
  connection.pool.release(connection, -1);
  server.setSecureContext({ ...keyed(renewed.issueServer()) });
  // The host has a certificate of the new CA already; a session of the old one does not replace its verification.
  const after = update({ ca: [renewed.root.pem] });
  expect(connection.ended).toBe(true);
  expect(after.take(silentUser(), performance.now())).toBe(null);
  expect(await dial(after)).toMatchObject({ ended: false });
  expect(await dial(update({ ca: [old.root.pem] }))).toBe('upstream_tls');
});

it('presents the new certificate at once, and does not resume a session of the old one', async () => {
  const certificate = (client = old.issueClient()) => ({ chain: client.chainPem, key: client.keyPem });
  const first = certificate();
  await dial(update({ certificate: first }));
  await dial(update({ certificate: { ...first } }));
  await dial(update({ certificate: certificate(renewed.issueClient()) }));
  expect(seen.map(({ resumed }) => resumed)).toEqual([false, true, false]);
  expect(seen.map(({ client }) => client?.includes('CN=Renewed client'))).toEqual([false, false, true]);
});
