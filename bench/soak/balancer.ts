/** HAProxy in front of several gateways: TCP, PROXY protocol, and no new connection to a gateway that is not ready. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../processes.ts';

export interface Balancer extends AsyncDisposable {
  readonly port: number;
  /** Resolves when HAProxy reports every server as up. */
  allUp(): Promise<void>;
}

export async function startBalancer(options: {
  readonly folder: string;
  readonly servers: readonly { readonly listen: number; readonly admin: number }[];
}): Promise<Balancer> {
  const { folder, servers } = options;
  const [port, socket, file] = [await freePort(), join(folder, 'haproxy.sock'), join(folder, 'haproxy.cfg')];
  const lines = servers.map(
    ({ listen, admin }, index) =>
      `  server gateway${index} 127.0.0.1:${listen} send-proxy-v2 check port ${admin} inter 200ms fall 1 rise 1`,
  );
  await writeFile(
    file,
    `
global
  nbthread 1
  stats socket ${socket}
defaults
  mode tcp
  timeout connect 1s
  timeout client 80s
  timeout server 80s
  retries 3
  option redispatch
listen ehi
  bind 127.0.0.1:${port}
  balance roundrobin
  option httpchk GET /readyz
  http-check expect status 200
${lines.join('\n')}
`,
  );
  const child = spawn('haproxy', ['-db', '-q', '-f', file], { stdio: ['ignore', 'ignore', 'inherit'] });
  const ended = once(child, 'exit');
  await once(child, 'spawn');
  const balancer: Balancer = {
    port,
    async allUp() {
      for (const end = Date.now() + 10_000; (await countUp(socket)) < servers.length; await sleep(20)) {
        if (child.exitCode !== null) throw new Error(`haproxy ended with ${child.exitCode}`);
        if (Date.now() > end) throw new Error('haproxy does not find every gateway ready');
      }
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await ended;
    },
  };
  try {
    await balancer.allUp();
    return balancer;
  } catch (error) {
    await balancer[Symbol.asyncDispose]();
    throw error;
  }
}

/** 0 also while HAProxy does not answer yet. */
async function countUp(path: string): Promise<number> {
  const asking = connect({ path });
  const statistics = await text(asking.end('show stat\n')).catch(() => '');
  return statistics.split('\n').filter((line) => /^ehi,gateway\d/.test(line) && line.includes(',UP,')).length;
}
