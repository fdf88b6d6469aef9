import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { type TrustRequest, takeRequests, writeRequest } from '../../src/trust/requests.ts';
import { temporaryFolder } from '../support/folder.ts';

const forget: TrustRequest = { command: 'forget', anchor: 'own', candidate: false, address: null };

it('gives each request once', async () => {
  await using folder = await temporaryFolder();
  expect(await takeRequests(folder.path)).toEqual([]);
  await writeRequest(folder.path, forget);
  await writeRequest(folder.path, { command: 'refresh' });
  const taken = await takeRequests(folder.path);
  expect(taken).toHaveLength(2);
  expect(taken).toEqual(expect.arrayContaining([forget, { command: 'refresh' }]));
  expect(await takeRequests(folder.path)).toEqual([]);
});

it.each(['', '{', 'null', '{"version":2,"command":"refresh"}', '{"version":1,"command":"forget"}'])(
  'removes what is no request, and does nothing: %s',
  async (text) => {
    await using folder = await temporaryFolder();
    await writeRequest(folder.path, forget);
    await takeRequests(folder.path);
    await writeFile(join(folder.path, 'requests', 'x.json'), text);
    await writeFile(join(folder.path, 'requests', 'x.json.tmp'), 'a draft');
    expect(await takeRequests(folder.path)).toEqual([]);
    expect(await readdir(join(folder.path, 'requests'))).toEqual(['x.json.tmp']);
  },
);
