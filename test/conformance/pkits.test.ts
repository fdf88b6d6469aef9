/** Every PKITS case as a real handshake against the gateway's own listener and verdict. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Gateway } from '../../src/gateway.ts';
import type { PolicySnapshot } from '../../src/policy/snapshot.ts';
import { Meter } from '../../src/telemetry/meter.ts';
import { authority } from '../support/authority.ts';
import { connect, post } from '../support/client.ts';
import { type Host, openHost } from '../support/host.ts';
import { statusOf } from '../support/http.ts';
import { endEntity, passphrase, pkitsCases, trustAnchor } from '../support/pkits.ts';

const pki = authority();
const server = pki.issueServer();
const lines: Record<string, unknown>[] = [];
let host: Host;
let gateway: Gateway;
let port: number;
let generation = 1;
const mk = (advertiseCaNames: boolean, certs: readonly Buffer[]): PolicySnapshot => ({
  generation: generation++,
  certificates: [{ chain: server.chainPem, key: server.keyPem }],
  anchors: [{ name: 'pkits', root: trustAnchor, issuing: certs }],
  advertiseCaNames,
  rejectWith: 'http',
  proxyTrusted: [],
  allowlist: null,
  refuseAt: 'accept',
  pins: null,
  match: null,
  routes: [{ path: '/', upstream: { host: '127.0.0.1', port: Number(new URL(host.url).port), authority: 'h' }, deadline: 5000 }],
  limits: { head: 16384, fields: 100, body: 1e6, connections: 100, unfinishedHandshakes: 100 },
  timeouts: { handshake: 5000, head: 5000, bodyIdle: 5000, keepAlive: 5000, connect: 1000, drainDelay: 0, drain: 0 },
});
beforeAll(async () => {
  host = await openHost();
  gateway = new Gateway({
    snapshot: mk(true, []),
    listen: { address: '127.0.0.1', port: 0, reusePort: false },
    recorder: { meter: new Meter(), audit: (line) => lines.push(JSON.parse(line)), log: () => {} },
  });
  ({ port } = await gateway.listen());
});
afterAll(async () => {
  await gateway.drain();
  await host[Symbol.asyncDispose]();
});
describe.each([true, false])('ca names %s', (names) => {
  it.each(pkitsCases)('$number $title $expected', async (c) => {
    gateway.update(mk(names, c.certificates));
    lines.length = 0;
    await using client = await connect({ port, ca: pki.root.pem, pfx: endEntity(c).pfx, passphrase, ciphers: 'DEFAULT:@SECLEVEL=0' });
    const status = statusOf(await client.exchange(post()));
    const r = lines.find(({ type }) => type === 'handshake');
    const got = `${status} ${r?.reason} ${r?.openssl_code}`;
    const ok = (c.expected === 'valid') === (status === 200);
    if (!ok || c.expected !== 'valid') console.log(ok ? 'ok ' : c.expected === 'valid' ? 'FALSE-DENY' : 'FALSE-ACCEPT', names, c.number, c.title, c.expected, got);
    expect(ok).toBe(true);
  });
});
