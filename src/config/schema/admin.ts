/** `admin`: the port for the page, metrics and health. */
import type { z } from 'zod';
import { listOf, mapping } from './field-types.ts';
import * as format from './formats.ts';

export type Admin = z.output<typeof adminSchema>;

export const adminSchema = mapping({
  address: format.address
    .prefault('127.0.0.1')
    .describe('The address of the admin port. It serves plain HTTP: keep it in an internal network.'),
  port: format.port
    .prefault(9090)
    .describe('0: the operating system chooses a free port, which the `ready` line on stdout names.'),
  hosts: listOf(format.hostName, 'host names')
    .exactOptional()
    .describe(
      'Names under which browsers open the page and `/api/status`, besides IP addresses and `localhost`. A request with another Host header gets 421, so that no other site can read them through DNS rebinding.',
    ),
})
  .prefault({})
  .describe(
    'Where the page `/`, `/api/status`, `/metrics`, `/healthz`, `/readyz` and `/upstreams` are served.',
  );
