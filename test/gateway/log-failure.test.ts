/** The operational log cannot be written: the process continues and relays messages. */
import { execFileSync } from 'node:child_process';
import { constants, mkdtempSync, openSync, rmSync } from 'node:fs';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { statusOf } from '../support/http/http.ts';
import { post } from '../support/process/client.ts';
import { metricsWhen, readMetrics } from '../support/process/metrics.ts';
import { openStage } from '../support/process/stage.ts';

const dropped = 'ehi_log_lines_dropped_total';

it('relays messages while the disk of the log is full', async () => {
  await using stage = await openStage({ stderr: '/dev/full' });
  expect(statusOf(await stage.send(post()))).toBe(200);
  const before = (await readMetrics(stage.gateway)).get(dropped) ?? 0;
  expect((await stage.reload()).event).toBe('reloaded');
  await metricsWhen(stage.gateway, (samples) => (samples.get(dropped) ?? 0) > before);
  expect(statusOf(await stage.send(post()))).toBe(200);
  expect(await stage.gateway.stop()).toEqual({ code: 0 });
});

it('writes audit records while the log is not read, and logs that lines were dropped once it is', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'stderr-'));
  const path = join(folder, 'pipe');
  execFileSync('mkfifo', [path]);
  // This process holds the pipe open without reading it: it is soon full.
  const pipe = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  const reader = new Socket({ fd: pipe, readable: true, writable: false });
  reader.pause();
  try {
    await using stage = await openStage({ stderr: path });
    // Each of these writes one log line.
    const wrong = Object.fromEntries(
      Array.from({ length: 3_000 }, (_, n) => [`unknown${n}`, 'x'.repeat(40)]),
    );
    const isDropped = async () => ((await readMetrics(stage.gateway)).get(dropped) ?? 0) > 0;
    do expect((await stage.reload(wrong)).event).toBe('refused');
    while (!(await isDropped()));
    expect(statusOf(await stage.send(post({ target: '/unread' })))).toBe(200);
    await stage.gateway.audit(({ path }) => path === '/unread');

    let got = '';
    reader.setEncoding('utf8').on('data', (chunk: string) => {
      got += chunk;
      if (got.includes('log lines were dropped')) reader.pause();
    });
    while (!got.includes('log lines were dropped')) {
      reader.resume();
      await new Promise((done) => reader.once('data', done));
    }
    expect(await stage.gateway.stop()).toEqual({ code: 0 });
  } finally {
    reader.destroy();
    rmSync(folder, { recursive: true, force: true });
  }
});
