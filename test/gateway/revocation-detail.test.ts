/** The audit record of a denial alone identifies the revocation source that failed, and the cause. */
import { gzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { authority } from '../support/pki/authority.ts';
import { distributionPoints } from '../support/revocation/crl.ts';
import { openSite, revocationRecord, visit } from '../support/revocation/site.ts';
import { openDirectory } from '../support/trust/directory.ts';

it('names the CRL, its address, the error and the id of its fetch', async () => {
  await using opened = new AsyncDisposableStack();
  // Two CAs: a CRL that is loaded for one certificate covers all certificates of its CA.
  const [pki, silent] = [authority(), authority({ name: 'Silent' })];
  const directory = opened.use(await openDirectory({}, { secure: false }));
  const at = (path: string) => `${directory.origin}${path}`;
  const naming = (url: string) => ({ extensions: [distributionPoints([{ urls: [url] }])] });
  const revoked = pki.issueClient(naming(at('/good.crl')));
  directory.files.set('/good.crl', pki.crl({ number: 42, revoked: [{ serial: revoked }] }).der);
  directory.files.set('/page.crl', '<!DOCTYPE html><html>Sign in</html>');
  directory.files.set('/zip.crl', gzipSync(pki.crl().der));
  directory.files.set('/other.crl', authority({ name: 'Other' }).crl().der);
  const revocation = { scope: 'leaf', ocsp: 'off', firstContact: '5s' };
  const stage = opened.use(
    await openSite([
      { name: 'own', pki, revocation },
      { name: 'silent', pki: silent, revocation },
    ]),
  );

  const { record } = await visit(stage, revoked);
  const [, id] = /according to CRL ([0-9a-f]{12}) \(number 42\) of (\S+)\. /.exec(record.detail) ?? [];
  expect(record).toMatchObject({
    reason: 'revoked',
    detail: expect.stringMatching(`${at('/good.crl')}\\. `),
  });
  await revocationRecord(stage.gateway, { event: 'crl_fetched' });
  const events = stage.gateway.records().filter(({ type }) => type === 'revocation');
  expect(events.filter(({ event }) => event === 'crl_fetched')).toMatchObject([
    { address: at('/good.crl'), detail: expect.stringMatching(`, CRL ${id}$`) },
  ]);

  for (const [path, says] of [
    ['/absent.crl', 'the server answered 404'],
    ['/page.crl', 'neither DER nor PEM with an X509 CRL block, but an HTML or XML page'],
    ['/zip.crl', 'neither DER nor PEM with an X509 CRL block, but a gzip archive'],
    ['/other.crl', 'no certificate of the trust anchor has'],
    ['/my ca.crl', 'percent-encoded'],
    ['/é.crl', 'percent-encoded'],
  ] as const) {
    const { record: unknown } = await visit(stage, silent.issueClient(naming(at(path))));
    expect(unknown.reason, path).toBe('revocation_unknown');
    expect(unknown.detail, path).toContain(at(path));
    expect(unknown.detail, path).toContain(says);
    const failure = await stage.gateway.audit(({ address }) => address === at(path));
    expect(failure.detail, path).toContain(says);
  }
});
