/** SIGUSR1 must not start Node's inspector, which would expose card messages to a debugger. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, it } from 'vitest';
import { statusOf } from '../support/http/http.ts';
import { post } from '../support/process/client.ts';
import { openStage } from '../support/process/stage.ts';

it('does not open the inspector on SIGUSR1', async () => {
  await using stage = await openStage();
  stage.gateway.signal('SIGUSR1');
  for (let count = 0; count < 20; count++) expect(statusOf(await stage.send(post()))).toBe(200);
  stage.gateway.signal('SIGUSR1');
  expect(await stage.gateway.stop()).toEqual({ code: 0 });
  expect(stage.gateway.stderr).not.toMatch(/debugger|inspector/i);
});

it('opens the inspector on SIGUSR1 in a plain Node process, so the test above can fail', async () => {
  const node = process.env.NODE_UNDER_TEST ?? process.execPath;
  const env = { ...process.env, NODE_OPTIONS: '--inspect-port=0' };
  const child = spawn(node, ['-e', 'console.log(1); setInterval(() => {}, 1000)'], { env });
  await once(child.stdout, 'data');
  child.kill('SIGUSR1');
  const [line] = await once(child.stderr, 'data');
  expect(String(line)).toMatch(/debugger listening/i);
  child.kill('SIGKILL');
});
