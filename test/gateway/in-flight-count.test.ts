/** Every end of a message decrements the in-flight counts exactly once. */
import { once } from 'node:events';
import { connect as connectTcp, type Socket } from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Gateway } from '../../src/gateway/gateway.ts';
import { Meter } from '../../src/telemetry/meter.ts';
import { statusOf } from '../support/http/http.ts';
import { authority } from '../support/pki/authority.ts';
import { type Client, connect, post } from '../support/process/client.ts';
import { endpointAt } from '../support/process/endpoint.ts';
import { acknowledgement, openHost } from '../support/process/host.ts';
import { deadPort } from '../support/process/listening.ts';
import { messageOf } from '../support/process/records.ts';
import { answers, snapshotOf } from '../support/process/snapshot.ts';
import { openStage, type Stage } from '../support/process/stage.ts';

const places = 3;
const beginning = (target: string) =>
  `POST ${target} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi`;

/** What the client writes, whether it closes once the host has the head, and the outcomes that the record may have. */
interface Ending {
  readonly route: '/' | '/dead' | '/quick';
  readonly request: (target: string) => string | Buffer;
  readonly leaves?: true;
  readonly reason: string | null;
  readonly outcome: string;
}

const whole = (target: string) => post({ target });
const failed = { route: '/', request: whole, outcome: 'failed' } as const;

/** By the first segment of the target after the route, which selects the behaviour of the host. */
const endings: Readonly<Record<string, Ending>> = {
  answered: { route: '/', request: whole, outcome: 'answered', reason: null },
  early: { route: '/', request: beginning, outcome: 'answered', reason: null },
  ends: { ...failed, reason: 'closed_early' },
  resets: { ...failed, reason: 'closed_early' },
  garbles: { ...failed, reason: 'bad_answer' },
  cuts: { route: '/', request: whole, outcome: 'cut', reason: 'answer_cut' },
  unreachable: { ...failed, route: '/dead', reason: 'connect_failed' },
  late: { ...failed, route: '/quick', reason: 'deadline' },
  broken: {
    route: '/',
    request: (target) => `${beginning(target)}broken`,
    outcome: 'denied',
    reason: 'chunk',
  },
  stalls: { route: '/', request: beginning, outcome: 'denied', reason: 'body_timeout' },
  left: { route: '/', request: whole, leaves: true, outcome: 'client_gone', reason: null },
  'left-within': { route: '/', request: beginning, leaves: true, outcome: 'client_gone', reason: null },
};

class Scene implements AsyncDisposable {
  readonly #stage: Stage;
  readonly #witness: Client;
  #count = 0;
  /** Targets whose head the host has. */
  readonly #heads = new Map<string, () => void>();
  /** Sockets on which a response is pending. */
  #held: Socket[] = [];

  /** `witness`: a connection without messages, so that the gateway keeps the client's count between messages. */
  constructor(stage: Stage, witness: Client) {
    this.#stage = stage;
    this.#witness = witness;
    stage.host.options.onHead = ({ startLine }, socket) => {
      const target = startLine.split(' ')[1] ?? '';
      this.#heads.get(target)?.();
      if (target.startsWith('/early/')) socket.write(acknowledgement);
    };
    stage.host.options.answer = ({ startLine }, socket) => {
      const doing = startLine.split(/[ /]/)[2];
      if (doing === 'answered') return acknowledgement;
      if (doing === 'ends') socket.end();
      if (doing === 'resets') socket.resetAndDestroy();
      if (doing === 'held') this.#held.push(socket);
      if (doing === 'garbles') return 'garbage\r\n\r\n';
      if (doing === 'cuts')
        socket.end(`HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n${'x'.repeat(80_000)}`);
      return null;
    };
  }

  static async open(limits: 'route' | 'client'): Promise<Scene> {
    const inFlight = limits === 'route' ? places : 1000;
    const stage = await openStage({
      named: true,
      routes: [
        { path: '/', inFlight, deadline: '10m' },
        { path: '/dead', upstream: `http://127.0.0.1:${await deadPort()}` },
        { path: '/quick', deadline: '100ms' },
      ],
      config: {
        timeouts: { bodyIdle: '200ms' },
        limits: { inFlightPerClient: limits === 'client' ? places : 1000 },
      },
    });
    return new Scene(stage, await stage.connect());
  }

  /** Ends one message in this way, unless it is refused; returns the result in its record. */
  async end(name: string): Promise<{ outcome: string; reason: string | null }> {
    for (;;) {
      const result = await this.#endOnce(name);
      // On a busy machine timeouts.bodyIdle may pass before the test ends an incomplete message.
      if (result.reason !== 'body_timeout' || endings[name]?.reason === 'body_timeout') return result;
    }
  }

  async #endOnce(name: string): Promise<{ outcome: string; reason: string | null }> {
    const { route, request, leaves = false } = endings[name] as Ending;
    const target = `${route === '/' ? '' : route}/${name}/${++this.#count}`;
    const transport = connectTcp({ port: this.#stage.gateway.port, host: '127.0.0.1' });
    await using client = await this.#stage.connect({ socket: transport });
    await this.#begin(client, { target, bytes: request(target), leaves });
    if (leaves) {
      // A reset that crosses the session tickets looks like a half-close: after this response they have been sent.
      await this.#stage.send(post({ target: `/answered/${++this.#count}` }));
      transport.resetAndDestroy();
    }
    const { outcome, reason } = await this.#stage.gateway.audit(({ path }) => path === target);
    return { outcome, reason };
  }

  /** Resolves with the response or the end of the connection; with `leaves`, once the host has the head, if it gets it. */
  async #begin(
    client: Client,
    { target, bytes, leaves }: { target: string; bytes: string | Buffer; leaves: boolean },
  ): Promise<void> {
    const heard = new Promise<void>((resolve) => this.#heads.set(target, resolve));
    const answered = client.exchange(bytes).then(
      () => {},
      () => {},
    );
    await (leaves ? Promise.race([heard, answered]) : answered);
  }

  /** Expects that exactly `places` concurrent messages reach the host. */
  async expectAllFree(): Promise<void> {
    const { host, gateway } = this.#stage;
    const asked: Promise<number>[] = [];
    await using clients = new AsyncDisposableStack();
    for (let index = 0; index < places; index++) {
      const target = `/held/${++this.#count}`;
      const heard = new Promise<'heard'>((resolve) => this.#heads.set(target, () => resolve('heard')));
      const answer = clients
        .use(await this.#stage.connect())
        .exchange(post({ target }))
        .then(statusOf);
      asked.push(answer);
      expect(await Promise.race([heard, answer])).toBe('heard');
    }
    const before = host.requests.length;
    const beyond = await this.#stage.send(post({ target: '/held/beyond' }));
    expect([statusOf(beyond), host.requests.length]).toEqual([503, before]);
    expect(await messageOf(gateway, beyond)).toMatchObject({ reason: expect.stringMatching(/_in_flight$/) });
    for (const socket of this.#held.splice(0)) socket.write(acknowledgement);
    expect(await Promise.all(asked)).toEqual(asked.map(() => 200));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#witness[Symbol.asyncDispose]();
    await this.#stage[Symbol.asyncDispose]();
  }
}

describe.each(['route', 'client'] as const)('the in-flight count of the %s', (limits) => {
  let scene: Scene;
  beforeAll(async () => {
    scene = await Scene.open(limits);
  });
  afterAll(() => scene[Symbol.asyncDispose]());
  const names = Object.keys(endings).filter(
    (name) => limits === 'client' || (endings[name] as Ending).route === '/',
  );

  it.each(names)('is decremented once by a message that ends so: %s', async (name) => {
    const { outcome, reason } = endings[name] as Ending;
    expect(await scene.end(name)).toEqual({ outcome, reason });
    await scene.expectAllFree();
  });

  it('is decremented once by each of many messages that end at the same time, refused ones included', async () => {
    const mixture = fc.array(fc.constantFrom(...names), { minLength: 1, maxLength: 3 * places });
    await fc.assert(
      fc.asyncProperty(mixture, async (mixed) => {
        await Promise.all(mixed.map((name) => scene.end(name)));
        await scene.expectAllFree();
      }),
      { numRuns: 12 },
    );
  });
});

it('decrements the count of a message that timeouts.drain ends', async () => {
  await using host = await openHost({ answer: () => null });
  const pki = authority();
  const meter = new Meter();
  const gateway = new Gateway({
    snapshot: snapshotOf(pki, { routes: [{ ...answers, path: '/', endpoints: [endpointAt(host.port)] }] }),
    listen: { address: '127.0.0.1', port: 0, reusePort: false },
    recorder: { meter, audit: () => {}, span: () => {}, log: () => {}, logFailure: () => {} },
    onUnseen: () => {},
    onQuestion: () => {},
  });
  const { port } = await gateway.listen();
  await using client = await connect({ port, ca: pki.root.pem, leaf: pki.issueClient() });
  client.write(post());
  await host.request(0);
  expect([meter.inFlight, meter.route('/').inFlight]).toEqual([1, 1]);
  const closed = once(client.socket, 'end');
  await Promise.all([gateway.drain(), closed.then(() => client.halfClose())]);
  expect(statusOf(await client.response())).toBe(503);
  expect([meter.inFlight, meter.route('/').inFlight]).toEqual([0, 0]);
});
