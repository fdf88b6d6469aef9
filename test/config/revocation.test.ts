import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RevocationPolicy } from '../../src/revocation/state.ts';
import { createSite, type Site } from './site.ts';

let site: Site;
beforeAll(async () => {
  site = await createSite();
});
afterAll(() => site[Symbol.asyncDispose]());

async function policyOf(revocation: object): Promise<RevocationPolicy | undefined> {
  const { loaded } = await site.examine({
    trust: { anchors: [{ name: 'a', files: ['anchor.pem'], revocation }] },
  });
  return loaded?.config.trust.anchors[0]?.revocation;
}

test('is a revocation policy after parsing: times in milliseconds, paths absolute, URLs unchanged', async () => {
  const policy = await policyOf({
    crl: ['https://pki.example/a.crl?x=%41', 'crl/a.crl', '../b.crl'],
    ocsp: 'https://ocsp.example',
    scope: 'leaf',
    onUnknown: 'allow',
    grace: '90m',
    firstContact: '2s',
    refresh: '5m',
  });
  expect(policy).toEqual({
    crl: ['https://pki.example/a.crl?x=%41', join(site.folder, 'crl/a.crl'), join(site.folder, '../b.crl')],
    ocsp: 'https://ocsp.example',
    scope: 'leaf',
    onUnknown: 'allow',
    grace: 5_400_000,
    firstContact: 2_000,
    refresh: 300_000,
  } satisfies RevocationPolicy);
});

test('adds the defaults of absent fields', async () => {
  expect(await policyOf({ crl: 'off' })).toMatchObject({ crl: 'off', ocsp: 'auto', firstContact: 1000 });
});

test('is parsed in the same way for candidates', async () => {
  const { loaded } = await site.examine({
    trust: {
      anchors: [{ name: 'a', files: ['anchor.pem'] }],
      candidates: [{ name: 'b', files: ['anchor.pem'], revocation: { crl: ['b.crl'] } }],
    },
  });
  const { candidates } = loaded?.config.trust ?? {};
  expect(candidates?.[0]).toMatchObject({
    files: [join(site.folder, 'anchor.pem')],
    revocation: { crl: [join(site.folder, 'b.crl')], onUnknown: 'deny' },
  });
});
