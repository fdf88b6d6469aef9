/** What an unknown client, or a faulty authorized one, does to others: their messages and new connections, with and without it. */
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createSecureContext } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { authority } from '../../test/support/pki/authority.ts';
import { connect } from '../../test/support/process/client.ts';
import { openStage } from '../../test/support/process/stage.ts';
import { align, quantile } from '../figures.ts';
import { cores, node, pin, pinSelf, start, stop } from '../processes.ts';
import { openHost } from './crowd.ts';
import type { Flood, FloodCount, FloodOrder } from './flooders.ts';
import { Reasons } from './reasons.ts';
import { nothingSent, type Sent, send } from './sender.ts';

/** Milliseconds. */
const spans = { warmUp: 5_000, undisturbed: 10_000, ramp: 2_000, attacked: 15_000 };
/** The slowest percent of messages may take this many times as long as undisturbed. */
const mostRatio = 3;

/** One scene, without an allowlist. true: others were hardly delayed. */
export function soakFlood(flood: Flood): () => Promise<boolean> {
  return async () => {
    pinSelf(cores.load);
    const pki = authority();
    await using host = await openHost({ theirs: false });
    await using stage = await openStage({
      authority: pki,
      descriptors: 16_384,
      config: {
        clients: {
          match: [{ organizationalUnit: 'Example organisation' }, { organizationalUnit: 'Attacker' }],
        },
        audit: { destination: 'audit.log' },
        // As in the reported attack: one address may have all of them.
        limits: { connections: 2_000 },
        routes: [{ path: '/', upstream: host.url }],
      },
    });
    const { gateway } = stage;
    pin(gateway.pid, cores.gateway);
    const ca = pki.root.pem;
    const secureContext = createSecureContext({ ca, cert: stage.leaf.chainPem, key: stage.leaf.keyPem });
    const stopping = new AbortController();
    const open = () => connect({ port: gateway.port, ca, secureContext });
    const common = { connect: open, signal: stopping.signal };
    const [kept, fresh] = [nothingSent(), nothingSent()];
    const sending = Promise.all([
      send({ ...common, name: 'kept', rate: 300, connections: 16, keep: true, sent: kept }),
      send({ ...common, name: 'fresh', rate: 20, connections: 16, keep: false, sent: fresh }),
    ]);
    sending.catch(() => stopping.abort());

    await sleep(spans.warmUp);
    const quiet = await during([kept, fresh], spans.undisturbed);
    const reasons = new Reasons(join(gateway.folder, 'audit.log'));
    await reasons.count();
    const path = fileURLToPath(new URL('./flooders.ts', import.meta.url));
    // Runs only while the honest sender and its host leave the core idle, so that only the gateway delays them.
    const command = ['chrt', '--idle', '0', node, path];
    const flooders = start({ command, core: cores.load, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    const attacker = pki.issueClient({ subject: { OU: 'Attacker' } });
    flooders.send({ flood, port: gateway.port, ca, leaf: attacker } satisfies FloodOrder);
    await sleep(spans.ramp);
    const attacked = await during([kept, fresh], spans.attacked);
    flooders.send('count');
    const [count] = (await once(flooders, 'message')) as [FloodCount];
    await stop(flooders);
    stopping.abort();
    await sending.catch(() => {});
    const failures = [...kept.failures, ...fresh.failures];
    return judge({ flood, quiet, attacked, count, reasons: await reasons.count(), failures });
  };
}

/** Milliseconds of each message that ended in this span. */
async function during(all: readonly Sent[], milliseconds: number): Promise<readonly (readonly number[])[]> {
  const from = all.map(({ waits }) => waits.length);
  await sleep(milliseconds);
  return all.map(({ waits }, index) => waits.slice(from[index]));
}

interface Result {
  readonly flood: Flood;
  readonly quiet: readonly (readonly number[])[];
  readonly attacked: readonly (readonly number[])[];
  readonly count: FloodCount;
  readonly reasons: ReadonlyMap<string, number>;
  readonly failures: readonly string[];
}

function judge({ flood, quiet, attacked, count, reasons, failures }: Result): boolean {
  const problems = [...new Set(failures)].map((failure) => `${failure}`);
  const rows = [['', 'p50', 'p99', 'max ms', 'undisturbed p50', 'p99', 'ratio of p99']];
  for (const [index, name] of ['kept', 'fresh'].entries()) {
    const [before = [], now = []] = [quiet[index], attacked[index]];
    const ratio = quantile(now, 0.99) / quantile(before, 0.99);
    const figures = [0.5, 0.99, 1].map((part) => quantile(now, part).toFixed(1));
    const calm = [0.5, 0.99].map((part) => quantile(before, part).toFixed(1));
    rows.push([`${name} (${now.length})`, ...figures, ...calm, ratio.toFixed(2)]);
    if (now.length === 0) problems.push(`${name}: no message came through`);
    if (!(ratio <= mostRatio)) problems.push(`${name}: p99 is ${ratio.toFixed(2)} × that undisturbed`);
  }
  console.log(`${flood}: honest messages under attack, on kept and on fresh connections\n`);
  console.log(align(rows));
  const counts = [...reasons].map(([reason, times]) => `${reason} ${times}`).join(', ');
  console.log(`attack: ${count.connections} connections, ${count.sent} sent; audit: ${counts || 'nothing'}`);
  console.log(`failed honest messages: ${failures.length}`);
  for (const problem of problems) console.log(`BEYOND ITS BOUND: ${problem}`);
  return problems.length === 0;
}
