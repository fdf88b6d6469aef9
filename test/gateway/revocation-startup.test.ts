/** Fetches before the first connection, and the default wait of the first handshake. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { serveFile } from '../../src/demo/directory.ts';
import { ocspResponders } from '../../src/issuing/revocation-sources.ts';
import { eventually } from '../support/eventually.ts';
import { temporaryFolder } from '../support/folder.ts';
import { authority } from '../support/pki/authority.ts';
import { type Gateway, spawnGateway } from '../support/process/gateway.ts';
import { distributionPoints, issueCrl } from '../support/revocation/crl.ts';
import { openOcspResponder } from '../support/revocation/ocsp-responder.ts';
import { openSite, visit } from '../support/revocation/site.ts';
import { misbehaviours, openDirectory } from '../support/trust/directory.ts';

const hour = 3_600_000;
/** More than the latency of a source across the internet, ms. */
const far = 300;
/** Longer than the start of relay threads, ms. */
const slow = 1500;

it('accepts the first handshake of a valid leaf with a distant responder', async () => {
  const pki = authority();
  await using responder = await openOcspResponder({ issuers: [pki.issuing] });
  await using stage = await openSite([{ name: 'own', pki, revocation: { scope: 'leaf' } }]);
  const extensions = [ocspResponders([responder.url])];
  // On a busy machine the answer may come too late: then another leaf has its first handshake.
  const first = () => {
    responder.gate = new Promise((resolve) => setTimeout(resolve, far));
    return visit(stage, pki.issueClient({ extensions }));
  };
  const visited = await eventually(first, ({ record }) => record.revocation === 'good');
  expect(visited.status).toBe(200);
});

describe('the port opens when the sources that the anchors name have answered', () => {
  async function openScene() {
    await using opened = new AsyncDisposableStack();
    const directory = opened.use(await openDirectory());
    const lists = opened.use(await openDirectory({}, { secure: false }));
    const cache = opened.use(await temporaryFolder());
    const point = distributionPoints([{ urls: [`${lists.origin}/root.crl`] }]);
    const pki = authority({ issuing: { extensions: [point] } });
    const times = { thisUpdate: Date.now() - hour, nextUpdate: Date.now() + hour };
    lists.files.set('/root.crl', issueCrl({ issuer: pki.root, ...times }).der);
    lists.misbehaviour = (request, response) =>
      setTimeout(() => serveFile(lists.files, request, response), slow);
    directory.files.set('/anchor.pem', pki.anchorPem);
    const server = pki.issueServer();
    const start = (anchor: object): Promise<Gateway> =>
      spawnGateway({
        files: {
          'server.pem': server.chainPem,
          'server.key': server.keyPem,
          'anchor.pem': pki.anchorPem,
          'directory.pem': directory.pki.root.pem,
        },
        config: {
          listen: { certificate: { chain: 'server.pem', key: 'server.key' } },
          trust: { anchors: [{ name: 'own', ...anchor }], cacheDir: join(cache.path, 'trust') },
          clients: { anyCertificateOfAnchor: true },
          routes: [{ path: '/', upstream: 'http://127.0.0.1:1' }],
        },
      });
    const stack = opened.move();
    return {
      ...{ directory, lists, start, urls: [`${directory.origin}/anchor.pem`] },
      [Symbol.asyncDispose]: () => stack.disposeAsync(),
    };
  }

  const readyAfterList = async (gateway: Gateway) => {
    await gateway.whenReady();
    const lines = gateway.stdout.split('\n');
    const [list, ready] = ['"event":"crl_fetched"', '"type":"ready"'].map((text) =>
      lines.findIndex((line) => line.includes(text)),
    );
    expect(list).toBeGreaterThanOrEqual(0);
    expect(list).toBeLessThan(ready as number);
  };

  it('of a file', async () => {
    await using scene = await openScene();
    await using gateway = await scene.start({ files: ['anchor.pem'] });
    await readyAfterList(gateway);
  });

  it('of a URL that starts to answer late', async () => {
    await using scene = await openScene();
    scene.directory.misbehaviour = misbehaviours.fail;
    await using gateway = await scene.start({ urls: scene.urls, tls: { ca: 'directory.pem' } });
    await gateway.audit(({ event }) => event === 'fetch_failed');
    scene.directory.misbehaviour = null;
    await readyAfterList(gateway);
  });

  it('or after some seconds if one of them does not answer', async () => {
    await using scene = await openScene();
    scene.lists.misbehaviour = misbehaviours.hang;
    await using gateway = await scene.start({ files: ['anchor.pem'] });
    await gateway.whenReady();
  });
});
