/** Repeated reloads under load: no message may fail, and memory must not grow. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openStage } from '../../test/support/process/stage.ts';
import { residentMemory } from './memory.ts';
import { quantileOf, talk } from './talk.ts';

const reloads = 200;
const span = 60_000;

export async function soakReloads(): Promise<boolean> {
  await using stage = await openStage({ config: { audit: { destination: 'audit.log' } } });
  const { gateway, authority } = stage;
  const certificates = [authority.issueServer(), authority.issueServer()];
  const stop = new AbortController();
  const { signal } = stop;
  const connect = () => stage.connect();
  const talks = [
    talk({ connect, rate: 900, connections: 32, signal }),
    talk({ connect, rate: 50, connections: 0, signal }),
  ];
  await sleep(3000);
  const memory: number[] = [];
  const began = performance.now();
  for (let index = 0; index < reloads; index++) {
    const { chainPem, keyPem } = certificates[index % 2] as (typeof certificates)[number];
    await gateway.write('server.key', keyPem);
    await gateway.write('server.pem', chainPem);
    const allowlist = index % 3 === 0 ? ['127.0.0.1'] : ['127.0.0.0/8'];
    await stage.configure({ clients: { allowlist, anyCertificateOfAnchor: true } });
    gateway.signal('SIGHUP');
    await sleep(began + ((index + 1) * span) / reloads - performance.now());
    if (index % 20 === 19) memory.push(Math.round(residentMemory(gateway.pid).now));
  }
  stop.abort();
  const results = await Promise.all(talks);
  const audit = await readFile(join(gateway.folder, 'audit.log'), 'utf8');
  const count = (event: string) =>
    audit.split(`"type":"config"`).filter((part) => part.includes(`"event":"${event}"`)).length;
  for (const [index, { times, failures }] of results.entries()) {
    const p = (part: number) => quantileOf(times, part).toFixed(1);
    const kind = index === 0 ? 'kept connections' : 'one connection each';
    console.log(
      `${kind}: ${times.length} answered, p50 ${p(0.5)} ms, p99 ${p(0.99)} ms, failed ${failures.length}`,
    );
    for (const failure of new Set(failures)) console.log(`  ${failure}`);
  }
  console.log(`resident memory, MiB, every 20 reloads: ${memory.join(' ')}`);
  console.log(`reloads: ${count('reloaded')} taken, ${count('refused')} refused`);
  return results.every(({ failures }) => failures.length === 0);
}
