/** An issuing CA that is renewed with its key at the anchor's URL, and has an OCSP responder of its own. */
import { expect, it } from 'vitest';
import { issueCertificate } from '../../src/issuing/certificate.ts';
import { ocspResponders } from '../../src/issuing/revocation-sources.ts';
import { parseCertificate } from '../../src/pki/certificate.ts';
import { statusOf } from '../support/http/http.ts';
import { authority, type Issued } from '../support/pki/authority.ts';
import { post } from '../support/process/client.ts';
import { openOcspResponder } from '../support/revocation/ocsp-responder.ts';
import { enterWhen, openSite, visit } from '../support/revocation/site.ts';
import { openDirectory } from '../support/trust/directory.ts';

it('refuses no client while the status of its new certificate is fetched', async () => {
  const issuers: Issued[] = [];
  await using responder = await openOcspResponder({ issuers });
  await using directory = await openDirectory();
  const extensions = [ocspResponders([responder.url])];
  const pki = authority({ name: 'Own', issuing: { extensions } });
  issuers.push(pki.root, pki.issuing);
  directory.files.set('/root.pem', pki.root.pem).set('/ca.pem', pki.issuing.pem);
  const urls = ['root', 'ca'].map((part) => `${directory.origin}/${part}.pem`);
  const settings = { files: undefined, urls, tls: { ca: 'directory.pem' } };
  const files = { 'directory.pem': directory.pki.root.pem };
  const anchor = { name: 'own', pki, revocation: { scope: 'chain' }, settings };
  await using stage = await openSite([anchor], { files });
  const leaf = pki.issueClient({ extensions });
  const { client } = await enterWhen(stage, leaf, 'good');
  await using open = client;

  const renewed = issueCertificate({
    ...{ subject: pki.issuing.subject, issuer: pki.root, key: pki.issuing.privateKey, extensions },
    ...{ notBefore: Date.now() - 3_600_000, notAfter: Date.now() + 86_400_000 },
    ...{ basicConstraints: { ca: true, pathLength: 0 }, keyUsage: ['keyCertSign', 'cRLSign'] },
  });
  directory.files.set('/ca.pem', renewed.pem);
  const gate = Promise.withResolvers<void>();
  responder.gate = gate.promise;
  const { serial } = parseCertificate(renewed.der);
  await stage.gateway.reload();
  while (!responder.asked.includes(serial)) await new Promise(setImmediate);
  // The gateway gives the fetch up after ten seconds.
  const end = performance.now() + 5000;
  for (let message = 0; message < 50 && performance.now() < end; message++) {
    expect(statusOf(await open.exchange(post()))).toBe(200);
    expect((await visit(stage, leaf)).status).toBe(200);
  }
  gate.resolve();
  const { record } = await visit(stage, leaf);
  expect(record).toMatchObject({ verdict: 'allow', revocation: 'good' });
  expect(statusOf(await open.exchange(post()))).toBe(200);
});
