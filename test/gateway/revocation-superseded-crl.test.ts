/** CRLs that are not or no longer in use, and the operator commands on stored revocation data. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { authority } from '../support/pki/authority.ts';
import type { Gateway } from '../support/process/gateway.ts';
import { metricsWhen } from '../support/process/metrics.ts';
import { program } from '../support/process/program.ts';
import { distributionPoints } from '../support/revocation/crl.ts';
import { openSite, revocationRecord, valuesOf, visit, visitWhen } from '../support/revocation/site.ts';
import { openDirectory } from '../support/trust/directory.ts';

const hour = 3_600_000;

describe('a CRL in a file that expired before the gateway started', () => {
  it.each(['allow', 'deny'] as const)(
    'denies the certificates that it lists (onUnknown: %s)',
    async (onUnknown) => {
      const pki = authority();
      const [good, revoked] = [pki.issueClient(), pki.issueClient()];
      const times = { thisUpdate: Date.now() - 72 * hour, nextUpdate: Date.now() - 48 * hour };
      const { der } = pki.crl({ ...times, revoked: [{ serial: revoked }] });
      const revocation = { crl: ['own.crl'], ocsp: 'off', scope: 'leaf', onUnknown, grace: '1h' };
      await using stage = await openSite([{ name: 'own', pki, revocation }], { files: { 'own.crl': der } });
      expect(await visit(stage, revoked)).toMatchObject({ status: 403, record: { reason: 'revoked' } });
      // An expired CRL does not prove that other certificates are not revoked.
      expect(await visit(stage, good)).toMatchObject({
        status: onUnknown === 'allow' ? 200 : 403,
        record: { revocation: 'unknown' },
      });
    },
  );
});

/** A CRL at a URL, and a gateway that fetches it once an hour. */
async function openListed() {
  await using opened = new AsyncDisposableStack();
  const directory = opened.use(await openDirectory({}, { secure: false }));
  const pki = authority();
  const address = `${directory.origin}/ca.crl`;
  const extensions = [distributionPoints([{ urls: [address] }])];
  const [good, revoked] = [pki.issueClient({ extensions }), pki.issueClient({ extensions })];
  const publish = (number: number, ...serials: (typeof good)[]) => {
    const entries = serials.map((serial) => ({ serial }));
    directory.files.set('/ca.crl', pki.crl({ number, revoked: entries }).der);
  };
  publish(5);
  const revocation = { crl: [address], ocsp: 'off', scope: 'leaf', refresh: '1h' };
  const stage = opened.use(await openSite([{ name: 'own', pki, revocation }]));
  const stack = opened.move();
  return {
    ...{ stage, gateway: stage.gateway, directory, address, good, revoked, publish },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

/** `ehi-gateway trust`, with the configuration of a running gateway. */
async function trust({ folder }: Gateway, command: string, ...options: string[]): Promise<number> {
  const argv = [program, 'trust', command, '--config', join(folder, 'gateway.yaml'), ...options];
  const [code] = await once(spawn(process.execPath, argv, { stdio: 'ignore' }), 'exit');
  return code as number;
}

const fetched = (gateway: Gateway, number: number) =>
  gateway.audit(({ event, detail }) => event === 'crl_fetched' && detail.includes(`number ${number},`));

it.each<[string, (gateway: Gateway) => unknown]>([
  ['SIGHUP', (gateway) => gateway.signal('SIGHUP')],
  ['trust refresh', (gateway) => trust(gateway, 'refresh')],
])('%s fetches CRLs at once', async (_, ask) => {
  await using listed = await openListed();
  const { stage, gateway, publish, revoked } = listed;
  expect((await visitWhen(stage, revoked, 'good')).status).toBe(200);
  publish(6, revoked);
  await ask(gateway);
  await fetched(gateway, 6);
  expect((await visitWhen(stage, revoked, 'revoked')).status).toBe(403);
});

it('applies revocations of a CRL with a lower number at once, and accepts the CRL after trust forget', async () => {
  await using listed = await openListed();
  const { stage, gateway, address, publish, good, revoked } = listed;
  await fetched(gateway, 5);
  publish(2, revoked);
  gateway.signal('SIGHUP');
  const refused = await revocationRecord(gateway, { event: 'crl_refused', address });
  expect(refused.detail).toMatch(
    /^rolled back: CRL number 2 after 5 \(CRL [0-9a-f]{12}, number 2\); the certificates that it lists count as revoked$/,
  );
  expect((await visitWhen(stage, revoked, 'revoked')).status).toBe(403);
  expect((await visitWhen(stage, good, 'good')).status).toBe(200);

  expect(await trust(gateway, 'forget', '--anchor', 'unknown')).toBe(64);
  expect(await trust(gateway, 'forget', '--anchor', 'own', '--address', address)).toBe(0);
  await revocationRecord(gateway, { event: 'forgotten', anchor: 'own', address });
  await fetched(gateway, 2);
  expect((await visitWhen(stage, good, 'good')).status).toBe(200);
  await metricsWhen(gateway, (samples) => {
    const labels = { anchor: 'own', kind: 'crl', address };
    return valuesOf(samples, 'ehi_revocation_failures', labels).every((failures) => failures === 0);
  });
});
