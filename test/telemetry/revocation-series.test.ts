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

it('shows two certificates of one subject apart, by their serials', () => {
  const other = { ...leaf, serial: '0b', nextUpdate: 100 };
  const series = revocationSeries([leaf, other], { value: ({ nextUpdate }) => nextUpdate, worse: Math.min });
  expect(series).toEqual([
    { labels, value: 9000 },
    { labels: { ...labels, serial: '0b' }, value: 100 },
  ]);
});

it('shows the worse of two sources that have the same labels, whichever comes first', () => {
  const failing = { ...leaf, failures: 7 };
  for (const sources of [
    [leaf, failing],
    [failing, leaf],
  ])
    expect(revocationSeries(sources, { value: ({ failures }) => failures, worse: Math.max })).toEqual([
      { labels, value: 7 },
    ]);
});

it('shows one that has a value where the other has none, and keeps others apart', () => {
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
