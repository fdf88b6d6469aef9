/** A CRL of a million entries that arrives under traffic: how long it takes, its memory, and the delay of messages. */
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { authority } from '../../test/support/pki/authority.ts';
import { openStage } from '../../test/support/process/stage.ts';
import { manyRevoked } from '../../test/support/revocation/crl.ts';
import { residentMemory } from './memory.ts';
import { quantileOf, talk } from './talk.ts';

const entries = 1_000_000;

export async function soakLargeCrl(): Promise<boolean> {
  const pki = authority();
  const server = new Worker(new URL('./file-server.ts', import.meta.url));
  const [port] = await once(server, 'message');
  server.postMessage(pki.crl().der);
  const revocation = { crl: [`http://127.0.0.1:${port}/ca.crl`], scope: 'leaf', refresh: '1s' };
  const config = {
    audit: { destination: 'audit.log' },
    trust: { anchors: [{ name: 'example', files: ['anchor.pem'], revocation }], cacheDir: 'trust' },
  };
  await using stage = await openStage({ authority: pki, config });
  const { gateway } = stage;
  const connect = () => stage.connect();
  const undisturbed = await during(10_000, (signal) => talk({ connect, rate: 500, connections: 16, signal }));
  const before = residentMemory(gateway.pid);

  const revoked = manyRevoked(entries, { width: 16, at: Date.now() }).der;
  const { der } = pki.crl({ number: 2, revoked });
  const stop = new AbortController();
  const talking = talk({ connect, rate: 500, connections: 16, signal: stop.signal });
  const health = watchHealth(gateway.ready.admin, stop.signal);
  const at = () =>
    gateway.metrics().then((text) => Number(/^ehi_revocation_entries\{.*\} (\d+)$/m.exec(text)?.[1] ?? 0));
  server.postMessage(der);
  const began = performance.now();
  while ((await at()) < entries) {
    if (performance.now() - began > 60_000) throw new Error(`not in use after a minute:\n${gateway.stderr}`);
    await sleep(20);
  }
  const seconds = (performance.now() - began) / 1000;
  const { peak } = residentMemory(gateway.pid);
  // Until all memory that was needed only for the parsing is returned.
  await sleep(10_000);
  stop.abort();
  const disturbed = await talking;
  const { now } = residentMemory(gateway.pid);

  const p99 = [undisturbed, disturbed].map(({ times }) => quantileOf(times, 0.99));
  const slowest = Math.max(...(await health));
  console.log(
    `${entries} entries, ${(der.length / 2 ** 20).toFixed(1)} MiB of DER, in use after ${seconds.toFixed(2)} s`,
  );
  console.log(
    `resident memory, MiB: ${before.now.toFixed(0)} before, ${peak.toFixed(0)} at the peak, ${now.toFixed(0)} at rest`,
  );
  console.log(`messages: p99 ${p99.map((each) => each?.toFixed(2)).join(' ms undisturbed, ')} ms meanwhile`);
  console.log(`/healthz: slowest answer ${slowest.toFixed(1)} ms`);
  await server.terminate();
  const failed = [undisturbed, disturbed].flatMap(({ failures }) => failures);
  console.log(`failed messages: ${failed.length}`);
  return failed.length === 0;
}

async function during<T>(milliseconds: number, run: (signal: AbortSignal) => Promise<T>): Promise<T> {
  return run(AbortSignal.timeout(milliseconds));
}

async function watchHealth(
  { address, port }: { readonly address: string; readonly port: number },
  signal: AbortSignal,
): Promise<number[]> {
  const times: number[] = [];
  while (!signal.aborted) {
    const began = performance.now();
    await fetch(`http://${address}:${port}/healthz`, { signal }).then(
      (answer) => answer.arrayBuffer(),
      () => null,
    );
    times.push(performance.now() - began);
    await sleep(20);
  }
  return times;
}
