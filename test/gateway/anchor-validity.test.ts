/** CA certificates of an anchor that have expired or are not valid yet: the gateway ignores them and uses the others. */
import { expect, it } from 'vitest';
import { type IssueOptions, issueCertificate } from '../../src/issuing/certificate.ts';
import { parseCertificate } from '../../src/pki/certificate.ts';
import { statusOf } from '../support/http/http.ts';
import { authority } from '../support/pki/authority.ts';
import { post } from '../support/process/client.ts';
import { spawnGateway } from '../support/process/gateway.ts';
import { metricsWhen } from '../support/process/metrics.ts';
import { openStage, type Stage } from '../support/process/stage.ts';

const pki = authority();
const second = 1000;
const passedOver = (reason: string) =>
  `ehi_trust_certificates_passed_over{anchor="example",reason="${reason}"}`;

/** A further issuing CA below the authority's root. */
function issuingCa(name: string, options: Partial<IssueOptions>) {
  return issueCertificate({
    subject: { CN: name },
    issuer: pki.root,
    notBefore: Date.now() - 60 * second,
    notAfter: Date.now() + 3600 * second,
    basicConstraints: { ca: true, pathLength: 0 },
    keyUsage: ['keyCertSign', 'cRLSign'],
    ...options,
  });
}

/** A gateway that has accepted a client of a CA which expires soon: later, if the gateway was not ready before that. */
async function openWithShortLivedCa(advertiseCaNames: boolean) {
  for (let seconds = 4; ; seconds *= 2) {
    const end = (Math.floor(Date.now() / second) + seconds) * second;
    const old = issuingCa('Issuing 2025', { notAfter: end });
    const stage = await openStage({
      authority: pki,
      files: { 'anchor.pem': pki.anchorPem + old.pem },
      config: { listen: { advertiseCaNames } },
    });
    const leaf = pki.issueClient({ issuer: old });
    const status = statusOf(await stage.send(post(), { leaf }));
    if (status === 200) return { stage, leaf, end };
    await stage[Symbol.asyncDispose]();
    expect(Date.now()).toBeGreaterThan(end);
  }
}

/** A gateway whose anchor has these CAs beside its own, and one that becomes valid soon after the gateway has read it. */
async function openWithFutureCa(others: string) {
  for (let seconds = 3; ; seconds *= 2) {
    const begin = (Math.floor(Date.now() / second) + seconds) * second;
    const next = issuingCa('Issuing 2027', { notBefore: begin });
    const files = { 'anchor.pem': others + pki.anchorPem + next.pem };
    const stage = await openStage({ authority: pki, files });
    if (Date.now() < begin) return { stage, next };
    await stage[Symbol.asyncDispose]();
  }
}

async function renewServerCertificate({ gateway }: Stage) {
  const renewed = pki.issueServer();
  await gateway.write('server.key', renewed.keyPem);
  await gateway.write('server.pem', renewed.chainPem);
  return gateway.reload();
}

it.each([
  ['names advertised', true],
  ['no names advertised', false],
])('goes on serving when one of two CAs of an anchor expires: %s', async (_, advertiseCaNames) => {
  const { stage, leaf, end } = await openWithShortLivedCa(advertiseCaNames);
  await using _stage = stage;
  const { gateway } = stage;

  const ignored = await gateway.audit(({ type, event }) => type === 'trust' && event === 'passed_over');
  expect(ignored).toMatchObject({
    anchor: 'example',
    detail: expect.stringMatching(
      `^CN=Issuing 2025: expired at ${new Date(end).toISOString()}; the certificate is skipped: remove it`,
    ),
  });
  await gateway.logged(({ action, level }) => action === 'passed_over' && level === 40);
  await metricsWhen(gateway, (samples) => samples.get(passedOver('expired')) === 1);
  expect(await gateway.admin('/readyz')).toMatchObject({ status: 200 });
  expect(statusOf(await stage.send(post()))).toBe(200);
  expect(statusOf(await stage.send(post(), { leaf }))).toBe(403);

  expect(await renewServerCertificate(stage)).toMatchObject({ event: 'reloaded', problems: 0 });
  expect(statusOf(await stage.send(post()))).toBe(200);
});

it('starts with an expired CA, a CA that is not valid yet and a CA that cannot be read beside a valid one', async () => {
  const odd = pki.root.pem.replace(/(?<=\n)[^\n]{64}(?=\n)/, 'A'.repeat(64));
  const old = issuingCa('Issuing 2025', { notAfter: Date.now() - second });
  const { stage, next } = await openWithFutureCa(odd + old.pem);
  await using _stage = stage;
  const { gateway } = stage;
  const ignored = (reason: RegExp) =>
    gateway.audit(({ event, detail }) => event === 'passed_over' && reason.test(detail));
  await ignored(/^\/.*anchor\.pem: PEM block 1 \(line 1\) /);
  await ignored(/^CN=Issuing 2025: expired/);
  await ignored(/^CN=Issuing 2027: is not valid before .*it is used from then on$/);
  expect(gateway.stderr).toMatch(/trust\.anchors\[0\]\.files: .*CN=Issuing 2025: expired/);
  expect(statusOf(await stage.send(post()))).toBe(200);

  // The CA comes into use without a reload when its validity begins.
  await metricsWhen(gateway, (samples) => samples.get(passedOver('not_yet_valid')) === 0);
  const leaf = pki.issueClient({ issuer: next });
  expect(statusOf(await stage.send(post(), { leaf: { ...leaf, chainPem: leaf.pem + next.pem } }))).toBe(200);
});

it('ignores an anchor whose certificates have all expired when another anchor is valid', async () => {
  const gone = authority({ name: 'Gone', root: { notAfter: Date.now() - second } });
  await using stage = await openStage({
    authority: pki,
    files: { 'gone.pem': gone.anchorPem },
    config: {
      trust: {
        anchors: [
          { name: 'gone', files: ['gone.pem'] },
          { name: 'example', files: ['anchor.pem'] },
        ],
        cacheDir: 'trust',
      },
    },
  });
  expect(statusOf(await stage.send(post()))).toBe(200);
  expect(await renewServerCertificate(stage)).toMatchObject({ event: 'reloaded' });
  const { status } = await stage.gateway.admin('/readyz');
  expect(status).toBe(200);
  const answer = await stage.send(post(), { leaf: gone.issueClient() });
  expect(statusOf(answer)).toBe(403);
});

it('exits with 78 when the only anchor has expired, and names the anchor and the date', async () => {
  const gone = authority({ name: 'Gone', issuing: { notAfter: Date.now() - second } });
  const server = pki.issueServer();
  await using gateway = await spawnGateway({
    files: { 'server.pem': server.chainPem, 'server.key': server.keyPem, 'gone.pem': gone.anchorPem },
    config: {
      listen: { certificate: { chain: 'server.pem', key: 'server.key' } },
      trust: { anchors: [{ name: 'gone', files: ['gone.pem'] }], cacheDir: 'trust' },
      clients: { anyCertificateOfAnchor: true },
      routes: [{ path: '/', upstream: 'http://127.0.0.1:1' }],
    },
  });
  await expect(gateway.whenReady()).rejects.toThrow(
    /trust\.anchors: found no anchor that is usable now: CN=Gone Issuing CA.*: expired at /,
  );
});

const renewedRoot = () =>
  issueCertificate({
    subject: pki.root.subject,
    key: pki.root.privateKey,
    notBefore: Date.now() - 60 * second,
    notAfter: Date.now() + 7200 * second,
    basicConstraints: { ca: true },
    keyUsage: ['keyCertSign', 'cRLSign'],
  });

it.each([
  ['names advertised', true],
  ['no names advertised', false],
])('accepts leaves under the former and the renewed certificate of a root: %s', async (_, advertise) => {
  const gone = authority({ root: { notAfter: Date.now() - second } });
  const renewed = issueCertificate({
    subject: gone.root.subject,
    key: gone.root.privateKey,
    notBefore: Date.now() - 60 * second,
    notAfter: Date.now() + 7200 * second,
    basicConstraints: { ca: true },
    keyUsage: ['keyCertSign', 'cRLSign'],
  });
  await using stage = await openStage({
    authority: gone,
    files: { 'anchor.pem': gone.anchorPem + renewed.pem },
    config: { listen: { advertiseCaNames: advertise } },
  });
  // The server certificate has the same root; clients must trust the renewed root certificate.
  const trusting = { ca: renewed.pem };
  expect(statusOf(await stage.send(post(), trusting))).toBe(200);
  await metricsWhen(stage.gateway, (samples) => samples.get(passedOver('expired')) === 1);
});

it.each([
  ['names advertised', true],
  ['no names advertised', false],
])(
  'accepts an issuing CA whose key identifier names the serial of the former root certificate: %s',
  async (_, advertise) => {
    const renewed = renewedRoot();
    const named = issuingCa('Issuing by serial', {
      authoritySerial: parseCertificate(pki.root.der).serialOctets,
    });
    await using stage = await openStage({
      authority: pki,
      files: { 'anchor.pem': renewed.pem + named.pem },
      config: { listen: { advertiseCaNames: advertise } },
    });
    const leaf = pki.issueClient({ issuer: named });
    expect(statusOf(await stage.send(post(), { leaf }))).toBe(200);
  },
);
