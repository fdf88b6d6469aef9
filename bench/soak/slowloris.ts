/** Thousands of clients that only hold on, while honest messages come: what those feel, what is held, who is cut off. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createSecureContext } from 'node:tls';
import { authority } from '../../test/support/authority.ts';
import { connect } from '../../test/support/client.ts';
import { openStage, type Stage } from '../../test/support/stage.ts';
import { cpuSpent, readCpu } from '../cpu.ts';
import { cores, pin, pinSelf } from '../processes.ts';
import { Crowd, openHost } from './crowd.ts';
import { forgetPeak, kernelBuffers, residentMemory } from './memory.ts';
import { Reasons } from './reasons.ts';
import { nothingSent, type Sent, send } from './sender.ts';
import { judge, type Quiet, type Scene, type SceneResult } from './slowloris-report.ts';

/** Connections of the honest sender. */
const honest = 32;

/** Long enough for everybody to stay: what holding on does. */
const holding = { name: 'held', attackers: 2_000, pace: 400, ramp: 7_000 } as const;
/** The defaults: whoever is cut off comes back, 200 of them in a second. */
const returning = { name: 'cut', attackers: 2_000, pace: 200, ramp: 10_500 } as const;

const scenes: readonly Scene[] = [
  { ...holding, form: 'head' },
  { ...holding, form: 'body' },
  // Each of them is sent as much as the sockets take: that is no matter of milliseconds.
  { ...holding, form: 'reader', pace: 200, ramp: 13_000 },
  { ...returning, form: 'none' },
  { ...returning, form: 'head' },
  // After two seconds each of them is cut off: so it is known earlier how many there are.
  { ...returning, form: 'body', ramp: 4_000 },
  { ...returning, form: 'reader', ramp: 4_000 },
];

/** Milliseconds. */
const spans = { warmUp: 4_000, first: 14_000, undisturbed: 6_000, attacked: 8_000, rest: 2_000 };

/** `argument`: only these scenes, as `held-head,cut-body`. */
export async function soakSlowloris(argument?: string): Promise<boolean> {
  pinSelf(cores.load);
  const pki = authority();
  const attacker = pki.issueClient({ subject: { OU: 'Attacker' } });
  await using host = await openHost({ theirs: false });
  await using theirs = await openHost({ theirs: true });
  const upstreams = { '/': host.url, '/attack': theirs.url };
  await using stage = await openStage({
    authority: pki,
    descriptors: 16_384,
    config: {
      trust: { anchors: [{ name: 'example', files: ['anchor.pem'] }], cacheDir: 'trust' },
      clients: {
        allowlist: ['127.0.0.0/8'],
        match: [{ organizationalUnit: 'Example organisation' }, { organizationalUnit: 'Attacker' }],
      },
      audit: { destination: 'audit.log' },
      ...patient(upstreams),
    },
  });
  const { gateway } = stage;
  pin(gateway.pid, cores.gateway);
  const ca = pki.root.pem;
  await using crowd = await Crowd.open({ port: gateway.port, ca, leaf: attacker });
  const reasons = new Reasons(join(gateway.folder, 'audit.log'));

  const stopping = new AbortController();
  const sent = nothingSent();
  const secureContext = createSecureContext({ ca, cert: stage.leaf.chainPem, key: stage.leaf.keyPem });
  const client = () => connect({ port: gateway.port, ca, secureContext });
  const { signal } = stopping;
  const sending = send({
    name: 'honest',
    rate: 500,
    connections: honest,
    keep: true,
    connect: client,
    signal,
    sent,
  });
  sending.catch(() => stopping.abort());

  const during = (milliseconds: number) => measure({ sent, pid: gateway.pid, milliseconds });
  await sleep(spans.warmUp);
  const first = residentMemory(gateway.pid).now;
  const quiet: Quiet[] = [await during(spans.first)];
  const results: SceneResult[] = [];
  for (const scene of scenes) {
    if (argument !== undefined && !argument.split(',').includes(`${scene.name}-${scene.form}`)) continue;
    if (scene.name === 'cut') await configure(stage, { routes: routesTo(upstreams) });
    await reasons.count();
    forgetPeak(gateway.pid);
    const kernel = kernelBuffers();
    await crowd.attack(scene);
    await sleep(scene.ramp);
    const before = await crowd.count();
    const attacked = await during(spans.attacked);
    const after = await crowd.count();
    const { peak } = residentMemory(gateway.pid);
    results.push({
      scene,
      ...attacked,
      held: (await gauge(stage, 'ehi_connections')) - honest,
      inFlight: await gauge(stage, 'ehi_in_flight'),
      cutPerSecond: ((after.cut - before.cut) * 1_000) / spans.attacked,
      peak: peak - first,
      kernel: kernelBuffers() - kernel,
      reasons: await reasons.count(),
    });
    await crowd.leave();
    await sleep(spans.rest);
    quiet.push(await during(spans.undisturbed));
  }
  stopping.abort();
  await sending;
  const failures = [...sent.failures, ...sent.crossed.map((id) => `${id} crossed with a close`)];
  return judge({ first, last: residentMemory(gateway.pid).now, quiet, results, failures });
}

/** Who only holds on is not cut off within a scene, and no limit of the client's or the route's stops it. */
function patient(upstreams: Upstreams): object {
  return {
    routes: routesTo(upstreams, { deadline: '60s', inFlight: 10_000 }),
    timeouts: { head: '60s' },
    limits: { inFlightPerClient: 10_000 },
  };
}

/** Path → host. */
type Upstreams = Readonly<Record<string, string>>;

function routesTo(upstreams: Upstreams, more: object = {}): object[] {
  return Object.entries(upstreams).map(([path, upstream]) => ({ path, upstream, ...more }));
}

/** Replaces the patient sections. */
async function configure(stage: Stage, config: object): Promise<void> {
  const read = 'ehi_config_last_reload_success_timestamp_seconds';
  const before = await gauge(stage, read);
  await stage.configure({ timeouts: {}, limits: {}, ...config });
  stage.gateway.signal('SIGHUP');
  while ((await gauge(stage, read)) === before) await sleep(100);
}

async function gauge({ gateway }: Stage, name: string): Promise<number> {
  return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(await gateway.metrics())?.[1]);
}

async function measure(options: { sent: Sent; pid: number; milliseconds: number }): Promise<Quiet> {
  const { sent, pid, milliseconds } = options;
  const [first, cpu] = [sent.waits.length, readCpu(pid)];
  await sleep(milliseconds);
  const share = cpuSpent(cpu, readCpu(pid)) / 1e6 / milliseconds;
  return { waits: sent.waits.slice(first), share };
}
