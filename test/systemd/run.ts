/** Drives the unit on a booted systemd, as root: start, message, reload, refused reload, stop. Prints what it measured. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chown, mkdir, writeFile } from 'node:fs/promises';
import { stringify } from 'yaml';
import { parseCertificate } from '../../src/pki/certificate.ts';
import { statusOf } from '../support/http/http.ts';
import { authority } from '../support/pki/authority.ts';
import { connect, post } from '../support/process/client.ts';
import { openHost } from '../support/process/host.ts';

function run(command: string, ...argv: string[]) {
  const { status, stdout, stderr } = spawnSync(command, argv, { encoding: 'utf8' });
  return { status, output: `${stdout}${stderr}` };
}
const systemctl = (verb: string, ...argv: string[]) => run('systemctl', verb, 'ehi-gateway', ...argv);
const show = (property: string) => systemctl('show', '--value', `--property=${property}`).output.trim();
const journal = () => run('journalctl', '--unit=ehi-gateway', '--output=cat', '--no-pager').output;

assert.deepEqual(run('systemd-sysusers'), { status: 0, output: '' });
const [uid = 0, gid = 0] = ['-u', '-g'].map((flag) => Number(run('id', flag, 'ehi-gateway').output));
assert.ok(uid > 0);

const pki = authority();
const [server, leaf] = [pki.issueServer(), pki.issueClient()];
await using host = await openHost();
const folder = '/etc/ehi-gateway';
const write = async (name: string, content: string) => {
  await writeFile(`${folder}/${name}`, content, { mode: 0o640 });
  await chown(`${folder}/${name}`, 0, gid);
};
const configuration = {
  listen: { address: '127.0.0.1', certificate: { chain: 'server.pem', key: 'server.key' } },
  trust: { anchors: [{ name: 'example', files: ['anchor.pem'] }], cacheDir: '/var/lib/ehi-gateway' },
  clients: {
    allowlist: ['127.0.0.1/32'],
    match: { organizationalUnit: parseCertificate(leaf.der).organizationalUnits[0] },
  },
  routes: [{ path: '/', upstream: host.url, deadline: '30s' }],
};
await mkdir(folder);
await write('server.pem', server.chainPem);
await write('server.key', server.keyPem);
await write('anchor.pem', pki.anchorPem);
await write('gateway.yaml', stringify(configuration));

const began = performance.now();
const started = systemctl('start');
assert.equal(started.status, 0, started.output + journal());
console.log(`systemctl start: ready after ${Math.round(performance.now() - began)} ms`);
assert.equal(show('ActiveState'), 'active');
assert.equal(show('User'), 'ehi-gateway');

// Readiness was told when there was something to connect to.
await using client = await connect({ port: 8443, ca: pki.root.pem, leaf });
const exchange = async () => statusOf(await client.exchange(post()));
assert.equal(await exchange(), 200);

await write('gateway.yaml', stringify({ ...configuration, limits: { body: '2MiB' } }));
const reloaded = systemctl('reload');
assert.equal(reloaded.status, 0, reloaded.output + journal());
while (!journal().includes('"event":"reloaded"'));
while (show('ActiveState') !== 'active');
assert.equal(await exchange(), 200);

await write('gateway.yaml', 'listen: [');
assert.notEqual(systemctl('reload').status, 0);
assert.match(journal(), /gateway\.yaml:1:\d+: /);
assert.equal(show('ActiveState'), 'active');
assert.equal(await exchange(), 200);

const main = show('MainPID');
assert.equal(run('kill', '-USR1', main).status, 0);
assert.equal(await exchange(), 200);

const stopped = systemctl('stop');
assert.equal(stopped.status, 0, stopped.output);
assert.equal(show('ActiveState'), 'inactive');
assert.equal(show('Result'), 'success');
assert.equal(show('ExecMainStatus'), '0');
assert.equal(show('NRestarts'), '0');
console.log('systemd: message, reload, refused reload and stop as they should be');
