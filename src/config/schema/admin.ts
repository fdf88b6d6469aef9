/** `admin`: the port for metrics and health. */
import type { z } from 'zod';
import { section } from './field-types.ts';
import * as value from './formats.ts';

export type Admin = z.output<typeof adminSchema>;

export const adminSchema = section({
  address: value.address
    .prefault('127.0.0.1')
    .describe('The address of the admin port. It serves plain HTTP: keep it in an internal network.'),
  port: value.port
    .prefault(9090)
    .describe('0: the operating system chooses a free port, which the log names at the start.'),
})
  .prefault({})
  .describe('Where `/metrics`, `/healthz`, `/readyz` and `/upstreams` are served.');
