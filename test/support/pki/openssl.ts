/** `openssl s_client`, which operators test with, and `openssl s_server`, for what Node's server cannot do. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';

/**
 * The output of s_client, whatever the outcome. `input` is sent after the handshake; single letters are commands (`R`:
 * renegotiate).
 */
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

/** Serves TLS on 127.0.0.1 with the certificate and key in these files. */
export async function sServer(
  files: { readonly chain: string; readonly key: string },
  ...flags: string[]
): Promise<AsyncDisposable & { readonly port: number }> {
  const { chain, key } = files;
  const shown = ['-cert', chain, '-cert_chain', chain, '-key', key];
  const child = spawn('openssl', ['s_server', '-accept', '127.0.0.1:0', ...shown, ...flags]);
  const ended = once(child, 'exit');
  let printed = '';
  for await (const piece of child.stdout.iterator({ destroyOnReturn: false })) {
    printed += piece;
    if (/^ACCEPT \S+:\d+$/m.test(printed)) break;
  }
  child.stdout.resume();
  return {
    port: Number(/^ACCEPT \S+:(\d+)$/m.exec(printed)?.[1]),
    async [Symbol.asyncDispose]() {
      child.kill();
      await ended;
    },
  };
}
