/** The first handshake of a leaf queries its sources once; the handshake of an untrusted certificate queries none. */
import { describe, expect, it } from 'vitest';
import { ocspResponders } from '../../src/issuing/revocation-sources.ts';
import { parseCertificate } from '../../src/pki/certificate.ts';
import { authority } from '../support/pki/authority.ts';
import { openStage } from '../support/process/stage.ts';
import { distributionPoints } from '../support/revocation/crl.ts';
import { openOcspResponder } from '../support/revocation/ocsp-responder.ts';
import { openSite, visit } from '../support/revocation/site.ts';
import { openDirectory } from '../support/trust/directory.ts';

const patient = { scope: 'leaf', firstContact: '5s' };

async function openScene(relays: number) {
  await using opened = new AsyncDisposableStack();
  const pki = authority();
  const responder = opened.use(await openOcspResponder({ issuers: [pki.issuing] }));
  const stage = opened.use(
    await openSite([{ name: 'own', pki, revocation: patient }], { config: { relays } }),
  );
  const stack = opened.move();
  return {
    ...{ stage, responder },
    leaf: () => pki.issueClient({ extensions: [ocspResponders([responder.url])] }),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

const isGood = { status: 200, record: { verdict: 'allow', reason: null, revocation: 'good', anchor: 'own' } };

describe.each([1, 2])('with relays: %i', (relays) => {
  it('accepts a leaf at its first handshake when its responder is quick, and sends no query at the next', async () => {
    await using scene = await openScene(relays);
    const { stage, responder } = scene;
    const leaf = scene.leaf();
    for (let count = 0; count < 6; count++) expect(await visit(stage, leaf)).toMatchObject(isGood);
    expect(responder.asked).toEqual([parseCertificate(leaf.der).serial]);
  });

  it('sends one query for concurrent first handshakes of one leaf, and applies the response to all', async () => {
    await using scene = await openScene(relays);
    const { stage, responder } = scene;
    const [leaf, other] = [scene.leaf(), scene.leaf()];
    const visits = Array.from({ length: 24 }, (_, index) => visit(stage, index % 3 === 0 ? other : leaf));
    for (const visited of await Promise.all(visits)) expect(visited).toMatchObject(isGood);
    const serials = [leaf, other].map(({ der }) => parseCertificate(der).serial);
    expect(responder.asked.toSorted()).toEqual(serials.toSorted());
    if (relays > 1) {
      const threads = stage.gateway.records().flatMap(({ conn_id }) => conn_id?.split('-')[0] ?? []);
      expect(new Set(threads).size).toBe(relays);
    }
  });
});

it('sends no query for an untrusted certificate, whatever sources it names', async () => {
  await using opened = new AsyncDisposableStack();
  const [pki, stranger] = [authority(), authority()];
  const directory = opened.use(await openDirectory({ '/ca.crl': pki.crl().der }, { secure: false }));
  const responder = opened.use(await openOcspResponder({ issuers: [pki.issuing, stranger.issuing] }));
  const extensions = [
    distributionPoints([{ urls: [`${directory.origin}/ca.crl`] }]),
    ocspResponders([responder.url]),
  ];
  const good = pki.issueClient({ extensions });
  const organizationalUnit = 'Example organisation';
  const pinned = pki.issueClient({ extensions, subject: { OU: organizationalUnit, CN: 'pinned' } });
  const pin = (leaf: typeof good) => `sha256/${parseCertificate(leaf.der).spkiPin}`;
  const trust = { anchors: [{ name: 'own', files: ['anchor.pem'], revocation: patient }], cacheDir: 'trust' };
  const clients = { match: [{ organizationalUnit }], pins: [pin(good)] };
  const stage = opened.use(await openStage({ authority: pki, config: { trust, clients } }));
  const strangers = {
    untrusted: stranger.issueClient({ extensions }),
    match_mismatch: pki.issueClient({
      extensions,
      key: good.privateKey,
      subject: { OU: 'Another', CN: 'x' },
    }),
    pin_mismatch: pinned,
    expired: pki.issueClient({ extensions, notAfter: Date.now() - 60_000 }),
    wrong_purpose: pki.issueClient({ extensions, extendedKeyUsage: ['1.3.6.1.5.5.7.3.1'] }),
  };
  for (const [reason, leaf] of Object.entries(strangers)) {
    const visited = await visit(stage, leaf);
    expect([reason, visited.status, visited.record.verdict, visited.record.revocation]).toEqual([
      ...[reason, 403, 'deny', null],
    ]);
    expect(visited.record.reason).toBe(reason);
  }
  expect([directory.requests, responder.asked]).toEqual([[], []]);

  // The only query is for this leaf: queries for the untrusted certificates would be here too.
  expect(await visit(stage, good)).toMatchObject(isGood);
  expect(directory.requests.map(({ path }) => path)).toEqual(['/ca.crl']);
  expect(responder.asked).toEqual([parseCertificate(good.der).serial]);
});
