/** Notifications to the service manager; `.ci/package` tests them with a real systemd. */
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { temporaryFolder } from '../support/folder.ts';
import { statusOf } from '../support/http/http.ts';
import { post } from '../support/process/client.ts';
import { openStage } from '../support/process/stage.ts';

/** A `systemd-notify` that records its messages. */
async function openNotebook() {
  const folder = await temporaryFolder();
  const [program, notes] = [join(folder.path, 'systemd-notify'), join(folder.path, 'notes')];
  await writeFile(program, `#!/bin/sh\necho "$@" >>'${notes}'\n`);
  await chmod(program, 0o700);
  const lines = async () => (await readFile(notes, 'utf8').catch(() => '')).split('\n').slice(0, -1);
  return {
    env: { NOTIFY_SOCKET: '/run/systemd/notify', PATH: `${folder.path}:${process.env.PATH}` },
    lines,
    async until(count: number) {
      while ((await lines()).length < count);
    },
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
}

it('reports readiness, every requested reload, applied or refused, and the stop, in order', async () => {
  await using notebook = await openNotebook();
  await using stage = await openStage({ env: notebook.env });
  await notebook.until(1);
  expect(await stage.gateway.reload()).toMatchObject({ event: 'reloaded' });
  await notebook.until(3);
  await stage.gateway.write('gateway.yaml', 'listen: [');
  expect(await stage.gateway.reload()).toMatchObject({ event: 'refused' });
  await notebook.until(5);
  expect(await stage.gateway.stop()).toEqual({ code: 0 });
  const reloading = expect.stringMatching(/^RELOADING=1 MONOTONIC_USEC=\d+$/);
  expect(await notebook.lines()).toEqual([
    'READY=1',
    ...[reloading, 'READY=1'],
    ...[reloading, 'READY=1'],
    'STOPPING=1',
  ]);
});

it('reports no reload once the stop has begun', async () => {
  await using notebook = await openNotebook();
  await using stage = await openStage({ env: notebook.env, config: { timeouts: { drainDelay: '3s' } } });
  await notebook.until(1);
  stage.gateway.signal('SIGTERM');
  await notebook.until(2);
  stage.gateway.signal('SIGHUP');
  expect(await stage.gateway.exited()).toEqual({ code: 0 });
  expect(await notebook.lines()).toEqual(['READY=1', 'STOPPING=1']);
});

it('relays messages when the service manager cannot be notified, and logs it', async () => {
  await using stage = await openStage({ env: { NOTIFY_SOCKET: '/run/systemd/notify', PATH: '/nowhere' } });
  await stage.gateway.logged(({ msg }) =>
    `${msg}`.startsWith('the state of the service cannot be reported to systemd (systemd-notify failed)'),
  );
  expect(statusOf(await stage.send(post()))).toBe(200);
  expect(await stage.gateway.stop()).toEqual({ code: 0 });
});
