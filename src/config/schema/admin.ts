/** `admin`: the port for metrics and health. */
import type { z } from 'zod';
import { mapping } from './field-types.ts';
import * as format from './formats.ts';

export type Admin = z.output<typeof adminSchema>;

export const adminSchema = mapping({
  address: format.address
    .prefault('127.0.0.1')
    .describe('The address of the admin port. It serves plain HTTP: keep it in an internal network.'),
  port: format.port
    .prefault(9090)
    .describe('0: the operating system chooses a free port, which the `ready` line on stdout names.'),
})
  .prefault({})
  .describe('Where `/metrics`, `/healthz`, `/readyz` and `/upstreams` are served.');
