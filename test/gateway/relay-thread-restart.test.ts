/** A relay thread that cannot restart because another process has taken its port. */
import { createServer } from 'node:net';
import { expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { statusOf } from '../support/http/http.ts';
import { post } from '../support/process/client.ts';
import { type Listening, listenOnLoopback } from '../support/process/listening.ts';
import { openStage } from '../support/process/stage.ts';

const killer = new URL('../support/process/relay-killer.ts', import.meta.url);

it('logs each failed restart of a relay thread, is not ready meanwhile, and serves again once the port is free', async () => {
  await using stage = await openStage({ config: { relays: 1 }, env: { NODE_OPTIONS: `--import=${killer}` } });
  const { gateway } = stage;
  expect(statusOf(await stage.send(post()))).toBe(200);
  const deaths = () => gateway.stderr.split('\n').filter((line) => line.includes('a relay thread died'));
  const squat = () => listenOnLoopback(createServer(), gateway.port).catch(() => null);
  let kills = 0;
  let squatter: Listening | null = null;
  // The next thread may listen before this process finds the port free: then that one is killed, too.
  while (squatter === null) {
    kills++;
    gateway.signal('SIGUSR2');
    await eventually(() => deaths().length === kills, Boolean, { interval: 1 });
    const isBack = async () => (await gateway.admin('/readyz')).status === 200;
    while (squatter === null && !(await isBack())) squatter = await squat();
  }
  await eventually(() => deaths().length >= kills + 2);
  expect(
    deaths()
      .slice(kills)
      .every((line) => line.includes('EADDRINUSE')),
  ).toBe(true);
  const unready = await gateway.admin('/readyz');
  expect(unready.status).toBe(503);
  expect(unready.body).toContain('no relay thread listens');
  expect((await gateway.admin('/healthz')).status).toBe(200);

  await squatter.close();
  await eventually(async () => (await gateway.admin('/readyz')).status === 200);
  expect(statusOf(await stage.send(post()))).toBe(200);
  for (const thread of [0, 1, 2])
    expect(
      await gateway.audit((record) => record.type === 'thread' && record.thread === thread),
    ).toMatchObject({ event: 'died' });
  const { threads, changes, gateway: state } = JSON.parse((await gateway.admin('/api/status')).body);
  expect(state).toMatchObject({ state: 'serving', ready: true });
  expect(threads).toMatchObject([{ thread: deaths().length }]);
  const died = changes.filter(({ event }: { event: string }) => event === 'died');
  expect(died).toHaveLength(deaths().length);
  expect(died.at(-1)).toMatchObject({ kind: 'thread', subject: 'relay thread 0', count: 1 });
});
