/** A relay thread that cannot keep up accepts no new connection, and goes on with those that it has. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { Gateway } from '../../src/gateway.ts';
import { Meter } from '../../src/telemetry/meter.ts';
import { authority } from '../support/authority.ts';
import { connect, post } from '../support/client.ts';
import type { AuditRecord } from '../support/gateway.ts';
import { statusOf } from '../support/http.ts';
import { sClient } from '../support/openssl.ts';
import { snapshotOf } from '../support/snapshot.ts';

it('refuses who comes while all work waits, and lets in who comes afterwards', async () => {
  const pki = authority();
  const records: AuditRecord[] = [];
  const base = snapshotOf(pki);
  const gateway = new Gateway({
    snapshot: { ...base, limits: { ...base.limits, delay: 20 } },
    listen: { address: '127.0.0.1', port: 0, reusePort: false },
    recorder: {
      meter: new Meter(),
      audit: (line) => records.push(JSON.parse(line)),
      span: () => {},
      log: () => {},
    },
    onUnseen: () => {},
  });
  const { port } = await gateway.listen();
  const client = { port, ca: pki.root.pem, leaf: pki.issueClient() };
  await using open = await connect(client);

  // This thread is the relay's: whoever holds it up holds up everything.
  const burden = setInterval(() => {
    for (const until = performance.now() + 80; performance.now() < until; );
  }, 1);
  await sleep(1500);
  expect((await sClient({ port })).stdout).toContain('no peer certificate available');
  // Without a route it is 404: the gateway has answered all the same.
  expect(statusOf(await open.exchange(post()))).toBe(404);
  clearInterval(burden);
  expect(records.map(({ verdict, reason }) => [verdict, reason])).toContainEqual(['deny', 'overloaded']);

  for (;;) {
    const later = await connect(client).catch(() => null);
    if (later === null) continue;
    await using _ = later;
    expect(statusOf(await later.exchange(post()))).toBe(404);
    break;
  }
  await open[Symbol.asyncDispose]();
  await gateway.drain();
});
