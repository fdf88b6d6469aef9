/** A host that accepts no connection: its backlog is full, so that Linux drops further SYNs. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('./silent-process.ts', import.meta.url));

export interface SilentHost extends AsyncDisposable {
  /** `http://127.0.0.1:<port>` */
  readonly url: string;
}

export async function openSilentHost(): Promise<SilentHost> {
  const child = fork(program, [], { execArgv: [] });
  const [port] = await once(child, 'message');
  // A backlog of one holds two.
  const fillers = [0, 1].map(() => connect({ port, host: '127.0.0.1' }));
  await Promise.all(fillers.map((filler) => once(filler, 'connect')));
  for (const filler of fillers) filler.on('error', () => {});
  return {
    url: `http://127.0.0.1:${port}`,
    [Symbol.asyncDispose]: async () => {
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
      for (const filler of fillers) filler.destroy();
    },
  };
}
