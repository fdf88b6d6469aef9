/** Prometheus' text format, as a foreign server may write it. */
import { expect, it } from 'vitest';
import { readSamples } from '../../../src/inspection/inventory/metrics-text.ts';

it('reads names, labels with escapes, and values; leaves out what is no sample', () => {
  const text = [
    '# HELP up Whether it is up',
    'up 1',
    'named{name="CN=a\\"b\\\\c\\nd,O=x",serial="0f"} 1.5e3 1700000000',
    'nothing',
    'bad{ 1',
    'wrong{a="b"} x',
  ].join('\n');
  expect(readSamples(text)).toEqual([
    { name: 'up', labels: {}, value: 1 },
    { name: 'named', labels: { name: 'CN=a"b\\c\nd,O=x', serial: '0f' }, value: 1500 },
  ]);
});
