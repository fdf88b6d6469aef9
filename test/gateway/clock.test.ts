/** The wall clock is set while the gateway runs, or the machine sleeps; the process cannot distinguish the two. */
import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ocspResponders } from '../../src/issuing/revocation-sources.ts';
import { temporaryFolder } from '../support/folder.ts';
import { statusOf } from '../support/http/http.ts';
import { authority } from '../support/pki/authority.ts';
import { post } from '../support/process/client.ts';
import { distributionPoints } from '../support/revocation/crl.ts';
import { ocspMisbehaviours, openOcspResponder } from '../support/revocation/ocsp-responder.ts';
import { openSite, revocationRecord, visitWhen } from '../support/revocation/site.ts';
import { misbehaviours, openDirectory } from '../support/trust/directory.ts';

const hour = 3_600_000;
const preload = new URL('../support/process/preload-clock.ts', import.meta.url);

/** An anchor whose leaves name a CRL, and one whose leaves name a responder; both are polled once an hour. */
async function openScene() {
  await using opened = new AsyncDisposableStack();
  const folder = opened.use(await temporaryFolder());
  const file = join(folder.path, 'clock');
  let ahead = 0;
  const setClock = async (milliseconds: number) => {
    ahead = milliseconds;
    await writeFile(`${file}.new`, String(milliseconds));
    await rename(`${file}.new`, file);
  };
  await setClock(0);
  const now = () => Date.now() + ahead;
  const directory = opened.use(await openDirectory({}, { secure: false }));
  const [listed, asked] = [authority({ name: 'Listed' }), authority({ name: 'Asked' })];
  const responder = opened.use(await openOcspResponder({ issuers: [asked.issuing], now }));
  const publish = (number: number) => {
    const times = { thisUpdate: now() - 60_000, nextUpdate: now() + hour };
    directory.files.set('/ca.crl', listed.crl({ number, ...times }).der);
  };
  publish(1);
  const address = `${directory.origin}/ca.crl`;
  const revocation = { scope: 'leaf', grace: '1h', refresh: '1h', firstContact: '5s' };
  const stage = opened.use(
    await openSite(
      [
        { name: 'listed', pki: listed, revocation },
        { name: 'asked', pki: asked, revocation },
      ],
      {
        env: { NODE_OPTIONS: `--import=${preload}`, EHI_TEST_CLOCK: file },
        config: {
          listen: { certificate: { chain: 'server.pem', key: 'server.key' }, advertiseCaNames: false },
        },
      },
    ),
  );
  const leaves = [
    listed.issueClient({ extensions: [distributionPoints([{ urls: [address] }])] }),
    asked.issueClient({ extensions: [ocspResponders([responder.url])] }),
  ];
  const stack = opened.move();
  return {
    ...{ stage, gateway: stage.gateway, setClock, directory, responder, publish, leaves, address },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

const jumped = /^the clock was set, or the machine slept/;

it('recovers after the clock is set eight hours ahead and back', async () => {
  await using scene = await openScene();
  const { stage, gateway, setClock, leaves, responder, directory } = scene;
  for (const leaf of leaves) expect((await visitWhen(stage, leaf, 'good')).status).toBe(200);
  // By the new clock the cached data have expired, and the sources have nothing newer.
  responder.misbehaviour = ocspMisbehaviours.down;
  directory.misbehaviour = misbehaviours.fail;
  await setClock(8 * hour);
  await gateway.logged(({ msg, ms }) => jumped.test(msg) && ms > 0);
  for (const leaf of leaves) expect((await visitWhen(stage, leaf, 'unknown')).status).toBe(403);

  await setClock(0);
  await gateway.logged(({ msg, ms }) => jumped.test(msg) && ms < 0);
  for (const leaf of leaves) expect((await visitWhen(stage, leaf, 'good')).status).toBe(200);
});

it('fetches revocation data at once after a sleep beyond their expiry and grace', async () => {
  await using scene = await openScene();
  const { stage, gateway, setClock, leaves, publish } = scene;
  for (const leaf of leaves) expect((await visitWhen(stage, leaf, 'good')).status).toBe(200);
  await setClock(8 * hour);
  publish(2);
  await gateway.audit(({ event, detail }) => event === 'crl_fetched' && detail.includes('number 2,'));
  for (const leaf of leaves) expect((await visitWhen(stage, leaf, 'good')).status).toBe(200);
});

it('fetches from sources that were down when SIGHUP arrives', async () => {
  await using scene = await openScene();
  const { stage, gateway, setClock, leaves, publish, directory, address } = scene;
  for (const leaf of leaves) await visitWhen(stage, leaf, 'good');
  directory.misbehaviour = misbehaviours.fail;
  await setClock(8 * hour);
  await revocationRecord(gateway, { event: 'crl_fetch_failed', address });
  directory.misbehaviour = null;
  publish(2);
  gateway.signal('SIGHUP');
  await gateway.audit(({ event, detail }) => event === 'crl_fetched' && detail.includes('number 2,'));
  const [leaf] = leaves;
  if (leaf === undefined) throw new TypeError('no leaf');
  expect((await visitWhen(stage, leaf, 'good')).status).toBe(200);
  expect(statusOf(await stage.send(post(), { leaf }))).toBe(200);
});
