/** `openssl s_client`, the tool that operators test with: what it prints, whatever it thinks of it. */
import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';

/** `input` is typed once the handshake is done, where s_client takes single letters as commands (`R`: renegotiate). */
export async function sClient(
  options: { readonly port: number; readonly input?: string },
  ...flags: string[]
): Promise<{ stdout: string; stderr: string }> {
  const { port, input } = options;
  const child = spawn('openssl', ['s_client', '-connect', `127.0.0.1:${port}`, ...flags]);
  child.stdin.on('error', () => {});
  if (input === undefined) child.stdin.end();
  else child.stdin.write(input);
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { stdout, stderr };
}
