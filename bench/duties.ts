/** Checks that a gateway does the work that is measured: the fields that must reach the host with a message. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { HostAnswer, HostQuestion } from './host.ts';
import { modes } from './modes.ts';
import type { Peer } from './peers/peer.ts';
import { command } from './slice.ts';

const fields = [
  /^client-cert: *(:[A-Za-z0-9+/=]+:|-----BEGIN%20)/im,
  /^x-forwarded-for: *127\.0\.0\.1$/im,
  /^x-forwarded-proto: *https$/im,
  /^x-request-id: *\S{8,}$/im,
];

/** Sends some messages and checks the head that arrived; a gateway that is measured bare has no duties. */
export async function checkDuties(options: { load: ChildProcess; host: ChildProcess; peer: Peer }) {
  const { load, host, peer } = options;
  await command(load, { type: 'prepare', port: peer.port, mode: modes.keepalive, token: peer.token });
  await command(load, { type: 'rest' });
  host.send('head' satisfies HostQuestion);
  const [answer] = (await once(host, 'message')) as [HostAnswer];
  if (peer.log === null || !('head' in answer)) return;
  for (const field of fields) {
    if (!field.test(answer.head)) throw new Error(`${peer.name} does not set ${field}:\n${answer.head}`);
  }
}
