/** Reads the section `admin` alone, for the command `health`: it must work while another section is not valid. */
import { ConfigError } from '../errors.ts';
import { parseConfigDocument } from './document.ts';
import { readConfigText } from './files/config-text.ts';
import { type Admin, adminSchema } from './schema/admin.ts';
import { valueAt } from './yaml-values.ts';

/** Throws ConfigError where the file cannot be read, `admin` is not valid, or its port is 0. */
export async function readAdmin(file: string): Promise<Admin> {
  const text = await readConfigText(file);
  if (typeof text !== 'string') throw new ConfigError([{ file, line: 1, column: 1, path: '', ...text }]);
  const document = parseConfigDocument(text, file);
  if (document.value === undefined) throw new ConfigError(document.problems);
  const { data, error } = adminSchema.safeParse(valueAt(document.value, ['admin']));
  if (data !== undefined && data.port !== 0) return data;
  const issues = error?.issues ?? [{ path: ['port'], message: 'a fixed port, which can be connected to' }];
  throw new ConfigError(
    issues.map(({ path, message }) => document.locate({ path: ['admin', ...path], allowed: message })),
  );
}
