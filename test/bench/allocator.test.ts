import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { allocatorSettings } from '../../bench/peers/gateway.ts';

const root = new URL('../../', import.meta.url).pathname;

it('measures the gateway with what the image and the systemd unit tell malloc, both the same', () => {
  const unit = readFileSync(`${root}packaging/systemd/ehi-gateway.service`, 'utf8');
  const told = [...unit.matchAll(/^Environment=(MALLOC\w+)=(\S+)$/gm)].map(([, name, value]) => [
    name,
    value,
  ]);
  expect(told).toEqual(Object.entries(allocatorSettings(root)));
  expect(told).toEqual([['MALLOC_MMAP_THRESHOLD_', '65536']]);
});
