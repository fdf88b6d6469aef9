/** What becomes of the audit file under logrotate: every record is in one of its generations, once. */
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, renameSync, statSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { statusOf } from '../support/http/http.ts';
import { post } from '../support/process/client.ts';
import { openStage } from '../support/process/stage.ts';

const records = (file: string) =>
  readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
const paths = (file: string) => records(file).flatMap(({ type, path }) => (type === 'message' ? [path] : []));

it('is written anew under its path after it was renamed, with SIGHUP and without', async () => {
  await using stage = await openStage({ config: { audit: { destination: 'audit.log' } } });
  const file = join(stage.gateway.folder, 'audit.log');
  await using client = await stage.connect();
  const exchange = async (target: string) =>
    expect(statusOf(await client.exchange(post({ target })))).toBe(200);
  const isFollowed = (times: number) =>
    stage.gateway.logged(
      ({ msg }) =>
        /the audit file was moved or removed/.test(msg) &&
        stage.gateway.log().filter((line) => line.msg === msg).length >= times,
    );

  await exchange('/first');
  renameSync(file, `${file}.1`);
  stage.gateway.signal('SIGHUP');
  await isFollowed(1);
  await exchange('/second');
  renameSync(file, `${file}.2`);
  await exchange('/third');
  await isFollowed(2);
  await exchange('/fourth');
  const { body } = await stage.gateway.admin('/metrics');
  expect(body).toContain('\nehi_audit_records_lost_total 0\n');
  expect(await stage.gateway.stop()).toEqual({ code: 0 });

  const all = ['.1', '.2', ''].map((end) => paths(`${file}${end}`));
  expect(all.flat()).toEqual(['/first', '/second', '/third', '/fourth']);
  expect(all[2]).toContain('/fourth');
  expect(statSync(file).mode & 0o007).toBe(0);
});

it('is rotated by logrotate as packaging/systemd configures it', async ({ skip }) => {
  const run = promisify(execFile);
  const version = await run('logrotate', ['--version']).catch(() => null);
  if (version === null) return skip('logrotate is not installed');
  await using stage = await openStage({ config: { audit: { destination: 'audit.log' } } });
  const { folder, pid } = stage.gateway;
  const packaged = readFileSync(
    new URL('../../packaging/systemd/ehi-gateway.logrotate', import.meta.url),
    'utf8',
  );
  const configuration = packaged
    .replaceAll('/var/log/ehi-gateway', folder)
    .replace(/^\s*su .*$/m, '')
    .replace(/systemctl kill .*/, `kill -HUP ${pid}`);
  await writeFile(join(folder, 'logrotate.conf'), configuration, { mode: 0o600 });
  expect(statusOf(await stage.send(post({ target: '/before' })))).toBe(200);
  await eventually(() => paths(join(folder, 'audit.log')).includes('/before'));
  const rotated = stage.gateway.logged(({ msg }) => /the audit file was moved or removed/.test(msg));
  await run('logrotate', ['--force', '--state', join(folder, 'state'), join(folder, 'logrotate.conf')]);
  await rotated;
  expect(statusOf(await stage.send(post({ target: '/after' })))).toBe(200);
  expect(await stage.gateway.stop()).toEqual({ code: 0 });
  const [former = ''] = readdirSync(folder).filter((name) => name.startsWith('audit.log-'));
  expect(paths(join(folder, former))).toEqual(['/before']);
  expect(paths(join(folder, 'audit.log'))).toEqual(['/after']);
});
