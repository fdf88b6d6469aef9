/** Failures that are repeated: the log has one line at once, and one with the number of the others. */
import { createServer } from 'node:net';
import { expect, it } from 'vitest';
import { statusOf } from '../support/http/http.ts';
import { post } from '../support/process/client.ts';
import type { AuditRecord } from '../support/process/gateway.ts';
import { listenOnLoopback } from '../support/process/listening.ts';
import { metricsWhen } from '../support/process/metrics.ts';
import { openStage, type Stage } from '../support/process/stage.ts';

const failures = 200;
const collapsed = 'ehi_log_lines_collapsed_total';

async function sumsOf(stage: Stage, isLine: (line: AuditRecord) => boolean): Promise<AuditRecord[]> {
  expect(await stage.gateway.stop()).toEqual({ code: 0 });
  return stage.gateway.log().filter(isLine);
}

it('writes two lines when an upstream endpoint fails 200 times, with the sum at the end of the process', async () => {
  const unused = await listenOnLoopback(createServer());
  await unused.close();
  const url = `http://127.0.0.1:${unused.port}`;
  await using stage = await openStage({ routes: [{ path: '/', upstream: url }] });
  await using client = await stage.connect();
  for (let count = 0; count < failures; count++) expect(statusOf(await client.exchange(post()))).toBe(502);
  const lines = await sumsOf(stage, ({ endpoint }) => endpoint === url);
  expect(lines).toMatchObject([
    {
      level: 40,
      reason: 'connect_failed',
      cause: 'ECONNREFUSED',
      msg: expect.stringMatching(/check the host/),
    },
    {
      repeated: failures - 1,
      cause: 'ECONNREFUSED',
      msg: expect.stringMatching(/check the host.* \(199 more times in the last \d+ s\)$/),
    },
  ]);
});

it('writes two lines when a CRL cannot be fetched at each refresh, and each failure has its own audit record', async () => {
  const unused = await listenOnLoopback(createServer());
  await unused.close();
  const address = `http://127.0.0.1:${unused.port}/ca.crl`;
  const revocation = { crl: 'required', crlUrls: [address], onUnknown: 'allow' };
  await using stage = await openStage({
    config: {
      trust: { anchors: [{ name: 'example', files: ['anchor.pem'], revocation }], cacheDir: 'trust' },
    },
  });
  const isFailure = (record: AuditRecord) =>
    record.event === 'crl_fetch_failed' && record.address === address;
  await stage.gateway.audit(isFailure);
  for (let count = 0; count < 3; count++) {
    const next = stage.gateway.next(isFailure);
    stage.gateway.signal('SIGHUP');
    await next;
  }
  await metricsWhen(stage.gateway, (found) => (found.get(collapsed) ?? 0) >= 3);
  const lines = await sumsOf(stage, (line) => line.action === 'crl_fetch_failed' && line.address === address);
  const records = stage.gateway.records().filter(isFailure);
  expect(lines).toHaveLength(2);
  expect(lines[0]?.msg).toMatch(/^a CRL could not be fetched; .* check that the gateway reaches the address/);
  expect(lines[1]?.repeated).toBe(records.length - 1);
});
