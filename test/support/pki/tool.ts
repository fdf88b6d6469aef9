/** The independent tools that read and write the same files: `openssl` and Java's `keytool`. */
import { spawnSync } from 'node:child_process';

interface ToolOptions {
  readonly cwd?: string;
  readonly input?: string | Uint8Array;
}

/** What it prints on stdout; throws with its errors if it fails. */
export function openssl(args: readonly string[], options: ToolOptions = {}): string {
  return run('openssl', args, options).stdout;
}

/** What it prints on stderr, which is where `-info` goes. */
export function opensslNotes(args: readonly string[], options: ToolOptions = {}): string {
  return run('openssl', args, options).stderr;
}

export function keytool(args: readonly string[], options: ToolOptions): string {
  return run('keytool', args, options).stdout;
}

/** Java is not installed everywhere. */
export const hasKeytool = spawnSync('keytool', ['-help']).error === undefined;

function run(tool: string, args: readonly string[], options: ToolOptions) {
  const { status, stdout, stderr, error } = spawnSync(tool, args, { encoding: 'utf8', ...options });
  if (status !== 0) throw new Error(`${tool} ${args.join(' ')}: ${stdout}${stderr}`, { cause: error });
  return { stdout, stderr };
}
