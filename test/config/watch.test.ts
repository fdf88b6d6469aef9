import { appendFile, chmod, mkdir, rename, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { takeVersions } from '../../src/config/files/file-version.ts';
import { examineConfig } from '../../src/config/load.ts';
import { openWatch, type WatchOptions } from '../../src/config/watch.ts';
import { temporaryFolder } from '../support/folder.ts';
import { forget, project } from '../support/process/volume.ts';
import { createSite, minimal } from './site.ts';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let file: string;
beforeEach(async () => {
  folder = await temporaryFolder();
  file = join(folder.path, 'file');
});
afterEach(() => folder[Symbol.asyncDispose]());

/** A timer that the test fires. */
class HandTimers {
  #run: (() => void) | null = null;
  #set: (() => void) | null = null;
  interval = 0;

  setTimeout(run: () => void, milliseconds: number): number {
    this.#run = run;
    this.interval = milliseconds;
    this.#set?.();
    return 1;
  }

  clearTimeout(): void {
    this.#run = null;
  }

  get isSet(): boolean {
    return this.#run !== null;
  }

  /** Fires, and resolves when the timer is set again. */
  async ring(): Promise<void> {
    const set = new Promise<void>((resolve) => {
      this.#set = resolve;
    });
    const run = this.#run;
    this.#run = null;
    run?.();
    await set;
  }
}

async function watch(files: readonly string[], options: Partial<WatchOptions> = {}) {
  const timers = new HandTimers();
  let calls = 0;
  const watching = openWatch({
    files: await takeVersions(files),
    onChange: () => {
      calls++;
    },
    timers,
    ...options,
  });
  return {
    ...watching,
    timers,
    /** The number of onChange calls during the given number of polls. */
    async looks(count: number): Promise<number> {
      const before = calls;
      for (let look = 0; look < count; look++) await timers.ring();
      return calls - before;
    },
  };
}

/** Repeats the action until the file's change time differs: the clock of a file system has a coarse resolution. */
async function untilItShows(path: string, change: () => Promise<void>): Promise<void> {
  const { ctimeNs } = await stat(path, { bigint: true });
  do await change();
  while ((await stat(path, { bigint: true })).ctimeNs === ctimeNs);
}

describe('reports once, after the files did not change for one interval, that', () => {
  test('a file was written in place', async () => {
    await writeFile(file, 'one');
    const watching = await watch([file]);
    expect(await watching.looks(3)).toBe(0);
    await appendFile(file, ' more');
    expect(await watching.looks(1)).toBe(0);
    expect(await watching.looks(1)).toBe(1);
    expect(await watching.looks(5)).toBe(0);
  });

  test('a file was replaced by another of the same size and time', async () => {
    const time = new Date(1e12);
    await writeFile(file, 'one');
    await utimes(file, time, time);
    const watching = await watch([file]);
    await writeFile(`${file}.new`, 'two');
    await utimes(`${file}.new`, time, time);
    await rename(`${file}.new`, file);
    expect(await watching.looks(2)).toBe(1);
    expect(await watching.looks(3)).toBe(0);
  });

  test('a file was overwritten and its time set back', async () => {
    const time = new Date(1e12);
    await writeFile(file, 'one');
    await utimes(file, time, time);
    const watching = await watch([file]);
    await untilItShows(file, async () => {
      await writeFile(file, 'two');
      await utimes(file, time, time);
    });
    expect(await watching.looks(2)).toBe(1);
  });

  test('the mode of a file changed', async () => {
    await writeFile(file, 'one', { mode: 0o000 });
    const watching = await watch([file]);
    await untilItShows(file, () => chmod(file, 0o600));
    expect(await watching.looks(2)).toBe(1);
  });

  test('a file was deleted, and that it exists again', async () => {
    await writeFile(file, 'one');
    const watching = await watch([file]);
    await rm(file);
    expect(await watching.looks(2)).toBe(1);
    expect(await watching.looks(3)).toBe(0);
    await writeFile(file, 'one');
    expect(await watching.looks(2)).toBe(1);
    expect(await watching.looks(3)).toBe(0);
  });

  test('a file was deleted and written again between two polls', async () => {
    await writeFile(file, 'one');
    const watching = await watch([file]);
    await rm(file);
    await writeFile(file, 'three');
    expect(await watching.looks(2)).toBe(1);
  });

  test('a file was created, with its folder', async () => {
    const deep = join(folder.path, 'a', 'b', 'file');
    const watching = await watch([deep]);
    expect(await watching.looks(3)).toBe(0);
    await mkdir(dirname(deep), { recursive: true });
    expect(await watching.looks(3)).toBe(0);
    await writeFile(deep, 'one');
    expect(await watching.looks(2)).toBe(1);
  });

  test('several files changed', async () => {
    const files = ['a', 'b', 'c'].map((name) => join(folder.path, name));
    for (const name of files) await writeFile(name, 'one');
    const watching = await watch(files);
    for (const name of files) await writeFile(name, 'three');
    expect(await watching.looks(5)).toBe(1);
  });

  test('a symbolic link has another target', async () => {
    const [current, first, second] = ['current', '1', '2'].map((name) => join(folder.path, name));
    for (const state of [first, second]) {
      await mkdir(state as string);
      await writeFile(join(state as string, 'file'), 'one');
    }
    await symlink('1', current as string);
    const watching = await watch([join(current as string, 'file')]);
    await symlink('2', `${current}.new`);
    await rename(`${current}.new`, current as string);
    expect(await watching.looks(2)).toBe(1);
    expect(await watching.looks(3)).toBe(0);
  });

  test('the kubelet replaced a volume', async () => {
    const volume = join(folder.path, 'volume');
    const names = ['gateway.yaml', 'tls.crt', 'tls.key'];
    const files = Object.fromEntries(names.map((name) => [name, 'same']));
    await project(volume, '..2026_01_01_00_00_00.1', files);
    const watching = await watch(names.map((name) => join(volume, name)));
    expect(await watching.looks(3)).toBe(0);
    await project(volume, '..2026_01_01_00_01_00.2', files);
    expect(await watching.looks(1)).toBe(0);
    await forget(volume, '..2026_01_01_00_00_00.1');
    expect(await watching.looks(1)).toBe(1);
    expect(await watching.looks(3)).toBe(0);
  });
});

describe('does not report a change', () => {
  test('while files still change', async () => {
    await writeFile(file, '');
    const watching = await watch([file]);
    for (let part = 0; part < 5; part++) {
      await appendFile(file, 'part');
      expect(await watching.looks(1)).toBe(0);
    }
    expect(await watching.looks(1)).toBe(1);
  });

  test('that is undone before it was reported', async () => {
    const watching = await watch([file]);
    await writeFile(file, 'one');
    expect(await watching.looks(1)).toBe(0);
    await rm(file);
    expect(await watching.looks(5)).toBe(0);
  });

  test('after it is closed', async () => {
    const watching = await watch([file]);
    watching.close();
    expect(watching.timers.isSet).toBe(false);
  });

  test('when it is closed during a poll', async () => {
    let calls = 0;
    const timers = new HandTimers();
    const watching = openWatch({
      files: new Map([[file, 'another state']]),
      onChange: () => void calls++,
      timers,
    });
    await timers.ring();
    void timers.ring();
    watching.close();
    await takeVersions([file]);
    await takeVersions([file]);
    expect(calls).toBe(0);
    expect(timers.isSet).toBe(false);
  });

  test('when files are added to or removed from the watched ones', async () => {
    const other = join(folder.path, 'other');
    await writeFile(file, 'one');
    await writeFile(other, 'one');
    const watching = await watch([file]);
    watching.update(await takeVersions([file, other]));
    expect(await watching.looks(3)).toBe(0);
    await writeFile(other, 'three');
    expect(await watching.looks(2)).toBe(1);
    watching.update(await takeVersions([other]));
    await writeFile(file, 'three');
    expect(await watching.looks(3)).toBe(0);
  });
});

test('watches the files of a load that ends during a poll', async () => {
  const other = join(folder.path, 'other');
  const watching = await watch([file]);
  const files = await takeVersions([file, other]);
  const look = watching.looks(1);
  watching.update(files);
  expect(await look).toBe(0);
  expect(await watching.looks(3)).toBe(0);
  await writeFile(other, 'one');
  expect(await watching.looks(2)).toBe(1);
});

test('polls once a second', async () => {
  const { timers } = await watch([file]);
  expect(timers.interval).toBe(1000);
});

test('does not poll during a load, and reports changes during the load afterwards', async () => {
  await writeFile(file, 'one');
  const timers = new HandTimers();
  const loads: (() => void)[] = [];
  let begun = () => {};
  const watching = openWatch({
    files: await takeVersions([file]),
    onChange: () => {
      begun();
      return new Promise<void>((done) => {
        loads.push(done);
      });
    },
    timers,
  });
  await appendFile(file, ' two');
  await timers.ring();
  const begins = new Promise<void>((resolve) => {
    begun = resolve;
  });
  const looked = timers.ring();
  await begins;
  const before = await takeVersions([file]);
  await appendFile(file, ' three');
  expect(timers.isSet).toBe(false);
  watching.update(before);
  loads[0]?.();
  await looked;
  await timers.ring();
  expect(loads).toHaveLength(1);
  void timers.ring();
  await new Promise<void>((resolve) => {
    begun = resolve;
  });
  expect(loads).toHaveLength(2);
  watching.close();
});

test('a load returns versions from before each file was read, so that a change during the load is reported', async () => {
  await using site = await createSite();
  await site.write('gateway.yaml', stringify(minimal));
  const change = (name: string) => appendFile(join(site.folder, name), '\n# changed');
  for (const name of ['gateway.yaml', 'server.pem', 'server.key', 'anchor.pem']) {
    // The anchors are read last.
    const { files, problems } = await examineConfig(site.file, Date.now(), async () => {
      await change(name);
      return { problems: [], warnings: [] };
    });
    expect(problems).toEqual([]);
    const watching = await watch([], { files });
    expect(await watching.looks(3), name).toBe(1);
    watching.update((await examineConfig(site.file)).files);
    expect(await watching.looks(3), name).toBe(0);
    watching.close();
  }
});

test('reports a refused change again only after another change', async () => {
  await writeFile(file, 'one');
  const watching = await watch([file]);
  await writeFile(file, 'broken');
  // A load that fails early may not call `update`.
  expect(await watching.looks(6)).toBe(1);
  await writeFile(file, 'mended file');
  expect(await watching.looks(6)).toBe(1);
});
