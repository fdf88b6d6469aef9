/** A relay thread that cannot come back, for another process took its port meanwhile. */
import { createServer } from 'node:net';
import { scheduler } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { statusOf } from '../support/http/http.ts';
import { post } from '../support/process/client.ts';
import { listenOnLoopback } from '../support/process/listening.ts';
import { openStage } from '../support/process/stage.ts';

const killer = new URL('../support/process/relay-killer.ts', import.meta.url);

it('is told of each time, keeps the gateway from being ready, and serves again once the port is free', async () => {
  await using stage = await openStage({ config: { relays: 1 }, env: { NODE_OPTIONS: `--import=${killer}` } });
  const { gateway } = stage;
  expect(statusOf(await stage.send(post()))).toBe(200);
  gateway.signal('SIGUSR2');
  const squat = async () => {
    for (;;) {
      try {
        return await listenOnLoopback(createServer(), gateway.port);
      } catch {
        await scheduler.wait(1);
      }
    }
  };
  const squatter = await squat();
  const deaths = () => gateway.stderr.split('\n').filter((line) => line.includes('a relay thread died'));
  while (deaths().length < 3) await scheduler.wait(20);
  expect(
    deaths()
      .slice(1)
      .every((line) => line.includes('EADDRINUSE')),
  ).toBe(true);
  const unready = await gateway.admin('/readyz');
  expect(unready.status).toBe(503);
  expect(unready.body).toContain('no relay thread listens');
  expect((await gateway.admin('/healthz')).status).toBe(200);

  await squatter.close();
  while ((await gateway.admin('/readyz')).status !== 200) await scheduler.wait(20);
  expect(statusOf(await stage.send(post()))).toBe(200);
  for (const thread of [0, 1, 2])
    expect(
      await gateway.audit((record) => record.type === 'thread' && record.thread === thread),
    ).toMatchObject({ event: 'died' });
});
