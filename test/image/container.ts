/** An image as a container: what the image says, and what a runtime makes of it. */
import { readFile } from 'node:fs/promises';
import type { Readable } from 'node:stream';

/** As an image of Docker's format keeps it. */
export interface ImageConfig {
  readonly User: string;
  readonly Env: readonly string[];
  readonly Entrypoint: readonly string[];
  readonly Cmd: readonly string[];
  readonly StopSignal: string;
  readonly Healthcheck: { readonly Test: readonly string[] };
}

export interface Mount {
  readonly source: string;
  readonly destination: string;
  readonly writable?: boolean;
}

export interface ContainerOptions {
  readonly image: ImageConfig;
  /** Where the image's files are mounted. */
  readonly root: string;
  /** For what the runtime keeps of it. */
  readonly folder: string;
  readonly mounts: readonly Mount[];
}

export interface Container {
  readonly stdout: Readable;
  readonly exited: Promise<number | null>;
  /** The image's own health check, in the container: its exit code and its line. */
  health(): { readonly code: number | null; readonly line: string };
  /** The image's own stop signal. */
  stop(): void;
  kill(): void;
}

export async function readImage(inspection: string): Promise<ImageConfig> {
  const { Docker } = JSON.parse(await readFile(inspection, 'utf8')) as { Docker: { config: ImageConfig } };
  return Docker.config;
}

export function healthCommand({ Healthcheck }: ImageConfig): string[] {
  const [kind, ...command] = Healthcheck.Test;
  if (kind !== 'CMD') throw new Error(`the health check needs a shell: ${kind}`);
  return command;
}
