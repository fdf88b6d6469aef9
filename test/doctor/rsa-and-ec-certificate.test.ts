/** A server with an RSA and an EC certificate: both are examined, whichever the server prefers. */
import type { ServerOptions } from 'node:https';
import { expect, it } from 'vitest';
import { fileAnchors } from '../../src/doctor/anchors.ts';
import { examine } from '../../src/doctor/examine.ts';
import { harmlessMessage } from '../../src/doctor/message.ts';
import type { Report } from '../../src/doctor/report.ts';
import { reportJson } from '../../src/doctor/report-json.ts';
import { readTarget } from '../../src/doctor/target.ts';
import { parseCertificate } from '../../src/pki/certificate.ts';
import { type Authority, authority, type Leaf } from '../support/pki/authority.ts';
import { goodTls, openEndpoint } from '../support/process/faulty-endpoint.ts';

const pki = authority();
const client = pki.issueClient();
const day = 24 * 3_600_000;
const now = Date.now();

const ec = pki.issueServer();
const rsa = pki.issueServer({ key: 'rsa-2048' });
const expired = { notBefore: now - 9 * day, notAfter: now - 2 * day - 1000 };

type Pair = readonly [Pick<Leaf, 'chainPem' | 'keyPem'>, ...Pick<Leaf, 'chainPem' | 'keyPem'>[]];

/** Examines again if 100 Continue came late: that is a busy machine, and no fault of the endpoint. */
async function examineAt(...options: Parameters<typeof examineOnce>): Promise<Report> {
  for (;;) {
    const report = await examineOnce(...options);
    if (!notable(report).includes('message-continue fail')) return report;
  }
}

async function examineOnce(servers: Pair, tls: ServerOptions = {}, ca: Authority = pki): Promise<Report> {
  const cert = servers.map(({ chainPem }) => chainPem);
  const key = servers.map(({ keyPem }) => keyPem);
  await using endpoint = await openEndpoint({ pki, tls: { cert, key, ...tls } });
  return await examine({
    target: readTarget(endpoint.url),
    anchors: fileAnchors([parseCertificate(ca.root.der)]),
    identity: { cert: client.chainPem, key: client.keyPem },
    body: harmlessMessage(),
    ...{ token: null, signature: null, other: null },
    ...{ expected: null, tolerated: [], count: 2, version: '0.0.0', now: Date.now() },
    ...{ budgetMs: 60_000, timeoutMs: 30_000, maxTimeMs: 600_000, onStep: () => {} },
  });
}

const notable = ({ checks }: Report) =>
  checks.filter(({ outcome }) => outcome !== 'pass').map(({ id, outcome }) => `${id} ${outcome}`);
const factOf = ({ checks }: Report, id: string) => checks.find((each) => each.id === id)?.fact;
const keysOf = (report: Report) =>
  [report.chain, report.otherChain].map(([leaf]) => leaf?.key.type ?? 'none');

/** TLS 1.2 and its order of suites choose the first chain; the signature algorithms decide in TLS 1.3. */
const preferences: readonly [string, ServerOptions, keys: [string, string]][] = [
  ['TLS 1.2 and 1.3, EC preferred', {}, ['ec', 'rsa']],
  ['TLS 1.2 only', { maxVersion: 'TLSv1.2' }, ['ec', 'rsa']],
  ['TLS 1.3 only', { minVersion: 'TLSv1.3' }, ['rsa', 'ec']],
  ['EC in TLS 1.3 alone', { ciphers: 'TLS_AES_128_GCM_SHA256:ECDHE-RSA-AES128-GCM-SHA256' }, ['rsa', 'ec']],
];

it.each(preferences)('finds no fault in two sound certificates, and shows both: %s', async (_, tls, keys) => {
  const report = await examineAt([ec, rsa], tls);
  expect(notable(report).filter((each) => each !== 'versions warn')).toEqual([]);
  expect(keysOf(report)).toEqual(keys);
  expect(factOf(report, 'chain-key')).toMatch(/RSA: RSA-2048, P-256/);
  expect(factOf(report, 'chain-key')).toMatch(/EC: P-256, P-256/);
  expect(reportJson(report)).toMatchObject({ chain: [{}, {}], other_chain: [{}, {}] });
});

const faults: readonly [string, ec: Pair[0], rsa: Pair[0], found: string, fact: RegExp, letter: string][] = [
  [
    'an expired RSA certificate',
    ec,
    pki.issueServer({ key: 'rsa-2048', ...expired }),
    'chain-validity fail',
    /^EC: until .*; RSA: CN=localhost expired on /,
    'T',
  ],
  [
    'an expired EC certificate',
    pki.issueServer(expired),
    rsa,
    'chain-validity fail',
    /^EC: CN=localhost expired on .*; RSA: until /,
    'T',
  ],
  [
    'an RSA certificate for another name',
    ec,
    pki.issueServer({ key: 'rsa-2048', sans: ['DNS:other.example'] }),
    'chain-name fail',
    /RSA: .*not for 127\.0\.0\.1/,
    'M',
  ],
  [
    'an RSA key of 1024 bits',
    ec,
    pki.issueServer({ key: 'rsa-1024' }),
    'chain-key fail',
    /RSA: CN=localhost has .*1024/,
    'B',
  ],
];

it.each(faults)('finds %s beside the other one', async (_, ecLeaf, rsaLeaf, found, fact, letter) => {
  const lax = { ciphers: `${goodTls.ciphers}:@SECLEVEL=0` };
  const report = await examineAt([ecLeaf, rsaLeaf], lax);
  expect(notable(report).filter((each) => each.endsWith(' fail'))).toEqual([found]);
  expect(factOf(report, found.split(' ')[0] as string)).toMatch(fact);
  expect(report.grade?.letter).toBe(letter);
});

it('verifies each chain by itself: the RSA certificate of another CA', async () => {
  const stranger = authority({ name: 'Stranger' });
  const report = await examineAt([ec, stranger.issueServer({ key: 'rsa-2048' })]);
  expect(notable(report)).toContain('chain-trust fail');
  expect(factOf(report, 'chain-trust')).toMatch(/^EC: with the certificates of --ca.*; RSA: .*not among/);
});

it.each([
  ['EC', ec],
  ['RSA', rsa],
])('shows one chain where the server has an %s certificate only', async (_, leaf) => {
  const report = await examineAt([leaf]);
  expect(notable(report)).toEqual([]);
  expect(report.otherChain).toEqual([]);
  expect(factOf(report, 'chain-key')).not.toContain(': ');
});
