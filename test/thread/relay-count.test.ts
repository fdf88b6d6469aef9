import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { configSchema } from '../../src/config/schema/schema.ts';
import { countRelays, MAX_RELAYS, memoryNeed } from '../../src/thread/relay-count.ts';

const MIB = 1024 * 1024;
const GIB = 1024 * MIB;
const big = { cores: 8, memory: 64 * GIB, sharesPort: true, connections: 10_000 };

describe('relays: auto is', () => {
  it.each([
    ['the number of cores, if the memory is enough', {}, { relays: 8, bound: 'cores' }],
    ['one on one core', { cores: 1 }, { relays: 1, bound: 'cores' }],
    ['what the memory limit allows, if that is less', { memory: 2 * GIB }, { relays: 2, bound: 'memory' }],
    [
      'two with the default resources of the chart',
      { memory: 768 * MIB, connections: 4000 },
      { relays: 2, bound: 'memory' },
    ],
    ['one, if not even one fits', { memory: 100 * MIB }, { relays: 1, bound: 'memory' }],
    ['one on one core, even if it does not fit', { cores: 1, memory: 0 }, { relays: 1, bound: 'cores' }],
    ['one, where threads cannot share a port', { sharesPort: false }, { relays: 1, bound: 'platform' }],
    ['at most 256', { cores: 512, memory: 1024 * GIB, connections: 100 }, { relays: 256, bound: 'maximum' }],
    ['256 on 256 cores', { cores: 256, memory: 1024 * GIB }, { relays: 256, bound: 'cores' }],
    ['what the memory limit allows on 512 cores', { cores: 512 }, { relays: 98, bound: 'memory' }],
  ] as const)('%s', (_what, machine, expected) => {
    expect(countRelays('auto', { ...big, ...machine })).toMatchObject(expected);
  });

  it('never more than cores and memory allow, and never one fewer than they allow', () => {
    const machines = fc.record({
      cores: fc.integer({ min: 1, max: 300 }),
      memory: fc.integer({ min: 0, max: 64 * GIB }),
      connections: fc.integer({ min: 1, max: 1_000_000 }),
    });
    fc.assert(
      fc.property(machines, ({ cores, memory, connections }) => {
        const machine = { cores, memory, connections, sharesPort: true };
        const { relays, memoryNeeded } = countRelays('auto', machine);
        expect(relays).toBeGreaterThanOrEqual(1);
        expect(relays).toBeLessThanOrEqual(Math.min(cores, MAX_RELAYS));
        if (relays > 1) expect(memoryNeeded).toBeLessThanOrEqual(memory);
        if (relays < Math.min(cores, MAX_RELAYS))
          expect(countRelays(relays + 1, machine).memoryNeeded).toBeGreaterThan(memory);
      }),
    );
  });
});

it('a number is taken as it is, with the memory that it needs', () => {
  const machine = { cores: 1, memory: 1, sharesPort: false, connections: 4000 };
  const needed = (160 + 2 * 36 + (3 * 4000 * 64) / 1024) * MIB;
  expect(countRelays(3, machine)).toEqual({ relays: 3, bound: 'configured', memoryNeeded: needed });
});

it('the maximum is that of the configuration', () => {
  const { relays } = configSchema('/').shape;
  expect(relays.safeParse(MAX_RELAYS).success).toBe(true);
  expect(relays.safeParse(MAX_RELAYS + 1).success).toBe(false);
});

describe('the figures of memory are those of', () => {
  const chart = (file: string) =>
    readFileSync(new URL(`../../helm/ehi-gateway/${file}`, import.meta.url), 'utf8');
  const first = memoryNeed.firstThread / MIB;
  const further = memoryNeed.furtherThread / MIB;
  const connection = memoryNeed.connection / 1024;

  it('the template of the chart that checks the memory limit', () => {
    const template = chart('templates/_checks.tpl');
    expect(template).toContain(`mul ${connection} $relays (include "ehi-gateway.connections" . | int)`);
    expect(template).toContain(
      `add ${first} (mul ${further} (sub $relays 1)) (div (add $kibibytes 1023) 1024)`,
    );
  });

  it('docs/operations.md', () => {
    const page = readFileSync(new URL('../../docs/operations.md', import.meta.url), 'utf8');
    expect(page.replaceAll(/\s+/g, ' ')).toContain(
      `${first} MiB for the process with its first thread, ${further} MiB for each further thread, and ${connection} KiB for each`,
    );
  });

  it('the README and the values of the chart', () => {
    for (const file of ['README.md.gotmpl', 'README.md']) {
      const page = chart(file).replaceAll(/\s+/g, ' ');
      expect(page).toContain(
        `| under load, with few connections | ${first} MiB, and ${further} MiB for each relay thread after the first |`,
      );
      expect(page).toContain(
        `${first} MiB, ${further} MiB for each relay thread after the first, and ${connection} KiB for each connection`,
      );
    }
    expect(chart('values.yaml')).toContain(`A connection needs ${connection} KiB of memory`);
  });
});
