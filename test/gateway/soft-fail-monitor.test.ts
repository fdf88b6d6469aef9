import { beforeEach, expect, it } from 'vitest';
import { SoftFailMonitor } from '../../src/gateway/soft-fail-monitor.ts';
import { Meter } from '../../src/telemetry/meter.ts';
import type { Recorder } from '../../src/telemetry/recorder.ts';

const minute = 60_000;
const begun =
  'clients are allowed although their revocation status is unknown (soft-fail); check the revocation sources of this anchor';
const over = 'clients are no longer allowed with an unknown revocation status';

let lines: [level: string, message: string, fields: unknown][];
let meter: Meter;
let softFail: SoftFailMonitor;

beforeEach(() => {
  lines = [];
  meter = new Meter();
  const recorder: Recorder = {
    meter,
    audit: () => {},
    span: () => {},
    log: (level, message, fields) => lines.push([level, message, fields]),
    logFailure: () => {},
  };
  softFail = new SoftFailMonitor(recorder);
});

it('logs the beginning once for an anchor, whatever the number of clients, and the end after a minute without any', () => {
  for (let now = 0; now < 100; now++) {
    softFail.begin('sandbox', now);
    softFail.end('sandbox', now);
    softFail.sweep(now);
  }
  expect(lines).toEqual([['warn', begun, { anchor: 'sandbox' }]]);
  softFail.sweep(99 + minute - 1);
  expect(lines).toHaveLength(1);
  softFail.sweep(99 + minute);
  softFail.sweep(99 + 2 * minute);
  expect(lines.slice(1)).toEqual([['info', over, { anchor: 'sandbox', permits: 100 }]]);
});

it('does not log the end while a connection is open', () => {
  softFail.begin('sandbox', 0);
  softFail.sweep(10 * minute);
  expect(lines).toHaveLength(1);
  expect(meter.softFailing).toBe(1);
  softFail.end('sandbox', 10 * minute);
  expect(meter.softFailing).toBe(0);
  softFail.sweep(11 * minute);
  expect(lines.map(([, message]) => message)).toEqual([begun, over]);
});

it('logs each anchor separately, and logs again when soft-fail begins again', () => {
  softFail.begin('one', 0);
  softFail.begin('two', 0);
  softFail.end('one', 0);
  softFail.sweep(minute);
  softFail.begin('one', minute);
  expect(lines.map(([, message, fields]) => [message, fields])).toEqual([
    [begun, { anchor: 'one' }],
    [begun, { anchor: 'two' }],
    [over, { anchor: 'one', permits: 1 }],
    [begun, { anchor: 'one' }],
  ]);
});
