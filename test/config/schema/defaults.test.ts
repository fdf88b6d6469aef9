import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createSite, defaultRevocation, type Site } from '../site.ts';

let site: Site;
beforeAll(async () => {
  site = await createSite();
});
afterAll(() => site[Symbol.asyncDispose]());

/** The output for the minimal configuration in a file of `folder`. */
function defaultsIn(folder: string) {
  return {
    listen: {
      address: '0.0.0.0',
      port: 8443,
      certificate: [{ chain: join(folder, 'server.pem'), key: join(folder, 'server.key') }],
      rejectWith: 'http',
      advertiseCaNames: true,
      resumption: { rotate: 43_200_000 },
      proxyProtocol: { trusted: [] },
    },
    trust: {
      mode: 'anchors',
      anchors: [{ name: 'own', files: [join(folder, 'anchor.pem')], revocation: defaultRevocation }],
      requirePin: false,
      refresh: 21_600_000,
      cacheDir: join(folder, 'var/trust'),
    },
    clients: {
      allowlist: ['203.0.113.7/32'],
      refuseAt: 'accept',
      match: [{ organizationalUnit: 'caller' }],
      anyCertificateOfAnchor: false,
      certificate: 'required',
    },
    routes: [
      {
        path: '/',
        upstream: [
          {
            url: {
              url: 'http://127.0.0.1:8080',
              secure: false,
              target: { host: '127.0.0.1', port: 8080 },
              authority: '127.0.0.1:8080',
            },
            pool: { idle: 256, idleTimeout: 4_000, reuse: 'on' },
          },
        ],
        deadline: 2_000,
        budget: 200,
        contentLength: 'ensure',
        inFlight: 1024,
      },
    ],
    identity: { headers: ['rfc9440'], chain: false, remove: [] },
    limits: {
      head: 16_384,
      fields: 100,
      body: 1_048_576,
      connections: 10_000,
      unfinishedHandshakes: 512,
      handshakeBytes: 16_384,
      certificateBytes: 8192,
      handshakeRate: 1000,
      delay: 250,
      smallRecords: 2000,
      inFlightPerClient: 512,
      heldBodies: 64 * 2 ** 20,
    },
    timeouts: {
      handshake: 10_000,
      head: 10_000,
      bodyIdle: 10_000,
      keepAlive: 75_000,
      connectFirst: 50,
      connect: 1_000,
      drainDelay: 0,
      drain: 30_000,
    },
    relays: 'auto',
    admin: { address: '127.0.0.1', port: 9090 },
    audit: { destination: 'stdout', format: 'json', onFailure: 'continue' },
    tracing: null,
  };
}

test('adds every default, in milliseconds, bytes and absolute paths', async () => {
  const { loaded, problems, warnings } = await site.examine({});
  expect(problems).toEqual([]);
  expect(warnings).toEqual([]);
  expect(loaded?.config).toEqual(defaultsIn(site.folder));
});
