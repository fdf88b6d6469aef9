/** A restart while the directory and the responder do not answer: cached data are used from the disk. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ocspResponders } from '../../src/issuing/revocation-sources.ts';
import { parseCertificate } from '../../src/pki/certificate.ts';
import { temporaryFolder } from '../support/folder.ts';
import { authority } from '../support/pki/authority.ts';
import { distributionPoints, issueCrl } from '../support/revocation/crl.ts';
import { ocspMisbehaviours, openOcspResponder } from '../support/revocation/ocsp-responder.ts';
import { openSite, siteConfig, visit, visitWhen } from '../support/revocation/site.ts';
import { misbehaviours, openDirectory } from '../support/trust/directory.ts';

const hour = 3_600_000;

/** One CA with a CRL and sources for its leaves; several gateways use one cache, one after another. */
async function openScene() {
  await using opened = new AsyncDisposableStack();
  const directory = opened.use(await openDirectory({}, { secure: false }));
  const cache = opened.use(await temporaryFolder());
  const point = (path: string) => distributionPoints([{ urls: [`${directory.origin}${path}`] }]);
  const pki = authority({ issuing: { extensions: [point('/root.crl')] } });
  const responder = opened.use(await openOcspResponder({ issuers: [pki.issuing] }));
  const times = { thisUpdate: Date.now() - hour, nextUpdate: Date.now() + hour };
  directory.files.set('/root.crl', issueCrl({ issuer: pki.root, ...times }).der);
  const byCrl = { extensions: [point('/ca.crl')] };
  const byOcsp = { extensions: [ocspResponders([responder.url])] };
  const leaves = {
    crl: { good: pki.issueClient(byCrl), revoked: pki.issueClient(byCrl) },
    ocsp: { good: pki.issueClient(byOcsp), revoked: pki.issueClient(byOcsp) },
  };
  directory.files.set('/ca.crl', pki.crl({ revoked: [{ serial: leaves.crl.revoked }] }).der);
  responder.statuses.set(parseCertificate(leaves.ocsp.revoked.der).serial, { revokedAt: Date.now() - hour });
  const anchors = [{ name: 'own', pki, revocation: { firstContact: '5s' } }];
  const { trust, ...config } = siteConfig(anchors);
  const options = { config: { ...config, trust: { ...trust, cacheDir: join(cache.path, 'trust') } } };
  const stack = opened.move();
  return {
    ...{ directory, responder, leaves },
    start: () => openSite(anchors, options),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

describe('after a restart the gateway', () => {
  it.each(['hang', 'down'] as const)(
    'uses revocation data from the disk with the sources %s',
    async (how) => {
      await using scene = await openScene();
      const { directory, responder, leaves } = scene;
      const pairs = Object.values(leaves);
      {
        await using stage = await scene.start();
        for (const { good, revoked } of pairs) {
          expect((await visitWhen(stage, good, 'good')).status).toBe(200);
          expect((await visitWhen(stage, revoked, 'revoked')).status).toBe(403);
        }
        expect(await stage.gateway.stop()).toEqual({ code: 0 });
      }

      if (how === 'hang') {
        directory.misbehaviour = misbehaviours.hang;
        responder.misbehaviour = ocspMisbehaviours.hang;
      } else {
        await directory.close();
        await responder.close();
      }
      await using stage = await scene.start();
      // No source is queried before a client is served: a known leaf is not a first contact.
      for (const { good, revoked } of pairs) {
        expect(await visit(stage, good)).toMatchObject({ status: 200, record: { revocation: 'good' } });
        expect(await visit(stage, revoked)).toMatchObject({ status: 403, record: { reason: 'revoked' } });
      }
      const addresses = stage.gateway.records().flatMap(({ event, address }) => {
        return event === 'crl_from_cache' ? [new URL(address).pathname] : [];
      });
      expect(addresses.toSorted()).toEqual(['/ca.crl', '/root.crl']);
    },
  );
});
