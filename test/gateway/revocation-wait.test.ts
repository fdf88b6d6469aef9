/** Events while the first handshake of a leaf waits for its responder. */
import { once } from 'node:events';
import { connect as connectTcp } from 'node:net';
import { describe, expect, it } from 'vitest';
import { serveFile } from '../../src/demo/directory.ts';
import { ocspResponders } from '../../src/issuing/revocation-sources.ts';
import { statusOf } from '../support/http/http.ts';
import { authority } from '../support/pki/authority.ts';
import { post } from '../support/process/client.ts';
import { metricsWhen } from '../support/process/metrics.ts';
import { distributionPoints } from '../support/revocation/crl.ts';
import { openOcspResponder } from '../support/revocation/ocsp-responder.ts';
import { openSite, siteConfig, visit, visitWhen } from '../support/revocation/site.ts';
import { misbehaviours, openDirectory } from '../support/trust/directory.ts';

const killer = new URL('../support/process/relay-killer.ts', import.meta.url);
const longest = { scope: 'leaf', firstContact: '5s' };
const isGood = { status: 200, record: { verdict: 'allow', revocation: 'good', anchor: 'own' } };

/** Two anchors; the responder of the first holds every question until it is released. */
async function openScene() {
  await using opened = new AsyncDisposableStack();
  const [pki, other] = [authority(), authority({ name: 'Other' })];
  const responder = opened.use(await openOcspResponder({ issuers: [pki.issuing] }));
  const gate = Promise.withResolvers<void>();
  responder.gate = gate.promise;
  const anchors = [
    { name: 'own', pki, revocation: longest },
    { name: 'other', pki: other },
  ];
  const env = { NODE_OPTIONS: `--import=${killer}` };
  const stage = opened.use(await openSite(anchors, { env }));
  const leaf = pki.issueClient({ extensions: [ocspResponders([responder.url])] });
  const handshakes = () => stage.gateway.records().filter(({ type }) => type === 'handshake');
  const stack = opened.move();
  return {
    ...{ stage, responder, anchors, leaf, handshakes, other },
    /** Resolves when the responder has received `count` queries. */
    asked: async (count = 1) => {
      while (responder.asked.length < count) await new Promise(setImmediate);
    },
    release: gate.resolve,
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

describe('while a first handshake waits for a responder', () => {
  it('a client that resets its connection is recorded, and its resources are released', async () => {
    await using scene = await openScene();
    const { stage, leaf, handshakes } = scene;
    const socket = connectTcp(stage.gateway.port, '127.0.0.1');
    await once(socket, 'connect');
    const client = await stage.connect({ leaf, socket });
    await scene.asked();
    socket.resetAndDestroy();
    await metricsWhen(stage.gateway, (samples) => samples.get('ehi_connections') === 0);
    const record = await stage.gateway.audit(({ type }) => type === 'handshake');
    expect(record).toMatchObject({
      verdict: 'failed',
      reason: 'closed_awaiting_revocation',
      anchor: null,
      revocation: null,
    });
    expect(client.socket.destroyed).toBe(true);

    scene.release();
    expect(await visitWhen(stage, leaf, 'good')).toMatchObject({ status: 200 });
    expect(handshakes().filter(({ conn_id }) => conn_id === record.conn_id)).toHaveLength(1);
    expect(await stage.gateway.stop()).toEqual({ code: 0 });
  });

  it('a client that closes its connection is recorded, and its resources are released', async () => {
    await using scene = await openScene();
    const { stage, leaf, handshakes } = scene;
    const client = await stage.connect({ leaf });
    await scene.asked();
    await client[Symbol.asyncDispose]();
    // At once, not when the responder has answered.
    const record = await stage.gateway.audit(({ type }) => type === 'handshake');
    expect(record).toMatchObject({
      verdict: 'failed',
      reason: 'closed_awaiting_revocation',
      tls_version: 'TLSv1.3',
    });
    await metricsWhen(stage.gateway, (samples) => samples.get('ehi_connections') === 0);
    scene.release();
    expect(await stage.gateway.stop()).toEqual({ code: 0 });
    expect(handshakes()).toHaveLength(1);
  });

  it('a client that has half-closed after its request gets its response', async () => {
    await using scene = await openScene();
    const { stage, leaf } = scene;
    await using client = await stage.connect({ leaf });
    client.write(post()).halfClose();
    await scene.asked();
    scene.release();
    expect(statusOf(await client.response())).toBe(200);
  });

  it('a drain ends with code 0, and the waiting client is recorded', async () => {
    await using scene = await openScene();
    const { stage, leaf, handshakes } = scene;
    await using client = await stage.connect({ leaf });
    client.write(post());
    await scene.asked();
    expect(await stage.gateway.stop()).toEqual({ code: 0 });
    await client.rest();
    expect(handshakes()).toHaveLength(1);
    expect(handshakes()[0]).toMatchObject({ verdict: 'deny', reason: 'revocation_unknown' });
  });

  it('the death of a relay thread ends its waits, and the next thread uses the cached response', async () => {
    await using scene = await openScene();
    const { stage, leaf, responder } = scene;
    await using client = await stage.connect({ leaf });
    await scene.asked();
    const died = stage.gateway.logged(({ msg }) =>
      `${msg}`.startsWith('a relay thread died and is replaced'),
    );
    stage.gateway.signal('SIGUSR2');
    await died;
    await client.rest();
    scene.release();
    // No thread listens on the port for a moment.
    while ((await visit(stage, leaf).catch(() => null)) === null);
    expect(await visit(stage, leaf)).toMatchObject(isGood);
    expect(responder.asked).toHaveLength(1);
    expect(await stage.gateway.stop()).toEqual({ code: 0 });
  });

  it('a reload does not end the wait, and the response is applied under the new configuration', async () => {
    await using scene = await openScene();
    const { stage, leaf, anchors } = scene;
    const coming = visit(stage, leaf);
    await scene.asked();
    const config = siteConfig(anchors);
    const record = await stage.reload({ ...config, limits: { connections: 100 } });
    expect(record).toMatchObject({ event: 'reloaded' });
    scene.release();
    const visited = await coming;
    expect(visited).toMatchObject(isGood);
    expect(visited.record.generation).toBeGreaterThan(record.generation);
  });

  it('the removal of its anchor makes the client untrusted, and other clients are not affected', async () => {
    await using scene = await openScene();
    const { stage, leaf, anchors, other } = scene;
    const coming = visit(stage, leaf);
    await scene.asked();
    expect(await stage.reload(siteConfig(anchors.slice(1)))).toMatchObject({ event: 'reloaded' });
    expect(await coming).toMatchObject({ status: 403, record: { verdict: 'deny', reason: 'untrusted' } });
    scene.release();
    expect((await visit(stage, other.issueClient())).status).toBe(200);
    expect(await stage.reload(siteConfig(anchors))).toMatchObject({ event: 'reloaded' });
    expect(await visitWhen(stage, leaf, 'good')).toMatchObject(isGood);
    expect(await stage.gateway.stop()).toEqual({ code: 0 });
  });
});

it('applies a response that arrives while a reload waits for another source to the handshake that waits for it', async () => {
  await using scene = await openScene();
  await using silent = await openDirectory({}, { secure: false });
  silent.misbehaviour = misbehaviours.hang;
  const { stage, leaf, anchors } = scene;
  scene.release();
  const slow = authority({ name: 'Slow' });
  await stage.gateway.write('slow.pem', slow.anchorPem);
  const revocation = { crl: [`${silent.origin}/ca.crl`] };
  const reloading = stage.reload(siteConfig([...anchors, { name: 'slow', pki: slow, revocation }]));
  while (silent.requests.length === 0) await new Promise(setImmediate);
  expect(await visit(stage, leaf)).toMatchObject(isGood);
  expect(await reloading).toMatchObject({ event: 'reloaded' });
});

it('keeps an open connection while a new policy queries its leaf, and after a good response', async () => {
  await using directory = await openDirectory({}, { secure: false });
  const pki = authority();
  directory.files.set('/ca.crl', pki.crl().der);
  const gate = Promise.withResolvers<void>();
  directory.misbehaviour = (request, response) =>
    void gate.promise.then(() => serveFile(directory.files, request, response));
  const point = distributionPoints([{ urls: [`${directory.origin}/ca.crl`] }]);
  const leaf = pki.issueClient({ extensions: [point] });
  const off = { name: 'own', pki, revocation: { crl: 'off', ocsp: 'off' } };
  await using stage = await openSite([off]);
  await using client = await stage.connect({ leaf });
  expect(statusOf(await client.exchange(post()))).toBe(200);
  expect(await stage.reload(siteConfig([{ ...off, revocation: longest }]))).toMatchObject({
    event: 'reloaded',
  });
  while (directory.requests.length === 0) expect(statusOf(await client.exchange(post()))).toBe(200);
  for (let count = 0; count < 5; count++) expect(statusOf(await client.exchange(post()))).toBe(200);
  gate.resolve();
  await stage.gateway.audit(({ event }) => event === 'crl_fetched');
  for (let count = 0; count < 5; count++) expect(statusOf(await client.exchange(post()))).toBe(200);
  expect((await visit(stage, leaf)).record.revocation).toBe('good');
  expect(stage.gateway.records().filter(({ stage }) => stage === 'live')).toEqual([]);
});
