/** Runs one command of the real program to its end. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { program } from './program.ts';

export interface CommandResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandOptions {
  readonly cwd: string;
  /** Written to stdin, which then ends. */
  readonly input?: string | Uint8Array;
  /** Octal, as `umask` takes it. */
  readonly umask?: string;
  /** Added to the environment. */
  readonly env?: Readonly<Record<string, string>>;
}

export async function runCommand(args: readonly string[], options: CommandOptions): Promise<CommandResult> {
  const { cwd, input = '', umask } = options;
  const env = { ...process.env, ...options.env };
  const node = process.env.NODE_UNDER_TEST ?? process.execPath;
  const child =
    umask === undefined
      ? spawn(node, [program, ...args], { cwd, env })
      : spawn('sh', ['-c', `umask ${umask} && exec "$0" "$@"`, node, program, ...args], { cwd, env });
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close') as Promise<[number | null]>,
  ]);
  return { code, stdout, stderr };
}
