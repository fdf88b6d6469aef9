import { expect, test } from 'vitest';
import { authorityHoldings } from '../../../src/inspection/holdings/file-holdings.ts';

test('a configured file that does not end is read up to 16 MiB and is a fault', async () => {
  const [holding] = await authorityHoldings({
    ...{
      purpose: 'upstream_ca',
      path: 'routes[0].tls.ca',
      usedBy: 'host https://10.0.0.1',
      source: '/dev/zero',
    },
  });
  expect(holding).toMatchObject({ kind: 'fault', detail: expect.stringContaining('more than 16 MiB') });
});
