/** The cipher suites in the inventory, compared with those that a real gateway accepts. */
import { expect, it } from 'vitest';
import { offeredSuites } from '../../../src/inspection/inventory/offered-suites.ts';
import { probeSuites } from '../../../src/probe/suites.ts';
import { openStage } from '../../support/process/stage.ts';

const offer = (keyType: 'RSA' | 'ECDSA') =>
  offeredSuites({ keyTypes: new Set([keyType]), hasTlsHosts: false, fetches: false });

it('lists for the listener exactly the suites that a real gateway accepts, in its order', async () => {
  await using stage = await openStage({ named: true });
  const endpoint = {
    host: '127.0.0.1',
    port: stage.gateway.port,
    servername: 'localhost',
    timeoutMs: 30_000,
  };
  const offered = await offer('ECDSA');
  for (const version of ['TLS 1.2', 'TLS 1.3'] as const) {
    const { suites, incomplete } = await probeSuites({ ...endpoint, version });
    const listed = offered.filter(({ protocol }) => protocol === version);
    expect(listed.map(({ suite }) => suite)).toEqual(suites.map(({ name }) => name));
    expect(incomplete).toBeNull();
  }
  expect(offered.every(({ rating, strengthBits }) => rating === 'strong' && (strengthBits ?? 0) >= 128)).toBe(
    true,
  );
});

it('lists for clients only the suites of the server’s kind of key', async () => {
  expect((await offer('RSA')).filter(({ suite }) => suite.includes('ECDSA'))).toEqual([]);
  expect((await offer('ECDSA')).filter(({ suite }) => suite.includes('_RSA_'))).toEqual([]);
});

it('rates what other connections offer, where the other side chooses', async () => {
  const suites = await offeredSuites({ keyTypes: new Set(), hasTlsHosts: true, fetches: true });
  const outgoing = suites.filter(({ usedBy }) => usedBy === 'connections to hosts');
  expect(outgoing.find(({ suite }) => suite === 'TLS_AES_256_GCM_SHA384')?.rating).toBe('strong');
  expect(outgoing.find(({ suite }) => suite === 'TLS_RSA_WITH_AES_128_GCM_SHA256')).toMatchObject({
    ...{ rating: 'acceptable', forwardSecrecy: false, aead: true },
  });
  expect(suites.some(({ usedBy }) => usedBy === 'fetches')).toBe(true);
  expect(suites.every(({ protocol }) => protocol === 'TLS 1.2' || protocol === 'TLS 1.3')).toBe(true);
});
