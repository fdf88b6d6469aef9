/** `clients.allowlist`: an address that is not on it is refused at accept, or with 403 after the handshake. */
import { connect as connectTcp } from 'node:net';
import { expect, it } from 'vitest';
import { statusOf } from '../support/http/http.ts';
import { post } from '../support/process/client.ts';
import { expectOneRecordEach, refusalOf } from '../support/process/records.ts';
import { openStage } from '../support/process/stage.ts';

const match = { organizationalUnit: 'Example organisation' };

it('closes a connection from an address that is not on the allowlist at accept, before TLS begins', async () => {
  await using stage = await openStage({ config: { clients: { allowlist: ['203.0.113.7/32'], match } } });
  await expect(stage.connect()).rejects.toThrow();
  const record = await stage.gateway.audit(({ type }) => type === 'handshake');
  expect(record).toMatchObject({
    verdict: 'deny',
    reason: 'address_refused',
    source_address: '127.0.0.1',
    source_port: expect.any(Number),
    proxy_address: null,
    tls_version: null,
    cipher: null,
    resumed: null,
    leaf: null,
    openssl_code: null,
  });
  // The gateway does not wait for a first byte either.
  const silent = connectTcp(stage.gateway.port, '127.0.0.1');
  await new Promise((closed) => silent.on('error', () => {}).once('close', closed));
  await expectOneRecordEach(stage.gateway, 2);
});

it('answers an address that is not on the allowlist with 403 when refuseAt is http, whatever its certificate', async () => {
  const clients = { allowlist: ['203.0.113.7/32', '2001:db8::/48'], refuseAt: 'http', match };
  await using stage = await openStage({ config: { clients } });
  for (const leaf of [stage.leaf, undefined]) {
    const answer = await stage.send(post(), { leaf });
    expect(statusOf(answer)).toBe(403);
    const { handshake } = await refusalOf(stage.gateway, answer);
    expect(handshake).toMatchObject({ verdict: 'deny', reason: 'address_refused', tls_version: 'TLSv1.3' });
  }
  expect(stage.host.connectionCount).toBe(0);
  await expectOneRecordEach(stage.gateway, 2);
});

it('accepts an address on the allowlist, within a range or as an IPv4-mapped address of a dual-stack socket', async () => {
  const clients = { allowlist: ['127.0.0.0/31'], match };
  await using stage = await openStage({ config: { clients, listen: { address: '::' } } });
  const answer = await stage.send(post());
  expect(statusOf(answer)).toBe(200);
  const record = await stage.gateway.audit(({ type }) => type === 'handshake');
  expect(record).toMatchObject({ verdict: 'allow', source_address: '127.0.0.1' });
  expect(stage.host.requests[0]?.field('x-forwarded-for')).toBe('127.0.0.1');
});
