/** Anchors that are added one after another while the revocation data of the first are still loading. */
import { expect, it } from 'vitest';
import { statusOf } from '../support/http/http.ts';
import { type Authority, authority } from '../support/pki/authority.ts';
import { post } from '../support/process/client.ts';
import { distributionPoints, manyRevoked } from '../support/revocation/crl.ts';
import { enterWhen, openSite, type SiteAnchor, visitWhen } from '../support/revocation/site.ts';
import { misbehaviours, openDirectory } from '../support/trust/directory.ts';

it('uses an added anchor once its revocation data are loaded, and does not disturb accepted clients', async () => {
  await using directory = await openDirectory();
  await using plain = await openDirectory({}, { secure: false });
  directory.misbehaviour = misbehaviours.fail;
  const own = authority({ name: 'Own' });
  plain.files.set('/own.crl', own.crl().der);
  const crls: Record<string, Buffer> = {};
  // Large enough that each is still loading when the next one is added.
  const late = (name: string): SiteAnchor => {
    const pki = authority({ name });
    directory.files.set(`/${name}-root.pem`, pki.root.pem).set(`/${name}-ca.pem`, pki.issuing.pem);
    const revoked = manyRevoked(200_000, { width: 16, at: Date.now() - 3_600_000 }).der;
    crls[`${name}.crl`] = pki.crl({ revoked }).der;
    const urls = ['root', 'ca'].map((part) => `${directory.origin}/${name}-${part}.pem`);
    const settings = { files: undefined, urls, tls: { ca: 'directory.pem' } };
    return { name, pki, revocation: { crl: [`${name}.crl`], scope: 'leaf' }, settings };
  };
  const comers = ['second', 'third', 'fourth'].map(late);
  const anchors: SiteAnchor[] = [
    { name: 'own', pki: own, revocation: { scope: 'leaf', refresh: '200ms', firstContact: '5s' } },
    ...comers,
  ];
  const files = { 'directory.pem': directory.pki.root.pem, ...crls };
  await using stage = await openSite(anchors, { files });
  const point = distributionPoints([{ urls: [`${plain.origin}/own.crl`] }]);
  const { client } = await enterWhen(stage, own.issueClient({ extensions: [point] }), 'good');
  await using open = client;

  directory.misbehaviour = null;
  const visits = comers.map(({ pki }: { pki: Authority }) => visitWhen(stage, pki.issueClient(), 'good'));
  let arrived = false;
  const all = Promise.all(visits).finally(() => {
    arrived = true;
  });
  // Its CRL changes constantly, so that snapshots are made while other anchors are added.
  for (let number = 2; !arrived; number++) {
    plain.files.set('/own.crl', own.crl({ number }).der);
    expect(statusOf(await open.exchange(post()))).toBe(200);
  }
  for (const { status } of await all) expect(status).toBe(200);
  expect(await stage.gateway.stop()).toEqual({ code: 0 });
});
