/** What runs the image: runc, and where the kernel lets it run nothing at all, chroot. */
import { chrooted } from './chroot.ts';
import type { Container, ContainerOptions } from './container.ts';
import { refusalOfRunc, runcContainer } from './runc.ts';

export type Runtime = (options: ContainerOptions) => Container | Promise<Container>;

/** `folder`: for the attempt. */
export async function chooseRuntime(folder: string): Promise<Runtime> {
  const refusal = await refusalOfRunc(folder);
  if (refusal === undefined) return runcContainer;
  console.log(`NO CONTAINER, for runc runs nothing on this machine; the image runs by chroot:\n${refusal}`);
  return chrooted;
}
