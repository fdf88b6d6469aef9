import { expect, it } from 'vitest';
import { type RevocationSourceFacts, revocationSeries } from '../../src/telemetry/revocation-series.ts';

const leaf: RevocationSourceFacts = {
  ...{ anchor: 'sandbox', kind: 'ocsp', address: 'http://ocsp.example/', subject: 'CN=client' },
  ...{ serial: '0a', fetchedAt: 1000, nextUpdate: 9000, entries: null, unclear: null, failures: 0 },
};
const labels = {
  anchor: 'sandbox',
  kind: 'ocsp',
  address: 'http://ocsp.example/',
  subject: 'CN=client',
  serial: '0a',
};

it('reports two certificates of one subject separately, by their serials', () => {
  const other = { ...leaf, serial: '0b', nextUpdate: 100 };
  const series = revocationSeries([leaf, other], { value: ({ nextUpdate }) => nextUpdate, worse: Math.min });
  expect(series).toEqual([
    { labels, value: 9000 },
    { labels: { ...labels, serial: '0b' }, value: 100 },
  ]);
});

it('reports the worse of two sources with the same labels, in either order', () => {
  const failing = { ...leaf, failures: 7 };
  for (const sources of [
    [leaf, failing],
    [failing, leaf],
  ])
    expect(revocationSeries(sources, { value: ({ failures }) => failures, worse: Math.max })).toEqual([
      { labels, value: 7 },
    ]);
});

it('reports the source that has a value, and keeps other sources separate', () => {
  const unasked = { ...leaf, fetchedAt: null };
  const other = { ...leaf, anchor: 'production', fetchedAt: 500 };
  const nothing = { ...leaf, subject: null, fetchedAt: null };
  const series = revocationSeries([unasked, leaf, other, nothing], {
    value: ({ fetchedAt }) => fetchedAt,
    worse: Math.min,
  });
  expect(series).toEqual([
    { labels, value: 1000 },
    { labels: { ...labels, anchor: 'production' }, value: 500 },
  ]);
});
