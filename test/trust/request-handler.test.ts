import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { type TrustRequest, writeRequest } from '../../src/trust/request-files.ts';
import { RequestHandler } from '../../src/trust/request-handler.ts';
import { temporaryFolder } from '../support/folder.ts';

it('handles each request once in concurrent calls, and reports a persistent problem once', async () => {
  await using folder = await temporaryFolder();
  const [done, problems]: [TrustRequest[], string[]] = [[], []];
  const handler = new RequestHandler({
    cacheDir: () => folder.path,
    onRequest: async (request) => void done.push(request),
    onProblem: (detail) => problems.push(detail),
  });
  const addresses = Array.from({ length: 50 }, (_, index) => `http://crl.test/${index}`);
  for (const address of addresses)
    await writeRequest(folder.path, { command: 'forget', anchor: 'own', candidate: false, address });
  await mkdir(join(folder.path, 'requests', '0.json'));
  await Promise.all([handler.run(), handler.run()]);
  await handler.run();
  const taken = done.map((request) => (request.command === 'forget' ? request.address : null));
  expect(taken.toSorted()).toEqual(addresses.toSorted());
  expect(problems).toEqual([expect.stringContaining('0.json')]);
});
