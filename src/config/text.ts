/** The text of a configuration, from its file. */
import { readFile } from 'node:fs/promises';

/** Never rejects: what cannot be read is a finding. */
export async function readText(file: string): Promise<string | { found: string; allowed: string }> {
  const allowed = 'a YAML file in UTF-8 that can be read';
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(await readFile(file));
  } catch (cause) {
    return {
      found: `a file that cannot be read (${(cause as NodeJS.ErrnoException).code ?? 'unknown'})`,
      allowed,
    };
  }
}
