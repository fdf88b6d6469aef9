/** Renewal under traffic of the host certificate, its CA and the gateway's client certificate. */
import { constants } from 'node:crypto';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { createSecureContext, type SecureContext, type TLSSocket } from 'node:tls';
import { expect, it } from 'vitest';
import { parseCertificate } from '../../src/pki/certificate.ts';
import { statusOf } from '../support/http/http.ts';
import { type Authority, authority, type Leaf } from '../support/pki/authority.ts';
import { post } from '../support/process/client.ts';
import { acknowledgement, type Host, openHost } from '../support/process/host.ts';
import { handshakeFrom, messageOf } from '../support/process/records.ts';
import { openStage, type Stage } from '../support/process/stage.ts';

const old = authority({ name: 'Old' });
const renewed = authority({ name: 'Renewed' });

interface Scene extends AsyncDisposable {
  readonly stage: Stage;
  readonly host: Host;
  /** Serial numbers of the certificates that the gateway presented, in the order of connections. */
  readonly shown: (string | undefined)[];
  /** Sets the certificate of the host for new connections. */
  show(leaf: Leaf): void;
}

/** No session resumes, so that every connection presents and verifies the current certificate. */
const secureOptions = constants.SSL_OP_NO_TICKET;

const contextOf = ({ chainPem, keyPem }: Leaf): SecureContext =>
  createSecureContext({ cert: chainPem, key: keyPem, secureOptions });

/** A host with a certificate of the old CA, and a gateway that trusts only this CA and has a client certificate. */
async function openScene(): Promise<Scene> {
  const shown: (string | undefined)[] = [];
  const first = old.issueServer();
  let current = contextOf(first);
  await using opened = new AsyncDisposableStack();
  const host = opened.use(
    await openHost(
      {
        onConnection: (socket) =>
          void shown.push((socket as TLSSocket).getPeerX509Certificate()?.serialNumber),
      },
      {
        tls: {
          cert: first.chainPem,
          key: first.keyPem,
          secureOptions,
          requestCert: true,
          rejectUnauthorized: false,
          SNICallback: (_name, done) => done(null, current),
        },
      },
    ),
  );
  const own = old.issueClient();
  const certificate = { chain: 'client.pem', key: 'client.key' };
  const stage = opened.use(
    await openStage({
      files: { 'host-ca.pem': old.root.pem, 'client.pem': own.chainPem, 'client.key': own.keyPem },
      routes: [
        {
          path: '/',
          upstream: { url: `https://localhost:${host.port}`, tls: { ca: 'host-ca.pem', certificate } },
        },
      ],
    }),
  );
  const show = (leaf: Leaf) => {
    current = contextOf(leaf);
  };
  const stack = opened.move();
  return { stage, host, shown, show, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

/** Writes the files without a signal, since they are watched. Resolves when the relay thread uses them. */
async function change(stage: Stage, files: Record<string, string>): Promise<void> {
  const { gateway } = stage;
  const taken = gateway.next(({ type, event }) => type === 'config' && event === 'reloaded');
  for (const [name, content] of Object.entries(files)) await gateway.write(name, content);
  const { generation } = await taken;
  for (let now = 0; now < generation; ) {
    await using client = await stage.connect();
    now = (await handshakeFrom(gateway, client.socket)).generation;
  }
}

const trusting = (...authorities: Authority[]) => ({
  'host-ca.pem': authorities.map(({ root }) => root.pem).join(''),
});

/** Sends messages until `until` resolves, on reused and on new connections; all must be answered. */
async function talk({ stage, host }: Scene, until: Promise<unknown>): Promise<void> {
  let over = false;
  const ended = until.finally(() => {
    over = true;
  });
  await using client = await stage.connect();
  let sent = 0;
  const first = host.requests.length;
  while (!over) {
    // Every second message needs a new connection, and so a handshake with the host.
    host.options.answer = () =>
      sent % 2 === 0 ? acknowledgement : 'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n';
    expect(statusOf(await client.exchange(post()))).toBe(200);
    sent++;
  }
  await ended;
  const requests = host.requests.slice(first);
  expect(requests).toHaveLength(sent);
  for (const request of requests) {
    expect(await messageOf(stage.gateway, request)).toMatchObject({ outcome: 'answered', status: 200 });
  }
}

/** Resolves when the host has received `count` more messages. */
async function messages({ host }: Scene, count: number): Promise<void> {
  await host.request(host.requests.length + count - 1);
}

it('loses no message when the host renews its certificate under the same CA', async () => {
  await using scene = await openScene();
  const renewing = async () => {
    for (let turn = 0; turn < 5; turn++) {
      await messages(scene, 10);
      scene.show(old.issueServer());
    }
    await messages(scene, 10);
  };
  await talk(scene, renewing());
});

it('loses no message when the host changes to another CA while both are trusted', async () => {
  await using scene = await openScene();
  const { stage } = scene;
  const going = async () => {
    await messages(scene, 10);
    await change(stage, trusting(old, renewed));
    scene.show(renewed.issueServer());
    await messages(scene, 10);
    await change(stage, trusting(renewed));
    await messages(scene, 10);
  };
  await talk(scene, going());
});

it('sends nothing to a host of another CA until its CA is trusted by a reload', async () => {
  await using scene = await openScene();
  const { stage, host } = scene;
  expect(statusOf(await stage.send(post({ body: 'before' })))).toBe(200);
  scene.show(renewed.issueServer());
  await endConnections(host);
  for (let message = 0; message < 3; message++) {
    const answer = await stage.send(post({ body: 'refused' }));
    expect(statusOf(answer)).toBe(502);
    const record = await messageOf(stage.gateway, answer);
    expect(record).toMatchObject({ outcome: 'failed', status: 502, reason: 'upstream_tls', endpoint: null });
  }
  await change(stage, trusting(renewed));
  expect(statusOf(await stage.send(post({ body: 'after' })))).toBe(200);
  expect(host.requests.map(({ body }) => body.toString())).toEqual(['before', 'after']);
  expect(await messageOf(stage.gateway, await host.request(1))).toMatchObject({
    outcome: 'answered',
    status: 200,
  });
});

it('presents its renewed certificate on the next connection, closes idle connections, and none with a message on it', async () => {
  await using scene = await openScene();
  const { stage, host, shown } = scene;
  expect(statusOf(await stage.send(post({ body: 'first' })))).toBe(200);
  const [waiting] = host.sockets;
  const asked = new Promise<Socket>((resolve) => {
    host.options.answer = (_request, socket) => {
      resolve(socket);
      return null;
    };
  });
  await using busy = await stage.connect();
  busy.write(post({ body: 'under way' }));
  const socket = await asked;
  // The idle connection carries it; the next message needs another, which is idle after it.
  host.options.answer = () => acknowledgement;
  expect(statusOf(await stage.send(post({ body: 'meanwhile' })))).toBe(200);
  const idle = [...host.sockets].find((each) => each !== waiting);
  const closed = once(idle as NonNullable<typeof idle>, 'close');
  expect(new Set(shown).size).toBe(1);

  const next = old.issueClient();
  await change(stage, { 'client.key': next.keyPem, 'client.pem': next.chainPem });
  await closed;
  expect(statusOf(await stage.send(post({ body: 'after' })))).toBe(200);
  expect(shown.at(-1)).toBe(parseCertificate(next.der).x509.serialNumber);
  expect(shown).toHaveLength(3);
  // A message in flight ends on the connection where it began.
  socket.write(acknowledgement);
  expect(statusOf(await busy.response())).toBe(200);
  const bodies = ['first', 'under way', 'meanwhile', 'after'];
  expect(host.requests.map(({ body }) => body.toString())).toEqual(bodies);
  for (const request of host.requests) {
    expect(await messageOf(stage.gateway, request)).toMatchObject({ outcome: 'answered', status: 200 });
  }
});

/** Ends the connections of the host; resolves when the gateway has closed them too. */
async function endConnections(host: Host): Promise<void> {
  const sockets = [...host.sockets];
  const closed = sockets.map((socket) => once(socket, 'close'));
  for (const socket of sockets) socket.end();
  await Promise.all(closed);
}
