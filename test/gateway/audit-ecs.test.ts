/** `audit.format: ecs`: the records of all threads have the field names of ECS, and the json format is one step away. */
import { expect, it } from 'vitest';
import { fromEcs } from '../../src/auditing/reading/ecs.ts';
import { statusOf } from '../support/http/http.ts';
import { post } from '../support/process/client.ts';
import type { AuditRecord } from '../support/process/gateway.ts';
import { openStage } from '../support/process/stage.ts';

it('writes the records of relay threads and control thread in ECS, and keeps the format at a reload', async () => {
  const audit = { destination: 'stdout', format: 'ecs' };
  await using stage = await openStage({ config: { audit } });
  expect(statusOf(await stage.send(post({ target: '/ecs?card=4111111111111111' })))).toBe(200);
  expect(statusOf(await stage.send(post(), { leaf: undefined }))).toBe(400);
  await stage.configure({ audit: { ...audit, format: 'json' } });
  const reloaded = stage.gateway.next((record) => record.event.dataset === 'ehi_gateway.config');
  stage.gateway.signal('SIGHUP');
  expect(await reloaded).toMatchObject({
    event: { action: 'reloaded', outcome: 'success' },
    ehi: { fixed: ['audit.format'] },
  });
  expect(await stage.gateway.stop()).toEqual({ code: 0 });

  const records = stage.gateway.records();
  expect(
    records.every((record) => record['@timestamp'] !== undefined && record.ecs.version === '8.17.0'),
  ).toBe(true);
  const message = records.find(({ url }) => url?.path === '/ecs');
  expect(message).toMatchObject({
    message: 'POST /ecs was answered by the host with status 200.',
    event: { action: 'answered', outcome: 'success', category: ['web'], duration: expect.any(Number) },
    http: { request: { method: 'POST' }, response: { status_code: 200 } },
  });
  const back = records.map((record) => fromEcs(record) as AuditRecord);
  const handshake = back.find(({ type, verdict }) => type === 'handshake' && verdict === 'allow');
  expect(handshake).toMatchObject({
    conn_id: message?.ehi.conn_id,
    tls_version: 'TLSv1.3',
    leaf: { pin: expect.stringMatching(/^sha256\//) },
  });
  expect(back.find(({ verdict }) => verdict === 'deny')).toMatchObject({
    reason: 'no_certificate',
    leaf: null,
  });
});
