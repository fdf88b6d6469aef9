/** Host names that a gateway under test resolves from a file next to its configuration. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Gateway } from '../process/gateway.ts';

type Names = Readonly<Record<string, readonly string[]>>;

const file = 'names.json';
const preload = fileURLToPath(new URL('../process/preload-names.ts', import.meta.url));

/** For `openStage`. */
export function resolving(names: Names): { files: Record<string, string>; env: Record<string, string> } {
  return {
    files: { [file]: JSON.stringify(names) },
    env: { NODE_OPTIONS: `--import=${preload}`, EHI_TEST_NAMES: file },
  };
}

/** Applies from the next DNS look-up of the gateway on. */
export function renameTo(gateway: Gateway, names: Names): Promise<void> {
  return gateway.write(file, JSON.stringify(names));
}

/** The number of DNS look-ups of the name by the gateway. */
export async function timesAsked({ folder }: Gateway, name: string): Promise<number> {
  const asked = await readFile(join(folder, `${file}.asked`), 'utf8');
  return asked.split('\n').filter((each) => each === name).length;
}
