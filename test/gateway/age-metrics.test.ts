/** The age metrics that alerts use: each age is reset when its source confirms the data in use, with 200 or with 304. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { serveFile } from '../../src/demo/directory.ts';
import { ocspResponders } from '../../src/issuing/revocation-sources.ts';
import { temporaryFolder } from '../support/folder.ts';
import { authority } from '../support/pki/authority.ts';
import { metricsWhen } from '../support/process/metrics.ts';
import { openStage, type Stage } from '../support/process/stage.ts';
import { distributionPoints } from '../support/revocation/crl.ts';
import { openOcspResponder } from '../support/revocation/ocsp-responder.ts';
import { valuesOf, visitWhen } from '../support/revocation/site.ts';
import { type Directory, openDirectory } from '../support/trust/directory.ts';

const second = 1000;
const pki = authority();

/** Without validators every response is a full 200. */
function forgetValidators(directory: Directory): void {
  directory.misbehaviour = (request, response) => {
    const { 'if-none-match': _, 'if-modified-since': __, ...headers } = request.headers;
    serveFile(directory.files, Object.assign(Object.create(request), { headers }), response);
  };
}

const statuses = (directory: Directory) => new Set(directory.requests.slice(-4).map(({ status }) => status));

describe.each([304, 200])('a source that answers %i', (status) => {
  let opened: AsyncDisposableStack;
  let stage: Stage;
  let directories: readonly Directory[];
  let begun: number;

  beforeAll(async () => {
    opened = new AsyncDisposableStack();
    const [anchors, lists] = [
      opened.use(await openDirectory({ '/anchor.pem': pki.anchorPem })),
      opened.use(await openDirectory({ '/ca.crl': pki.crl().der }, { secure: false })),
    ];
    directories = [anchors, lists];
    if (status === 200) for (const directory of directories) forgetValidators(directory);
    const responder = opened.use(await openOcspResponder({ issuers: [pki.issuing] }));
    const folder = opened.use(await temporaryFolder());
    const files = { 'directory.pem': anchors.pki.root.pem };
    const anchor = {
      name: 'own',
      urls: [`${anchors.origin}/anchor.pem`],
      tls: { ca: 'directory.pem' },
      revocation: { scope: 'leaf', refresh: '300ms', firstContact: '5s' },
    };
    stage = opened.use(
      await openStage({
        authority: pki,
        files,
        config: {
          trust: { anchors: [anchor], refresh: '300ms', cacheDir: join(folder.path, 'trust') },
          clients: { anyCertificateOfAnchor: true },
        },
      }),
    );
    const leaf = pki.issueClient({
      extensions: [
        distributionPoints([{ urls: [`${lists.origin}/ca.crl`] }]),
        ocspResponders([responder.url]),
      ],
    });
    await visitWhen(stage, leaf, 'good');
    begun = Date.now();
  });
  afterAll(() => opened.disposeAsync());

  it.each([
    ['ehi_trust_age_seconds', { anchor: 'own' }],
    ['ehi_revocation_age_seconds', { anchor: 'own', kind: 'crl' }],
    ['ehi_revocation_age_seconds', { anchor: 'own', kind: 'ocsp' }],
  ] as const)('resets %s: %o', async (name, labels) => {
    // Newer than the gateway's first fetch: a later fetch has confirmed the data.
    await metricsWhen(stage.gateway, (samples) => {
      const ages = valuesOf(samples, name, labels);
      const [age = Number.POSITIVE_INFINITY] = ages;
      const passed = (Date.now() - begun) / second;
      return ages.length === 1 && passed > 3 && age < passed - 1.5;
    });
    const answers = directories.flatMap((directory) => [...statuses(directory)]);
    expect(new Set(answers)).toEqual(new Set([status]));
  });
});

describe('the timestamp metrics', () => {
  it('show the next update of the CRL in use and the time of the last reload', async () => {
    await using directory = await openDirectory({}, { secure: false });
    const address = `${directory.origin}/ca.crl`;
    const publish = (number: number, seconds: number) =>
      directory.files.set('/ca.crl', pki.crl({ number, nextUpdate: seconds * second }).der);
    const end = Math.floor(Date.now() / second) + 3600;
    publish(1, end);
    const revocation = { crl: [address], ocsp: 'off', scope: 'leaf', refresh: '200ms' };
    const trust = (more = {}) => ({
      anchors: [{ name: 'own', files: ['anchor.pem'], revocation }],
      cacheDir: 'trust',
      ...more,
    });
    await using stage = await openStage({
      authority: pki,
      config: { trust: trust(), clients: { anyCertificateOfAnchor: true } },
    });
    const nextUpdate = (seconds: number) =>
      metricsWhen(stage.gateway, (samples) =>
        valuesOf(samples, 'ehi_revocation_next_update_timestamp_seconds', { kind: 'crl' }).includes(seconds),
      );
    await nextUpdate(end);
    publish(2, end + 60);
    await nextUpdate(end + 60);

    const reloaded = 'ehi_config_last_reload_success_timestamp_seconds';
    const before = (await metricsWhen(stage.gateway, () => true)).get(reloaded) ?? 0;
    expect(await stage.reload({ trust: trust({ requirePin: true }) })).toMatchObject({ event: 'reloaded' });
    await metricsWhen(stage.gateway, (samples) => (samples.get(reloaded) ?? 0) > before);
    const after = (await metricsWhen(stage.gateway, () => true)).get(reloaded) ?? 0;
    await stage.gateway.write('anchor.pem', 'nothing');
    expect(await stage.gateway.reload()).toMatchObject({ event: 'refused' });
    const refused = await metricsWhen(
      stage.gateway,
      (samples) => samples.get('ehi_config_last_reload_successful') === 0,
    );
    expect(refused.get(reloaded), 'a refused one does not count').toBe(after);
  });
});
