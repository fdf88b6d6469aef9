import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { createSite, minimal } from '../config/site.ts';
import { program } from '../support/process/program.ts';
import { openStage } from '../support/process/stage.ts';

/** Runs a command whose stdout has no reader any more. */
async function runWithoutReader(...args: string[]) {
  const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  child.stdout.destroy();
  const [stderr, [code]] = await Promise.all([text(child.stderr), once(child, 'exit')]);
  return { stderr, code };
}

describe('a closed stdout ends a command quietly, with the exit code that a shell reports for SIGPIPE', () => {
  it.each([[['--help']], [['--version']], [['simulate', '--help']]])('%j', async (args) => {
    expect(await runWithoutReader(...args)).toEqual({ stderr: '', code: 141 });
  });

  it('check', async () => {
    await using site = await createSite();
    await site.write('gateway.yaml', stringify(minimal));
    const { stderr, code } = await runWithoutReader('check', '--config', site.file, '--elsewhere');
    expect(stderr).not.toContain('EPIPE');
    expect(code).toBe(141);
  });

  it('simulate, before it sends a message', async () => {
    await using stage = await openStage();
    expect(await runWithoutReader('simulate', stage.host.url)).toEqual({ stderr: '', code: 141 });
    expect(stage.host.requests).toEqual([]);
  });
});

it('a stdout that cannot be written is an error of one line', async () => {
  const full = openSync('/dev/full', 'w');
  const child = spawn(process.execPath, [program, '--version'], { stdio: ['ignore', full, 'pipe'] });
  const [stderr, [code]] = await Promise.all([text(child.stderr as never), once(child, 'exit')]);
  expect({ stderr, code }).toEqual({ stderr: 'stdout: cannot be written (ENOSPC)\n', code: 70 });
});
