/** What `/upstreams` on the admin port says of the endpoints. */
import { expect } from 'vitest';
import type { EndpointReport } from '../../../src/telemetry/endpoint-report.ts';
import { eventually } from '../eventually.ts';
import type { Gateway } from './gateway.ts';

async function endpoints(gateway: Gateway): Promise<EndpointReport[]> {
  const { status, body } = await gateway.admin('/upstreams');
  expect(status).toBe(200);
  return JSON.parse(body).endpoints;
}

/** Reads `/upstreams` until it fits: the relay threads report in batches. */
export async function endpointsWhen(
  gateway: Gateway,
  fits: (found: EndpointReport[]) => boolean,
): Promise<EndpointReport[]> {
  return await eventually(() => endpoints(gateway), fits);
}
