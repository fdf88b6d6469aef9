/** `admin`: where metrics and health are told, read alone by those who only ask there. */
import type { z } from 'zod';
import { ConfigError } from '../../errors.ts';
import { parseConfigDocument } from '../document.ts';
import { readText } from '../files/config-text.ts';
import { valueAt } from '../yaml-values.ts';
import { section } from './field-types.ts';
import * as value from './formats.ts';

export type Admin = z.output<typeof adminSchema>;

export const adminSchema = section({
  address: value.address.prefault('127.0.0.1').describe('Plain HTTP, so keep it inside.'),
  port: value.port.prefault(9090).describe('0: any free one, told in the ready line.'),
})
  .prefault({})
  .describe('`/metrics`, `/healthz`, `/readyz` and `/upstreams`.');

/** Whatever else is wrong in the file: a gateway that runs goes on when its file breaks. Throws ConfigError. */
export async function readAdmin(file: string): Promise<Admin> {
  const text = await readText(file);
  if (typeof text !== 'string') throw new ConfigError([{ file, line: 1, column: 1, path: '', ...text }]);
  const document = parseConfigDocument(text, file);
  if (document.value === undefined) throw new ConfigError(document.problems);
  const { data, error } = adminSchema.safeParse(valueAt(document.value, ['admin']));
  if (data !== undefined && data.port !== 0) return data;
  const findings = error?.issues ?? [{ path: ['port'], message: 'a port of its own, to be found at' }];
  throw new ConfigError(
    findings.map(({ path, message }) => document.place({ path: ['admin', ...path], allowed: message })),
  );
}
