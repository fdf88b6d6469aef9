/** Requests on a route with guards: over TCP, to a real host, with guards that decide when the test says so. */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { expect, it, vi } from 'vitest';
import type { ClientPermit } from '../../src/identity/authorize.ts';
import { requestFields } from '../../src/message/field-forwarding.ts';
import type { BearerVerdict, SignatureVerdict } from '../../src/message/message-verdicts.ts';
import { parseCertificate } from '../../src/pki/certificate.ts';
import { IdentityFields } from '../../src/relay/compiled-header-sets.ts';
import { Downstream } from '../../src/relay/downstream.ts';
import { HeldBodies } from '../../src/relay/held-bodies.ts';
import type { BearerCheck, MessageGuards, SignatureCheck } from '../../src/relay/message-guards.ts';
import type { RelayPolicy } from '../../src/relay/relay-policy.ts';
import { RouteTable } from '../../src/relay/route-table.ts';
import { Pools } from '../../src/upstream/pools.ts';
import { authority } from '../support/pki/authority.ts';
import { endpointAt, recorder } from '../support/process/endpoint.ts';
import { acknowledgement, type Host, type HostOptions, openHost } from '../support/process/host.ts';
import { listenOnLoopback } from '../support/process/listening.ts';
import { answers, snapshotOf } from '../support/process/snapshot.ts';

const pki = authority();
const leaf = parseCertificate(pki.issueClient().der);

const token = { clientId: 'c', subject: 's', keyId: 'k', how: 'jwt' } as const;
const accepted: BearerVerdict = { allow: true, token };
const expired: BearerVerdict = {
  allow: false,
  reason: 'token_expired',
  challenge: 'Bearer error="x"',
  token,
};
const signed: SignatureVerdict = { allow: true, signature: { keyId: 'k' } };
const skip = () => ({ allow: false, reason: 'signature_undecided' }) as const;
const altered: SignatureVerdict = { allow: false, reason: 'signature_invalid' };

const bearer = (check: BearerCheck['check'], options: Partial<BearerCheck> = {}): MessageGuards => {
  return { bearer: { mode: 'enforce', strips: false, check, ...options }, signature: null };
};
const signature = (check: SignatureCheck['check'], options: Partial<SignatureCheck> = {}): MessageGuards => {
  return { bearer: null, signature: { mode: 'enforce', precheck: () => null, skip, check, ...options } };
};

interface SceneOptions {
  readonly guards: MessageGuards;
  readonly deadline?: number;
  readonly heldBodies?: number;
  readonly permitted?: () => boolean;
  readonly answer?: HostOptions['answer'];
}

class Scene implements AsyncDisposable {
  readonly records: Record<string, unknown>[] = [];
  readonly held = new HeldBodies();
  readonly account = { leaf: '', inFlight: 0, connections: 1 };
  downstream: Downstream | null = null;
  client!: Socket;
  host!: Host;
  readonly #closers: (() => unknown)[] = [];
  #text = '';

  static async open({
    guards,
    deadline = 10_000,
    heldBodies = 65_536,
    permitted,
    answer = () => acknowledgement,
  }: SceneOptions): Promise<Scene> {
    const scene = new Scene();
    scene.host = await openHost({ answer });
    const { limits, timeouts } = snapshotOf(pki);
    const policy = {
      ...answers,
      deadline,
      path: '/',
      endpoints: [endpointAt(Number(new URL(scene.host.url).port))],
    };
    const records = recorder();
    const pools = new Pools(records);
    const [upstream] = pools.update({ routes: [policy], timeouts });
    const meter = records.meter.route('/');
    const relay: RelayPolicy = {
      routes: new RouteTable([{ policy, upstream: upstream as never, guards, meter }]),
      identityFields: new IdentityFields({ sets: [], chain: false, by: [] }),
      requestFields,
      limits: { ...limits, heldBodies },
      timeouts,
      tracer: null,
    };
    const listening = await listenOnLoopback(
      createServer({ allowHalfOpen: true }, (socket) => {
        socket.on('error', () => {});
        scene.downstream = new Downstream({
          socket: socket as TLSSocket,
          transport: socket,
          caller: {
            connId: 'c',
            permit: { leaf, path: [leaf] } as unknown as ClientPermit,
            address: '::1',
            port: 1,
          },
          account: scene.account,
          held: scene.held,
          policy: () => relay,
          permitted: permitted ?? (() => true),
          overloaded: () => false,
          auditUnavailable: () => false,
          recorder: { ...records, audit: (line) => void scene.records.push(JSON.parse(line)) },
        });
      }),
    );
    scene.client = connect(listening.port, '127.0.0.1');
    scene.client.on('data', (bytes) => {
      scene.#text += bytes.toString('latin1');
    });
    scene.client.on('error', () => {});
    await once(scene.client, 'connect');
    await vi.waitUntil(() => scene.downstream !== null);
    scene.#closers.push(
      () => scene.client.destroy(),
      () => pools.close(),
      () => listening.close(),
      () => scene.host.close(),
    );
    return scene;
  }

  get text(): string {
    return this.#text;
  }

  send(...parts: string[]): void {
    for (const part of parts) this.client.write(part, 'latin1');
  }

  /** The statuses of the responses so far. */
  get statuses(): number[] {
    return [...this.#text.matchAll(/HTTP\/1\.1 (\d+)/g)].map((match) => Number(match[1]));
  }

  async responses(count: number): Promise<number[]> {
    await vi.waitUntil(() => this.statuses.length >= count, 10_000);
    return this.statuses;
  }

  /** Nothing of the request is left: bodies, counts, and one record for each. */
  expectNothingLeft(): void {
    expect(this.held.bytes).toBe(0);
    expect(this.account.inFlight).toBe(0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const close of this.#closers) await close();
  }
}

const post = (body: string, fields = '') =>
  `POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: ${body.length}\r\n${fields}\r\n${body}`;
const later = <T>() => Promise.withResolvers<T>();

it('forwards a request at once if the guard decides at once, and tells the audit what the token said', async () => {
  await using scene = await Scene.open({ guards: bearer(() => accepted) });
  scene.send(post('one'), post('two'));
  expect(await scene.responses(2)).toEqual([200, 200]);
  expect(scene.host.requests.map(({ body }) => String(body))).toEqual(['one', 'two']);
  await vi.waitUntil(() => scene.records.length === 2);
  expect(scene.records[0]).toMatchObject({
    outcome: 'answered',
    policies: {
      token: { client_id: 'c', subject: 's', key_id: 'k', how: 'jwt' },
      signature: null,
      shadow: [],
    },
  });
  scene.expectNothingLeft();
});

it('sends nothing to the host before the verdict, and then the whole body and the next requests in their order', async () => {
  const verdicts = [later<BearerVerdict>(), later<BearerVerdict>()];
  let asked = 0;
  await using scene = await Scene.open({ guards: bearer(() => verdicts[asked++]?.promise ?? accepted) });
  scene.send('POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 6\r\n\r\nab');
  await vi.waitUntil(() => asked === 1);
  scene.send('cdef', post('two'), post('three'));
  expect(scene.account.inFlight).toBe(1);
  await vi.waitUntil(() => scene.client.bytesWritten > 0);
  expect(scene.host.connectionCount).toBe(0);
  verdicts[0]?.resolve(accepted);
  expect(await scene.responses(1)).toEqual([200]);
  await vi.waitUntil(() => asked === 2);
  expect(scene.host.requests.map(({ body }) => String(body))).toEqual(['abcdef']);
  verdicts[1]?.resolve(accepted);
  expect(await scene.responses(3)).toEqual([200, 200, 200]);
  expect(scene.host.requests.map(({ body }) => String(body))).toEqual(['abcdef', 'two', 'three']);
  scene.expectNothingLeft();
});

it('refuses with status and challenge, keeps the connection, and sends nothing to the host', async () => {
  const verdicts: BearerVerdict[] = [expired, accepted];
  await using scene = await Scene.open({ guards: bearer(async () => verdicts.shift() ?? expired) });
  scene.send(post('one'), post('two'));
  expect(await scene.responses(2)).toEqual([401, 200]);
  expect(scene.text).toContain('\r\nWWW-Authenticate: Bearer error="x"\r\n');
  expect(scene.host.requests.map(({ body }) => String(body))).toEqual(['two']);
  expect(scene.records[0]).toMatchObject({
    status: 401,
    outcome: 'denied',
    reason: 'token_expired',
    route: '/',
    policies: { token: { client_id: 'c' } },
  });
  scene.expectNothingLeft();
});

it('answers a client that awaits 100 Continue with the verdict', async () => {
  const verdicts: BearerVerdict[] = [accepted, expired];
  await using scene = await Scene.open({ guards: bearer(async () => verdicts.shift() ?? expired) });
  const head = 'POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n';
  scene.send(head);
  expect(await scene.responses(1)).toEqual([100]);
  scene.send('one');
  expect(await scene.responses(2)).toEqual([100, 200]);
  scene.send(head);
  expect(await scene.responses(3)).toEqual([100, 200, 401]);
  await vi.waitUntil(() => scene.client.readableEnded, 10_000);
  expect(scene.host.requests).toHaveLength(1);
});

it('takes Authorization out of what the host gets, where the policy strips it', async () => {
  const seen: string[] = [];
  const check: BearerCheck['check'] = ({ fields }) => {
    seen.push(fields);
    return accepted;
  };
  await using scene = await Scene.open({ guards: bearer(check, { strips: true }) });
  scene.send(post('one', 'AUTHORIZATION: Bearer t\r\nX-Other: Authorization: x\r\n'));
  expect(await scene.responses(1)).toEqual([200]);
  expect(seen[0]).toContain('AUTHORIZATION: Bearer t\r\n');
  const received = scene.host.received(0).toString();
  expect(received).not.toContain('Bearer t');
  expect(received).toContain('X-Other: Authorization: x\r\n');
});

it('gives the host what it got before in mode shadow, Authorization too', async () => {
  const guards = bearer(() => expired, { mode: 'shadow', strips: true });
  await using scene = await Scene.open({ guards });
  scene.send(post('one', 'Authorization: Basic abc\r\n'));
  expect(await scene.responses(1)).toEqual([200]);
  expect(scene.host.received(0).toString()).toContain('Authorization: Basic abc\r\n');
});

it('records and does not enforce a policy in mode shadow', async () => {
  const guards: MessageGuards = {
    bearer: { mode: 'shadow', strips: false, check: async () => expired },
    signature: { mode: 'shadow', precheck: () => null, skip, check: () => altered },
  };
  await using scene = await Scene.open({ guards });
  scene.send(post('one'));
  expect(await scene.responses(1)).toEqual([200]);
  await vi.waitUntil(() => scene.records.length === 1);
  expect(scene.records[0]).toMatchObject({
    outcome: 'answered',
    policies: { shadow: ['token_expired', 'signature_invalid'] },
  });
  scene.expectNothingLeft();
});

it('forwards in mode shadow without the verdict on the token, and records it if it comes before the message ends', async () => {
  const verdicts = [later<BearerVerdict>(), later<BearerVerdict>(), later<BearerVerdict>()];
  let asked = 0;
  const check = () => (verdicts[asked++] as (typeof verdicts)[0]).promise;
  const host = Promise.withResolvers<void>();
  await using scene = await Scene.open({
    guards: {
      bearer: { mode: 'shadow', strips: true, check },
      signature: { mode: 'shadow', precheck: () => null, skip, check: () => altered },
    },
    answer: (request, socket) => {
      if (request.body.toString() === 'one') return acknowledgement;
      void host.promise.then(() => socket.write(acknowledgement));
      return null;
    },
  });
  const recorded = async (count: number) => {
    await vi.waitUntil(() => scene.records.length === count);
    return (scene.records.at(-1) as { policies: object }).policies;
  };
  scene.send(post('one'));
  expect(await scene.responses(1)).toEqual([200]);
  // The message has ended without the verdict.
  expect(await recorded(1)).toMatchObject({ token: null, shadow: ['token_undecided', 'signature_invalid'] });
  scene.send(post('two'));
  await vi.waitUntil(() => scene.host.requests.length === 2);
  verdicts[1]?.resolve(expired);
  await verdicts[1]?.promise;
  host.resolve();
  expect(await recorded(2)).toMatchObject({
    token: { client_id: 'c' },
    shadow: ['token_expired', 'signature_invalid'],
  });
  scene.send(post('three'));
  verdicts[2]?.resolve(accepted);
  expect(await recorded(3)).toMatchObject({ token: { client_id: 'c' }, shadow: ['signature_invalid'] });
  scene.expectNothingLeft();
});

it.each([
  ['with Content-Length', 'Content-Length: 8\r\n\r\nabc', ['def', 'gh']],
  ['in chunks', 'Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n', ['3\r\ndef\r\n', '2\r\ngh\r\n0\r\n\r\n']],
])(
  'forwards a body that it cannot hold, without a verdict, in mode shadow: %s',
  async (_, start, [second, last]) => {
    const check = vi.fn(() => signed);
    await using scene = await Scene.open({ guards: signature(check, { mode: 'shadow' }), heldBodies: 3 });
    scene.send(`POST /a HTTP/1.1\r\nHost: h\r\n${start}`);
    await vi.waitUntil(() => scene.held.bytes === 3);
    scene.send(second as string);
    await vi.waitUntil(() => scene.held.bytes === 0);
    scene.send(last as string, post('one'));
    expect(await scene.responses(2)).toEqual([200, 200]);
    expect(scene.host.requests.map(({ body }) => String(body))).toEqual(['abcdefgh', 'one']);
    await vi.waitUntil(() => scene.records.length === 2);
    expect(scene.records[0]).toMatchObject({
      outcome: 'answered',
      request_bytes: 8,
      policies: { signature: null, shadow: ['signature_undecided'] },
    });
    expect(check).toHaveBeenCalledTimes(1);
    scene.expectNothingLeft();
  },
);

it.each([
  ['with Content-Length', 8, ['POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 8\r\n\r\n', 'abc', 'defgh']],
  // A body of unknown length grows in memory that is ahead of it: that counts.
  [
    'in chunks',
    1024,
    [
      'POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n',
      '3\r\nabc\r\n',
      '5\r\ndefgh\r\n0\r\n\r\n',
    ],
  ],
])('holds a body %s until its signature is checked, and counts its memory', async (_, memory, parts) => {
  const bodies: string[] = [];
  const verdict = later<SignatureVerdict>();
  await using scene = await Scene.open({
    guards: signature(({ body }) => {
      bodies.push(String(body));
      return verdict.promise;
    }),
  });
  const [head = '', first = '', rest = ''] = parts;
  scene.send(head, first);
  await vi.waitUntil(() => scene.held.bytes === memory);
  scene.send(rest);
  await vi.waitUntil(() => bodies.length === 1);
  expect(bodies).toEqual(['abcdefgh']);
  expect(scene.host.connectionCount).toBe(0);
  verdict.resolve(signed);
  expect(await scene.responses(1)).toEqual([200]);
  expect(scene.host.requests.map(({ body }) => String(body))).toEqual(['abcdefgh']);
  await vi.waitUntil(() => scene.records.length === 1);
  expect(scene.records[0]).toMatchObject({ request_bytes: 8, policies: { signature: { key_id: 'k' } } });
  scene.expectNothingLeft();
});

it('judges a request without a body', async () => {
  const bodies: number[] = [];
  const check: SignatureCheck['check'] = ({ body }) => {
    bodies.push(body.length);
    return bodies.length === 1 ? signed : altered;
  };
  await using scene = await Scene.open({ guards: signature(check) });
  scene.send('GET /a HTTP/1.1\r\nHost: h\r\n\r\n', post(''));
  expect(await scene.responses(2)).toEqual([200, 403]);
  expect(bodies).toEqual([0, 0]);
});

it('refuses an altered body, keeps the connection, and sends nothing to the host', async () => {
  await using scene = await Scene.open({
    guards: signature(({ body }) => (String(body) === 'two' ? signed : altered)),
  });
  scene.send(post('one'), post('two'));
  expect(await scene.responses(2)).toEqual([403, 200]);
  expect(scene.host.requests.map(({ body }) => String(body))).toEqual(['two']);
  expect(scene.records[0]).toMatchObject({ reason: 'signature_invalid', outcome: 'denied', route: '/' });
  scene.expectNothingLeft();
});

it('reads no body for a signature that the head already refutes', async () => {
  const guards = signature(() => signed, { precheck: () => ({ allow: false, reason: 'signature_missing' }) });
  await using scene = await Scene.open({ guards });
  scene.send('POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n');
  expect(await scene.responses(1)).toEqual([403]);
  expect(scene.records[0]).toMatchObject({ reason: 'signature_missing' });
});

it('refuses bodies beyond limits.heldBodies and limits.body, and forgets what it held', async () => {
  for (const [length, reason] of [
    [600, 'held_bodies'],
    [1_100, 'body_length'],
  ] as const) {
    await using scene = await Scene.open({ guards: signature(() => signed), heldBodies: 500 });
    scene.send(
      `POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n190\r\n${'x'.repeat(400)}\r\n`,
    );
    // Its memory grows ahead of it, but not beyond the limit.
    await vi.waitUntil(() => scene.held.bytes === 500);
    scene.send(`${(length - 400).toString(16)}\r\n${'x'.repeat(length - 400)}\r\n`);
    await vi.waitUntil(() => scene.client.readableEnded, 10_000);
    expect(scene.records.map((record) => record.reason)).toEqual([reason]);
    expect(scene.host.connectionCount).toBe(0);
    scene.expectNothingLeft();
  }
});

it.each([
  ['a token', bearer(() => new Promise(() => {})), post('one'), 503, 'judgement_timeout'],
  ['a signature', signature(() => new Promise(() => {})), post('one'), 503, 'judgement_timeout'],
  [
    'the rest of a body that is held',
    signature(() => signed),
    'POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 6\r\n\r\nab',
    408,
    'body_timeout',
  ],
])('ends the wait for %s at the deadline', async (_, guards, bytes, status, reason) => {
  await using scene = await Scene.open({ guards, deadline: 100 });
  scene.send(bytes);
  expect(await scene.responses(1)).toEqual([status]);
  expect(scene.records.map((record) => record.reason)).toEqual([reason]);
  expect(scene.host.connectionCount).toBe(0);
  scene.expectNothingLeft();
});

it.each([
  ['the verdict is awaited', bearer(() => new Promise(() => {})), post('one')],
  ['a body is held', signature(() => signed), 'POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 6\r\n\r\nab'],
])('records one departure if the client leaves while %s', async (_, guards, bytes) => {
  await using scene = await Scene.open({ guards });
  scene.send(bytes);
  await vi.waitUntil(() => scene.account.inFlight === 1);
  scene.client.resetAndDestroy();
  await vi.waitUntil(() => scene.records.length === 1);
  expect(scene.records[0]).toMatchObject({ outcome: 'client_gone', status: null, route: '/' });
  scene.expectNothingLeft();
});

it('does not forward after the permit was withdrawn while the verdict was awaited', async () => {
  const verdict = later<BearerVerdict>();
  let permitted = true;
  let asked = false;
  await using scene = await Scene.open({
    guards: bearer(() => {
      asked = true;
      return verdict.promise;
    }),
    permitted: () => permitted,
  });
  scene.send(post('one'));
  await vi.waitUntil(() => asked);
  permitted = false;
  verdict.resolve(accepted);
  expect(await scene.responses(1)).toEqual([403]);
  expect(scene.records.map((record) => record.reason)).toEqual(['permit_withdrawn']);
  expect(scene.host.connectionCount).toBe(0);
  scene.expectNothingLeft();
});

it('refuses what is still undecided when the gateway stops', async () => {
  await using scene = await Scene.open({ guards: bearer(() => new Promise(() => {})) });
  scene.send(post('one'));
  await vi.waitUntil(() => scene.account.inFlight === 1);
  scene.downstream?.drain({ now: true });
  scene.downstream?.abort();
  expect(await scene.responses(1)).toEqual([503]);
  expect(scene.records.map((record) => record.reason)).toEqual(['judgement_timeout']);
  scene.expectNothingLeft();
});

it('answers a client that has closed its side while the verdict was awaited', async () => {
  const verdict = later<BearerVerdict>();
  let asked = false;
  await using scene = await Scene.open({
    guards: bearer(() => {
      asked = true;
      return verdict.promise;
    }),
  });
  scene.client.end(post('one'));
  await vi.waitUntil(() => asked);
  verdict.resolve(accepted);
  expect(await scene.responses(1)).toEqual([200]);
  await vi.waitUntil(() => scene.client.readableEnded, 10_000);
  scene.expectNothingLeft();
});
