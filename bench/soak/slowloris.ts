/** Thousands of clients that only keep connections open beside honest messages: their delay, the memory, who is cut off. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createSecureContext } from 'node:tls';
import { authority } from '../../test/support/pki/authority.ts';
import { connect } from '../../test/support/process/client.ts';
import { openStage, type Stage } from '../../test/support/process/stage.ts';
import { cpuSpent, readCpu } from '../cpu.ts';
import { cores, pin, pinSelf } from '../processes.ts';
import { Crowd, openHost } from './crowd.ts';
import { forgetPeak, kernelBuffers, residentMemory } from './memory.ts';
import { runInOwnNetwork } from './network.ts';
import { Reasons } from './reasons.ts';
import { nothingSent, type Sent, send } from './sender.ts';
import { judge, type Scene, type SceneResult, type Span } from './slowloris-report.ts';

/** Connections of the honest sender. */
const honest = 32;

/** Limits so wide that all attackers stay connected. */
const holding = { name: 'held', attackers: 2_000, pace: 400, ramp: 7_000 } as const;
/** The default limits: attackers that are cut off reconnect, 200 in a second. */
const returning = { name: 'cut', attackers: 2_000, pace: 200, ramp: 10_500 } as const;

const scenes: readonly Scene[] = [
  { ...holding, form: 'head' },
  { ...holding, form: 'body' },
  // Each is sent as much as its sockets accept, which takes seconds.
  { ...holding, form: 'reader', pace: 200, ramp: 13_000 },
  { ...returning, form: 'none' },
  { ...returning, form: 'head' },
  // Each is cut off after two seconds, so the attack is steady earlier.
  { ...returning, form: 'body', ramp: 4_000 },
  { ...returning, form: 'reader', ramp: 4_000 },
];

/** Milliseconds; so long that one pause of the sender itself does not dominate the slowest percent of a span. */
const spans = { warmUp: 8_000, undisturbed: 15_000, attacked: 30_000, rest: 2_000 };

/** `argument`: only these scenes, as `held-head,cut-body`. */
export async function soakSlowloris(argument?: string): Promise<boolean> {
  const known = new Map(scenes.map((scene) => [`${scene.name}-${scene.form}`, scene]));
  const chosen = (argument?.split(',') ?? [...known.keys()]).map((name) => {
    const scene = known.get(name);
    if (scene === undefined) throw new Error(`found ${name}; allowed ${[...known.keys()].join(', ')}`);
    return scene;
  });
  // Otherwise the unread data of the readers fills the memory that all sockets of the machine may use.
  const elsewhere = runInOwnNetwork();
  if (elsewhere !== null) return elsewhere.success;
  pinSelf(cores.load);
  const results: SceneResult[] = [];
  for (const scene of chosen) results.push(await play(scene));
  return judge(results);
}

/** With a new gateway, so that one attack does not affect the next one. */
async function play(scene: Scene): Promise<SceneResult> {
  const pki = authority();
  await using host = await openHost({ theirs: false });
  await using theirs = await openHost({ theirs: true });
  await using stage = await openStage({
    authority: pki,
    descriptors: 16_384,
    config: {
      clients: {
        allowlist: ['127.0.0.0/8'],
        match: [{ organizationalUnit: 'Example organisation' }, { organizationalUnit: 'Attacker' }],
      },
      audit: { destination: 'audit.log' },
      ...limitsOf(scene, { '/': host.url, '/attack': theirs.url }),
    },
  });
  const { gateway } = stage;
  pin(gateway.pid, cores.gateway);
  const ca = pki.root.pem;
  const attacker = pki.issueClient({ subject: { OU: 'Attacker' } });
  await using crowd = await Crowd.open({ port: gateway.port, ca, leaf: attacker });
  const reasons = new Reasons(join(gateway.folder, 'audit.log'));

  const stopping = new AbortController();
  const sent = nothingSent();
  const secureContext = createSecureContext({ ca, cert: stage.leaf.chainPem, key: stage.leaf.keyPem });
  const sending = send({
    name: 'honest',
    rate: 500,
    connections: honest,
    keep: true,
    connect: () => connect({ port: gateway.port, ca, secureContext }),
    signal: stopping.signal,
    sent,
  });
  sending.catch(() => stopping.abort());

  const during = (milliseconds: number) => measure({ sent, pid: gateway.pid, milliseconds });
  await sleep(spans.warmUp);
  const before = await during(spans.undisturbed);
  await reasons.count();
  forgetPeak(gateway.pid);
  const [resident, kernel] = [residentMemory(gateway.pid).now, kernelBuffers()];
  await crowd.attack(scene);
  await sleep(scene.ramp);
  if (scene.name === 'held') await settled();
  const first = await crowd.count();
  const attacked = await during(spans.attacked);
  const last = await crowd.count();
  const result = {
    scene,
    attacked,
    held: (await gauge(stage, 'ehi_connections')) - honest,
    inFlight: await gauge(stage, 'ehi_in_flight'),
    cutPerSecond: ((last.cut - first.cut) * 1_000) / spans.attacked,
    peak: residentMemory(gateway.pid).peak - resident,
    kernel: kernelBuffers() - kernel,
    reasons: await reasons.count(),
  };
  await crowd.leave();
  await sleep(spans.rest);
  const after = await during(spans.undisturbed);
  stopping.abort();
  await sending;
  const failures = [...sent.failures, ...sent.crossed.map((id) => `${id} crossed with a close`)];
  return { ...result, undisturbed: [before, after], failures };
}

/**
 * Resolves when the kernel's buffers have hardly grown for two seconds. To fill them the kernel allocates up to a gibibyte,
 * on the core of the honest sender, for as long as the machine needs.
 */
async function settled(): Promise<void> {
  for (let [last, now] = [0, kernelBuffers()]; now - last > now / 100; [last, now] = [now, kernelBuffers()])
    await sleep(2_000);
}

/** `held`: no attacker is cut off within a scene, and no limit of the client or the route stops it. */
function limitsOf({ name }: Scene, upstreams: Readonly<Record<string, string>>): object {
  const patient = name === 'held';
  const routes = Object.entries(upstreams).map(([path, upstream]) => ({
    path,
    upstream,
    ...(patient ? { deadline: '180s', inFlight: 10_000 } : {}),
  }));
  return patient ? { routes, timeouts: { head: '180s' }, limits: { inFlightPerClient: 10_000 } } : { routes };
}

async function gauge({ gateway }: Stage, name: string): Promise<number> {
  return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(await gateway.metrics())?.[1]);
}

async function measure(options: { sent: Sent; pid: number; milliseconds: number }): Promise<Span> {
  const { sent, pid, milliseconds } = options;
  const [first, cpu] = [sent.waits.length, readCpu(pid)];
  await sleep(milliseconds);
  const share = cpuSpent(cpu, readCpu(pid)) / 1e6 / milliseconds;
  return { waits: sent.waits.slice(first), share };
}
