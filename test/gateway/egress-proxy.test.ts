/** Where the way out leads through an HTTP proxy, everything that is fetched or exported takes it, and no message does. */
import { expect, it } from 'vitest';
import { ocspResponders } from '../../src/issuing/revocation-sources.ts';
import { statusOf } from '../support/http/http.ts';
import { authority } from '../support/pki/authority.ts';
import { post } from '../support/process/client.ts';
import { openCollector } from '../support/process/collector.ts';
import { openProxy, proxySecret } from '../support/process/proxy.ts';
import { openStage } from '../support/process/stage.ts';
import { distributionPoints } from '../support/revocation/crl.ts';
import { openOcspResponder } from '../support/revocation/ocsp-responder.ts';
import { openDirectory } from '../support/trust/directory.ts';

/** A gateway whose directory, CRL server, OCSP responder and span collector have names that only the proxy knows. */
async function openBehindProxy() {
  await using opened = new AsyncDisposableStack();
  const pki = authority();
  const crls = opened.use(await openDirectory({ '/ca.crl': pki.crl().der }, { secure: false }));
  const cas = opened.use(await openDirectory({ '/ca.pem': pki.anchorPem }, { names: ['ca.pki.invalid'] }));
  const responder = opened.use(await openOcspResponder({ issuers: [pki.issuing] }));
  const collector = opened.use(await openCollector());
  const portOf = (url: string) => Number(new URL(url).port);
  const proxy = opened.use(
    await openProxy({
      'crl.pki.invalid': portOf(crls.origin),
      'ca.pki.invalid': portOf(cas.origin),
      'ocsp.pki.invalid': portOf(responder.url),
      'collector.invalid': portOf(collector.url),
    }),
  );
  const urls = { urls: ['https://ca.pki.invalid/ca.pem'], tls: { ca: 'directory.pem' } };
  const revocation = { scope: 'leaf', firstContact: '5s' };
  const stage = opened.use(
    await openStage({
      authority: pki,
      config: {
        trust: { anchors: [{ name: 'own', ...urls, revocation }], cacheDir: 'trust' },
        clients: { anyCertificateOfAnchor: true },
        tracing: { endpoint: 'http://collector.invalid/v1/traces', interval: '10ms' },
      },
      files: { 'directory.pem': cas.pki.root.pem },
      env: { HTTP_PROXY: proxy.url, https_proxy: proxy.url, NO_PROXY: '' },
    }),
  );
  const extensions = [
    distributionPoints([{ urls: ['http://crl.pki.invalid/ca.crl'] }]),
    ocspResponders(['http://ocsp.pki.invalid/']),
  ];
  const leaf = pki.issueClient({ extensions });
  const stack = opened.move();
  return { stage, proxy, collector, leaf, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

it('fetches CAs, CRLs and OCSP responses and exports spans through the proxy of the environment, without logging its password', async () => {
  await using opened = await openBehindProxy();
  const { stage, proxy, collector, leaf } = opened;
  await using client = await stage.connect({ leaf });
  expect(statusOf(await client.exchange(post()))).toBe(200);
  await collector.whenExported(1);
  expect(new Set(proxy.requests)).toEqual(
    new Set([
      'CONNECT ca.pki.invalid:443',
      'GET http://crl.pki.invalid/ca.crl',
      'POST http://ocsp.pki.invalid/',
      'POST http://collector.invalid/v1/traces',
    ]),
  );
  const handshake = stage.gateway.records().find(({ type }) => type === 'handshake');
  expect(handshake).toMatchObject({ verdict: 'allow', revocation: 'good' });
  const said = stage.gateway.log().find(({ HTTP_PROXY }) => HTTP_PROXY === proxy.name);
  expect(said).toMatchObject({ HTTPS_PROXY: proxy.name });
  expect(stage.gateway.stdout + stage.gateway.stderr).not.toContain(proxySecret);
});

it('passes over a variable that names no HTTP proxy, with a warning that does not show it', async () => {
  await using stage = await openStage({ env: { HTTPS_PROXY: `socks5://user:${proxySecret}@proxy` } });
  await using client = await stage.connect();
  expect(statusOf(await client.exchange(post()))).toBe(200);
  const says = 'environment:1:1: HTTPS_PROXY: found a value that names no HTTP proxy';
  expect(stage.gateway.log().some(({ msg }) => String(msg).startsWith(says))).toBe(true);
  expect(stage.gateway.stdout + stage.gateway.stderr).not.toContain(proxySecret);
});
