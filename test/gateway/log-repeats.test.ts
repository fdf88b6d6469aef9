/** Failures that are repeated: the log has one line at once, and one with the number of the others. */
import { createServer as createHttpServer } from 'node:http';
import { expect, it } from 'vitest';
import { statusOf } from '../support/http/http.ts';
import { post } from '../support/process/client.ts';
import type { AuditRecord } from '../support/process/gateway.ts';
import { deadPort, listenOnLoopback } from '../support/process/listening.ts';
import { metricsWhen } from '../support/process/metrics.ts';
import { openStage, type Stage } from '../support/process/stage.ts';

const failures = 200;
const collapsed = 'ehi_log_lines_collapsed_total';

async function sumsOf(stage: Stage, isLine: (line: AuditRecord) => boolean): Promise<AuditRecord[]> {
  expect(await stage.gateway.stop()).toEqual({ code: 0 });
  return stage.gateway.log().filter(isLine);
}

it('writes two lines when an upstream endpoint fails 200 times, with the sum at the end of the process', async () => {
  const url = `http://127.0.0.1:${await deadPort()}`;
  await using stage = await openStage({ routes: [{ path: '/', upstream: url }] });
  const client = await stage.connect();
  for (let count = 0; count < failures; count++) expect(statusOf(await client.exchange(post()))).toBe(502);
  // The process ends while the relay thread still holds the sum of the last second.
  await client[Symbol.asyncDispose]();
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

it('writes two lines for each cause when the source of a CRL fails in another way at each refresh', async () => {
  let fetches = 0;
  await using site = await listenOnLoopback(
    createHttpServer((_request, answer) => answer.writeHead(fetches++ % 2 === 0 ? 404 : 500).end()),
  );
  const address = `http://127.0.0.1:${site.port}/ca.crl`;
  const revocation = { crl: [address], ocsp: 'off', onUnknown: 'allow' };
  await using stage = await openStage({
    config: {
      trust: { anchors: [{ name: 'example', files: ['anchor.pem'], revocation }], cacheDir: 'trust' },
    },
  });
  const isFailure = (record: AuditRecord) =>
    record.event === 'crl_fetch_failed' && record.address === address;
  const isOn = (status: number) => (found: AuditRecord) => found.detail.includes(`${status}`);
  await stage.gateway.audit(isFailure);
  for (let count = 0; count < 6; count++) {
    const next = stage.gateway.next(isFailure);
    stage.gateway.signal('SIGHUP');
    await next;
  }
  await metricsWhen(stage.gateway, (found) => (found.get(collapsed) ?? 0) >= 4);
  const lines = await sumsOf(stage, (line) => line.action === 'crl_fetch_failed' && line.address === address);
  const records = stage.gateway.records().filter(isFailure);
  for (const status of [404, 500]) {
    const [first, sum, ...others] = lines.filter(isOn(status));
    expect(first?.msg).toMatch(/^a CRL could not be fetched; .* check that the gateway reaches the address/);
    expect(sum?.repeated).toBe(records.filter(isOn(status)).length - 1);
    expect(others).toEqual([]);
  }
});
