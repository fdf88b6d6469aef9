/** Has the built image serve one message as a read-only container, and drain: `run.ts ROOT INSPECTION`. */
import assert from 'node:assert/strict';
import { chown, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { stringify } from 'yaml';
import { parseCertificate } from '../../src/pki/certificate.ts';
import { statusOf } from '../support/http/http.ts';
import { authority } from '../support/pki/authority.ts';
import { connect, post } from '../support/process/client.ts';
import { acknowledgement, openHost } from '../support/process/host.ts';
import { openDirectory } from '../support/trust/directory.ts';
import { readImage } from './container.ts';
import { checkContents } from './contents.ts';
import { checkPage } from './page.ts';
import { chooseRuntime } from './runtime.ts';

const [root = '', inspection = ''] = process.argv.slice(2);
const image = await readImage(inspection);
const user = Number(image.User.split(':')[0]);
assert.ok(user > 0, `a numeric user that is not root; found ${image.User}`);
checkContents(root);

const folder = await mkdtemp(join(tmpdir(), 'ehi-image-'));
const [config, cache] = [join(folder, 'config'), join(folder, 'cache')];
const pki = authority();
const [server, leaf] = [pki.issueServer(), pki.issueClient()];
const held = Promise.withResolvers<void>();
await using host = await openHost({
  answer: (_request, socket) => {
    if (host.requests.length === 1) return acknowledgement;
    void held.promise.then(() => socket.write(acknowledgement));
    return null;
  },
});
await using directory = await openDirectory({ '/root.pem': pki.root.pem, '/issuing.pem': pki.issuing.pem });
const ports = { listen: 18_443, admin: 19_090 };

await mkdir(config);
await mkdir(cache);
const files = {
  'server.pem': server.chainPem,
  'server.key': server.keyPem,
  'directory.pem': directory.pki.root.pem,
  'gateway.yaml': stringify({
    listen: {
      address: '127.0.0.1',
      port: ports.listen,
      certificate: { chain: 'server.pem', key: 'server.key' },
    },
    trust: {
      anchors: [
        {
          name: 'example',
          urls: ['root.pem', 'issuing.pem'].map((name) => `${directory.origin}/${name}`),
          tls: { ca: 'directory.pem' },
          rootSha256: parseCertificate(pki.root.der).sha256,
        },
      ],
      cacheDir: '/var/cache/ehi-gateway',
    },
    clients: {
      allowlist: ['127.0.0.1/32'],
      match: { organizationalUnit: parseCertificate(leaf.der).organizationalUnits[0] },
    },
    routes: [{ path: '/', upstream: host.url, deadline: '30s' }],
    admin: { port: ports.admin },
  }),
};
for (const [name, content] of Object.entries(files)) {
  await writeFile(join(config, name), content, { mode: 0o600 });
  await chown(join(config, name), user, user);
}
await chown(cache, user, user);

const start = await chooseRuntime(join(folder, 'probe'));
const began = performance.now();
const container = await start({
  image,
  root,
  folder: join(folder, 'bundle'),
  mounts: [
    // Every runtime brings these two.
    ...['/etc/hosts', '/etc/resolv.conf'].map((path) => ({ source: path, destination: path })),
    { source: config, destination: '/etc/ehi-gateway' },
    { source: cache, destination: '/var/cache/ehi-gateway', writable: true },
  ],
});
try {
  // biome-ignore lint/suspicious/noExplicitAny: records are looked into field by field, and what is not there fails
  const records: any[] = [];
  const ready = Promise.withResolvers<void>();
  createInterface({ input: container.stdout }).on('line', (line) => {
    const record = JSON.parse(line);
    records.push(record);
    if (record.type === 'ready') ready.resolve();
  });
  const ended = container.exited.then((code) => assert.fail(`it ended with ${code} before it was ready`));
  ended.catch(() => {});
  await Promise.race([ready.promise, ended]);
  console.log(`ready after ${Math.round(performance.now() - began)} ms`);
  const checked = performance.now();
  assert.deepEqual(container.health(), { code: 0, line: '200 ok' });
  console.log(`healthy by its own check, which took ${Math.round(performance.now() - checked)} ms`);

  console.log(`the admin page has its ${await checkPage(`http://127.0.0.1:${ports.admin}`)} files`);

  const options = { port: ports.listen, ca: pki.root.pem, leaf };
  await using client = await connect(options);
  assert.equal(statusOf(await client.exchange(post())), 200);
  assert.deepEqual(await readdir(cache), ['example.json']);

  // What is under way when it is stopped is finished.
  client.write(post());
  await host.request(1);
  container.stop();
  while ((await fetch(`http://127.0.0.1:${ports.admin}/readyz`)).status === 200);
  held.resolve();
  assert.equal(statusOf(await client.response()), 200);
  assert.equal(await container.exited, 0);

  const [handshake, ...further] = records.filter(({ type }) => type === 'handshake');
  assert.deepEqual(further, []);
  assert.equal(handshake.verdict, 'allow');
  const messages = records.filter(({ type }) => type === 'message');
  assert.deepEqual(
    messages.map(({ status, outcome }) => ({ status, outcome })),
    Array(2).fill({ status: 200, outcome: 'answered' }),
  );
  console.log('two messages over mTLS, one of them while it drained; exit code 0');
} finally {
  container.kill();
  await rm(folder, { recursive: true, force: true });
}
