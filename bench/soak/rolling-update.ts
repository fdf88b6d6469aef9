/** Two gateways behind a load balancer, replaced one after the other under load: no message may fail. */

import { setTimeout as sleep } from 'node:timers/promises';
import { createSecureContext } from 'node:tls';
import { parseCertificate } from '../../src/pki/certificate.ts';
import { temporaryFolder } from '../../test/support/folder.ts';
import { authority } from '../../test/support/pki/authority.ts';
import { connect } from '../../test/support/process/client.ts';
import { type Gateway, startGateway } from '../../test/support/process/gateway.ts';
import { acknowledgement, openHost } from '../../test/support/process/host.ts';
import { startBalancer } from './balancer.ts';
import { idField, type SenderOptions, type Sent, send } from './sender.ts';
import { quantileOf } from './talk.ts';

/** Longer than the balancer needs to notice that a gateway is not ready. */
const drainDelay = '1s';

/** Together 500 messages a second. */
const senders = [
  { name: 'kept connections', rate: 380, connections: 32, keep: true },
  { name: 'one connection each', rate: 50, connections: 32, keep: false },
  // Each is silent for longer than `drainDelay`, so that some are closed idle: such a close may cross with a POST.
  { name: 'rarely used connections', rate: 70, connections: 140, keep: true },
] satisfies Partial<SenderOptions>[];

/** `argument`: how often a gateway is replaced. */
export async function soakRollingUpdate(argument = '20'): Promise<boolean> {
  const pki = authority();
  const [server, leaf] = [pki.issueServer(), pki.issueClient()];
  const reached = new Map<string, number>();
  await using host = await openHost({
    answer: (request) => {
      const id = request.field(idField) ?? '';
      reached.set(id, (reached.get(id) ?? 0) + 1);
      host.requests.length = 0;
      return acknowledgement;
    },
  });
  const start = (ports: { readonly listen: number; readonly admin: number }) =>
    startGateway({
      files: {
        'server.pem': server.chainPem,
        'server.key': server.keyPem,
        'anchor.pem': pki.anchorPem,
        secret: 'a secret of all replicas, of 32 bytes at least',
      },
      config: {
        listen: {
          port: ports.listen,
          certificate: { chain: 'server.pem', key: 'server.key' },
          proxyProtocol: { trusted: ['127.0.0.1/32'] },
          resumption: { secretFile: 'secret' },
        },
        trust: { anchors: [{ name: 'example', files: ['anchor.pem'] }], cacheDir: 'trust' },
        clients: { match: { organizationalUnit: parseCertificate(leaf.der).organizationalUnits[0] } },
        routes: [{ path: '/', upstream: host.url, deadline: '5s' }],
        timeouts: { drainDelay },
        admin: { port: ports.admin },
        audit: { destination: 'audit.log' },
      },
    });
  const gateways: Gateway[] = [];
  await using everything = new AsyncDisposableStack();
  everything.defer(async () => {
    for (const gateway of gateways) await gateway[Symbol.asyncDispose]();
  });
  for (let index = 0; index < 2; index++) gateways.push(await start({ listen: 0, admin: 0 }));
  const portsOf = ({ ready: { listen, admin } }: Gateway) => ({ listen: listen.port, admin: admin.port });
  await using folder = await temporaryFolder();
  await using balancer = await startBalancer({ folder: folder.path, servers: gateways.map(portsOf) });

  const stop = new AbortController();
  // Made once: it costs more than the handshake.
  const ca = pki.root.pem;
  const secureContext = createSecureContext({ ca, cert: leaf.chainPem, key: leaf.keyPem });
  const client = () => connect({ port: balancer.port, ca, secureContext });
  const sending = Promise.all(senders.map((each) => send({ ...each, connect: client, signal: stop.signal })));
  sending.catch(() => stop.abort());
  await sleep(2000);
  const codes: (number | null)[] = [];
  const took: number[] = [];
  for (let count = 0; count < Number(argument) && !stop.signal.aborted; count++) {
    const old = gateways[count % 2] as Gateway;
    const began = performance.now();
    codes.push((await old.stop()).code);
    took.push(performance.now() - began);
    const ports = portsOf(old);
    await old[Symbol.asyncDispose]();
    gateways[count % 2] = await start(ports);
    await balancer.allUp();
    await sleep(500);
  }
  stop.abort();
  const results = await sending;
  console.log(
    `${codes.length} replaced, exit codes ${[...new Set(codes)].join(', ')}; drained in ${summary(took)}`,
  );
  return report(results, reached) && codes.every((code) => code === 0);
}

/** true if no message failed and none reached the host twice. */
function report(results: readonly Sent[], reached: ReadonlyMap<string, number>): boolean {
  for (const [index, { times, answered, crossed, failures }] of results.entries()) {
    const text = `${answered.length} answered, ${summary(times)}, failed ${failures.length}, crossed with a close ${crossed.length}`;
    console.log(`${senders[index]?.name}: ${text}`);
    for (const failure of new Set(failures)) console.log(`  ${failure}`);
  }
  const crossed = results.flatMap((each) => each.crossed);
  const lost = crossed.filter((id) => reached.has(id));
  const twice = [...reached.values()].filter((count) => count > 1);
  const missing = results.flatMap(({ answered }) => answered).filter((id) => !reached.has(id));
  console.log(
    `crossed with a close: ${crossed.length}, of which the host got ${lost.length}; reached the host twice: ${twice.length}`,
  );
  return [lost, twice, missing, ...results.map(({ failures }) => failures)].every(
    ({ length }) => length === 0,
  );
}

function summary(times: readonly number[]): string {
  const [middle, high] = [0.5, 0.99].map((part) => quantileOf(times, part).toFixed(1));
  return `p50 ${middle} ms, p99 ${high} ms`;
}
