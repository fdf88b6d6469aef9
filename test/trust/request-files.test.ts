import { execFileSync } from 'node:child_process';
import { mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { type TrustRequest, takeRequests, writeRequest } from '../../src/trust/request-files.ts';
import { temporaryFolder } from '../support/folder.ts';

const forget: TrustRequest = { command: 'forget', anchor: 'own', candidate: false, address: null };

it('returns each request once', async () => {
  await using folder = await temporaryFolder();
  expect(await takeRequests(folder.path)).toEqual({ requests: [], problems: [] });
  await writeRequest(folder.path, forget);
  await writeRequest(folder.path, { command: 'refresh' });
  await writeRequest(folder.path, { command: 'refresh' });
  const { requests: taken } = await takeRequests(folder.path);
  expect(taken).toHaveLength(2);
  expect(taken).toEqual(expect.arrayContaining([forget, { command: 'refresh' }]));
  expect(await takeRequests(folder.path)).toEqual({ requests: [], problems: [] });
});

it.each(['', '{', 'null', '{"version":2,"command":"refresh"}', '{"version":1,"command":"forget"}'])(
  'removes a file that is no request, and returns nothing for it: %s',
  async (text) => {
    await using folder = await temporaryFolder();
    await writeRequest(folder.path, forget);
    await takeRequests(folder.path);
    await writeFile(join(folder.path, 'requests', 'x.json'), text);
    await writeFile(join(folder.path, 'requests', 'x.json.tmp'), 'a draft');
    expect(await takeRequests(folder.path)).toEqual({ requests: [], problems: [] });
    expect(await readdir(join(folder.path, 'requests'))).toEqual(['x.json.tmp']);
  },
);

it('returns the other requests if one cannot be removed', async () => {
  await using folder = await temporaryFolder();
  await writeRequest(folder.path, forget);
  const requests = join(folder.path, 'requests');
  for (const name of ['0.json', 'z.json']) await mkdir(join(requests, name));
  await writeRequest(folder.path, { command: 'refresh' });
  const { requests: taken, problems } = await takeRequests(folder.path);
  expect(taken).toEqual(expect.arrayContaining([forget, { command: 'refresh' }]));
  expect(problems).toEqual([expect.stringContaining('0.json'), expect.stringContaining('z.json')]);
  expect(await takeRequests(folder.path)).toMatchObject({ requests: [] });
});

it('removes pipes, links and files that are too long without reading them', async () => {
  await using folder = await temporaryFolder();
  await writeRequest(folder.path, forget);
  const requests = join(folder.path, 'requests');
  execFileSync('mkfifo', [join(requests, '0.json')]);
  await symlink('/dev/zero', join(requests, '1.json'));
  await writeFile(
    join(requests, '2.json'),
    JSON.stringify({ ...forget, version: 1, anchor: 'x'.repeat(70_000) }),
  );
  expect(await takeRequests(folder.path)).toEqual({ requests: [forget], problems: [] });
  expect(await readdir(requests)).toEqual([]);
});
