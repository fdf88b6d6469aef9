/** promtool's checks of names and units, on what a running gateway serves. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { metricTable } from '../../src/telemetry/metric-table.ts';
import { metricsWhen } from '../support/process/metrics.ts';
import { openStage, type Stage } from '../support/process/stage.ts';
import { command } from './support/chart.ts';

let stage: Stage;
let served: string;

beforeAll(async () => {
  stage = await openStage();
  await stage.send('POST / HTTP/1.1\r\nHost: ehi.example\r\nContent-Length: 2\r\n\r\n{}');
  await metricsWhen(stage.gateway, (samples) => samples.has('ehi_messages_total{route="/",code="200"}'));
  served = await stage.gateway.metrics();
});
afterAll(() => stage[Symbol.asyncDispose]());

/** promtool's objections to these metrics. */
function objectionsTo(metrics: string): string[] {
  const { stdout, stderr } = command('promtool', ['check', 'metrics'], metrics);
  return `${stdout}${stderr}`.split('\n').filter((line) => line !== '');
}

it('serves metrics whose names, units and types promtool accepts', () => {
  expect(metricTable.filter(({ name }) => !served.includes(`# HELP ${name} `))).toEqual([]);
  expect(objectionsTo(served)).toEqual([]);
});

it('notices a counter without the suffix that Prometheus expects', () => {
  expect(objectionsTo(`${served}# HELP ehi_late Late.\n# TYPE ehi_late counter\nehi_late 1\n`)).toHaveLength(
    1,
  );
});
