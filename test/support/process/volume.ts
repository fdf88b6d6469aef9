/** A ConfigMap or Secret as kubelet mounts it. */
import { mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Writes `files` as kubelet's AtomicWriter does: a new folder for every state, one link that is swapped, and
 * links of the files' names through it. `state` is the folder's name.
 */
export async function project(
  volume: string,
  state: string,
  files: Readonly<Record<string, string>>,
): Promise<void> {
  await mkdir(join(volume, state), { recursive: true });
  for (const [name, content] of Object.entries(files)) {
    await writeFile(join(volume, state, name), content, { mode: 0o600 });
  }
  await symlink(state, join(volume, '..data_tmp'));
  await rename(join(volume, '..data_tmp'), join(volume, '..data'));
  for (const name of Object.keys(files)) {
    await symlink(join('..data', name), join(volume, name)).catch((error) => {
      if (error.code !== 'EEXIST') throw error;
    });
  }
}

/** Kubelet removes the old state last: the files that were read are removed, the watched paths still exist. */
export function forget(volume: string, state: string): Promise<void> {
  return rm(join(volume, state), { recursive: true });
}
