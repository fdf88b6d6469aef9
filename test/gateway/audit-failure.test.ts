/** Messages, metrics and log lines while audit records cannot be written. */
import { mkdir, readFile, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { statusOf } from '../support/http/http.ts';
import { post } from '../support/process/client.ts';
import type { AuditRecord } from '../support/process/gateway.ts';
import { metricsWhen, readMetrics } from '../support/process/metrics.ts';
import { openStage, type Stage } from '../support/process/stage.ts';

const killer = new URL('../support/process/relay-killer.ts', import.meta.url);
const says = (text: string) => (line: AuditRecord) => line.msg.includes(text);

/** Replaces the audit file with a folder: nothing can be written until the returned function removes it. */
async function breakFile(stage: Stage): Promise<() => Promise<void>> {
  const file = join(stage.gateway.folder, 'audit.log');
  // The gateway may create the file again before the folder is there.
  const replace = async () => {
    await rm(file, { force: true });
    return mkdir(file).then(
      () => true,
      () => false,
    );
  };
  while (!(await replace()));
  return () => rmdir(file);
}

it('relays messages by default, keeps the records and writes them when the file is writable again, as metrics and log show', async () => {
  await using stage = await openStage({ config: { audit: { destination: 'audit.log' } } });
  const mend = await breakFile(stage);
  expect(statusOf(await stage.send(post({ target: '/kept' })))).toBe(200);
  const { error } = await stage.gateway.logged(says('audit records cannot be written'));
  expect(error).toContain('EISDIR');
  const failing = await metricsWhen(stage.gateway, (all) => (all.get('ehi_audit_queue_bytes') ?? 0) > 0);
  const since = failing.get('ehi_audit_failing_since_timestamp_seconds') ?? 0;
  expect(Math.abs(Date.now() / 1000 - since)).toBeLessThan(600);
  expect((await stage.gateway.admin('/readyz')).status).toBe(200);

  await mend();
  const recovered = await stage.gateway.logged(says('audit records are written again'));
  expect(recovered).toMatchObject({ kept: expect.any(Number), lost: 0 });
  expect(recovered.kept).toBeGreaterThan(0);
  const samples = await readMetrics(stage.gateway);
  expect(samples.get('ehi_audit_failing_since_timestamp_seconds')).toBe(0);
  expect(samples.get('ehi_audit_records_lost_total')).toBe(0);
  expect(await stage.gateway.stop()).toEqual({ code: 0 });
  expect(await readFile(join(stage.gateway.folder, 'audit.log'), 'utf8')).toContain('"path":"/kept"');
});

it('refuses messages with 503 in every relay thread under audit.onFailure: refuse, until the file is writable again', async () => {
  await using stage = await openStage({
    config: { audit: { destination: 'audit.log', onFailure: 'refuse' }, relays: 2 },
  });
  const mend = await breakFile(stage);
  // One connection for each kind of record: the handshake record is the one that cannot be written.
  await using client = await stage.connect();
  await stage.gateway.logged(says('new messages are refused with 503 (audit_unavailable)'));
  let answer = await client.exchange(post({ target: '/refused' }));
  while (statusOf(answer) === 200) answer = await client.exchange(post({ target: '/refused' }));
  expect([statusOf(answer), answer.field('retry-after')]).toEqual([503, '1']);
  const { status, body } = await stage.gateway.admin('/readyz');
  expect(status).toBe(503);
  expect(body).toContain('audit records cannot be written, and audit.onFailure is refuse');
  const samples = await metricsWhen(stage.gateway, (all) =>
    all.has('ehi_messages_shed_total{route="none",reason="audit_unavailable"}'),
  );
  expect(samples.get('ehi_messages_shed_total{route="none",reason="audit_unavailable"}')).toBeGreaterThan(0);

  await mend();
  await stage.gateway.logged(says('new messages are accepted again'));
  do answer = await client.exchange(post({ target: '/relayed' }));
  while (statusOf(answer) === 503);
  expect(statusOf(answer)).toBe(200);
  expect((await stage.gateway.admin('/readyz')).status).toBe(200);
  expect(await stage.gateway.stop()).toEqual({ code: 0 });
  const text = await readFile(join(stage.gateway.folder, 'audit.log'), 'utf8');
  expect(text).toContain('"reason":"audit_unavailable"');
});

it('refuses messages once a reload sets audit.onFailure: refuse, also in a relay thread that replaces another', async () => {
  await using stage = await openStage({
    config: { audit: { destination: 'audit.log' } },
    env: { NODE_OPTIONS: `--import=${killer}` },
  });
  const { gateway } = stage;
  await breakFile(stage);
  await using client = await stage.connect();
  await gateway.logged(says('audit records cannot be written'));
  expect(statusOf(await client.exchange(post()))).toBe(200);
  await stage.configure({ audit: { destination: 'audit.log', onFailure: 'refuse' } });
  gateway.signal('SIGHUP');
  await gateway.logged(says('the configuration was reloaded'));
  let answer = await client.exchange(post());
  while (statusOf(answer) === 200) answer = await client.exchange(post());
  expect(statusOf(answer)).toBe(503);

  gateway.signal('SIGUSR2');
  await gateway.logged(says('a relay thread died'));
  const send = () => stage.send(post()).catch(() => null);
  let first = await send();
  while (first === null) first = await send();
  expect(statusOf(first)).toBe(503);
});

it('exits with 70 when records are unwritten at the end, and logs their number in its last line', async () => {
  await using stage = await openStage({ config: { audit: { destination: '/dev/full' } } });
  expect(statusOf(await stage.send(post()))).toBe(200);
  await stage.gateway.logged(says('audit records cannot be written'));
  expect(await stage.gateway.stop()).toEqual({ code: 70 });
  const last = stage.gateway.log().at(-1);
  expect(last).toMatchObject({ level: 50, lost: expect.any(Number) });
  expect(last?.msg).toContain('audit records were lost');
  // The records of the start, the handshake and the message.
  expect(last?.lost).toBeGreaterThanOrEqual(2);
});

it('relays messages after the reader of stdout has closed, logs that records are lost, and exits with 70', async () => {
  await using stage = await openStage();
  stage.gateway.closeStdout();
  expect(statusOf(await stage.send(post()))).toBe(200);
  await stage.gateway.logged(says('the reader of the pipe has ended'));
  expect(statusOf(await stage.send(post()))).toBe(200);
  const samples = await metricsWhen(
    stage.gateway,
    (all) => (all.get('ehi_audit_records_lost_total') ?? 0) >= 3,
  );
  expect(samples.get('ehi_audit_failing_since_timestamp_seconds')).toBeGreaterThan(0);
  expect(await stage.gateway.stop()).toEqual({ code: 70 });
  expect(stage.gateway.log().at(-1)?.msg).toContain('audit records were lost');
});
