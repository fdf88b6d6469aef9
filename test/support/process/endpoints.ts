/** What `/upstreams` on the admin port says of the endpoints. */
import { scheduler } from 'node:timers/promises';
import { expect } from 'vitest';
import type { EndpointReport } from '../../../src/telemetry/endpoint-report.ts';
import type { Gateway } from './gateway.ts';

async function endpoints(gateway: Gateway): Promise<EndpointReport[]> {
  const { status, body } = await gateway.admin('/upstreams');
  expect(status).toBe(200);
  return JSON.parse(body).endpoints;
}

/** Asks until the endpoints are so: the relay threads report in batches. */
export async function endpointsWhen(
  gateway: Gateway,
  fits: (found: EndpointReport[]) => boolean,
): Promise<EndpointReport[]> {
  for (;;) {
    const found = await endpoints(gateway);
    if (fits(found)) return found;
    await scheduler.wait(20);
  }
}
