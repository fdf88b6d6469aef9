/** Reads a configuration for a report: also one with problems, as far as its fields are valid. */
import { dirname, resolve } from 'node:path';
import { parseConfigDocument } from '../config/document.ts';
import { readConfigText } from '../config/files/config-text.ts';
import { examineConfig } from '../config/load.ts';
import { parseConfig } from '../config/parse.ts';
import type { Config } from '../config/schema/schema.ts';
import { ConfigError, type ConfigProblem } from '../errors.ts';

export interface ReadConfiguration {
  readonly config: Config;
  /** Such as a server certificate that has expired; `run` would not start. */
  readonly problems: readonly ConfigProblem[];
}

/** Throws ConfigError if a field is not valid: then it is not known which files it means. */
export async function readConfiguration(file: string): Promise<ReadConfiguration> {
  const { loaded, problems } = await examineConfig(file);
  if (loaded !== null) return { config: loaded.config, problems: [] };
  const text = await readConfigText(file);
  const { value } = typeof text === 'string' ? parseConfigDocument(text, file) : { value: undefined };
  const { config } = value === undefined ? {} : parseConfig(value, dirname(resolve(file)));
  if (config === undefined) throw new ConfigError(problems);
  return { config, problems };
}
