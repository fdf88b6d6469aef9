/** `inventory` with the real process, and beside a real gateway. */
import { createHash, createPublicKey, generateKeyPairSync } from 'node:crypto';
import { chmod, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseCertificate } from '../../src/pki/certificate.ts';
import { makeKey } from '../../src/pki/key.ts';
import { createSite, minimal, type Site } from '../config/site.ts';
import { selfSigned, setFor } from '../support/identity/self-signed.ts';
import { authority } from '../support/pki/authority.ts';
import { post } from '../support/process/client.ts';
import { runCommand } from '../support/process/command.ts';
import { metricsWhen } from '../support/process/metrics.ts';
import { openStage } from '../support/process/stage.ts';

interface Row {
  readonly kind: string;
  readonly purpose: string;
  readonly subject: string | null;
  readonly owner: string | null;
  readonly weakness: string | null;
  readonly state: string;
  readonly path: string;
  readonly running: boolean | null;
  readonly last_use: string | null;
  readonly last_use_note: string | null;
}

let site: Site;
beforeEach(async () => {
  site = await createSite();
  await configure({});
});
afterEach(() => site[Symbol.asyncDispose]());

const configure = (sections: object) =>
  site.write('gateway.yaml', JSON.stringify({ ...minimal, ...sections }));
const inventory = (options: readonly string[] = [], cwd = site.folder) =>
  runCommand(['inventory', '--config', 'gateway.yaml', ...options], { cwd });
async function rows(options: readonly string[] = [], cwd = site.folder): Promise<Row[]> {
  return JSON.parse((await inventory(['--json', ...options], cwd)).stdout).items;
}

it('has for each certificate what PCI DSS 4.2.1.1 asks for', async () => {
  const [server] = await rows();
  const [leaf] = (await readFile(join(site.folder, 'server.pem'), 'utf8')).split(
    /(?<=-----END CERTIFICATE-----\n)/,
  );
  const { spkiPin, thumbprint, sha256, serial, issuer, notAfter, notBefore } = parseCertificate(
    Buffer.from((leaf as string).replaceAll(/-----.*-----|\n/g, ''), 'base64'),
  );
  expect(server).toEqual({
    ...{ kind: 'certificate', purpose: 'server certificate', owner: 'localhost', subject: 'CN=localhost' },
    ...{ issuer, serial, days_left: 349, algorithm: 'EC P-256', strength_bits: 128, weakness: null },
    ...{ not_before: new Date(notBefore).toISOString(), not_after: new Date(notAfter).toISOString() },
    ...{ signature: 'SHA-256 with ECDSA', sha256, 'x5t#S256': thumbprint, pin: `sha256/${spkiPin}` },
    ...{ source: join(site.folder, 'server.pem'), key_file: join(site.folder, 'server.key') },
    ...{ used_by: 'listener for clients', path: 'listen.certificate', state: 'used' },
    ...{ running: null, last_use: null, last_use_note: null },
  });
});

it('lists what verifies introspection endpoints, and how the gateway authenticates to them, without secrets', async () => {
  const leaf = authority().issueClient();
  await site.write('client.pem', leaf.chainPem);
  await site.write('client.key', leaf.keyPem);
  await site.write('assertion.key', makeKey('P-256').export({ type: 'pkcs8', format: 'pem' }));
  await site.write('secret', 'correct-horse');
  const route = (path: string, auth: object, ca?: string) => {
    const introspection = {
      endpoint: 'https://as.example/introspect',
      auth,
      ...(ca === undefined ? {} : { ca }),
    };
    return {
      ...{ path, upstream: 'http://127.0.0.1:8080' },
      bearer: { issuer: 'https://as.example', audience: 'gateway', introspection },
    };
  };
  const byKey = {
    kind: 'private_key_jwt',
    clientId: 'gateway',
    keyFile: 'assertion.key',
    algorithm: 'ES256',
  };
  await configure({
    routes: [
      route('/a', { kind: 'client_secret_basic', clientId: 'gateway', secretFile: 'secret' }, 'anchor.pem'),
      route('/b', { ...byKey, kid: 'k1' }, 'anchor.pem'),
      route('/c', { kind: 'tls_client_auth', clientId: 'gateway', chain: 'client.pem', key: 'client.key' }),
    ],
  });
  const { stdout } = await inventory(['--json']);
  expect(stdout).not.toContain('correct-horse');
  const found = (JSON.parse(stdout).items as Row[]).filter(({ path }) => path.includes('introspection'));
  const at = (index: number) => `routes[${index}].bearer.introspection`;
  expect(found.map(({ kind, purpose, path, state }) => [kind, purpose, path, state])).toEqual([
    ['certificate', 'CA of an introspection endpoint', `${at(0)}.ca, ${at(1)}.ca`, 'used'],
    ['certificate', 'CA of an introspection endpoint', `${at(0)}.ca, ${at(1)}.ca`, 'used'],
    ['set', 'secret for an introspection endpoint', `${at(0)}.auth`, 'the password of the client gateway'],
    ['key', 'key that signs assertions for an introspection endpoint', `${at(1)}.auth`, 'used; kid k1'],
    ['set', 'CAs of the operating system', at(2), 'the introspection endpoint is verified with them'],
    ['certificate', 'client certificate for an introspection endpoint', `${at(2)}.auth`, 'used'],
    ['certificate', 'CA in the client chain for an introspection endpoint', `${at(2)}.auth`, 'used'],
  ]);
  await site.write('assertion.key', 'no key');
  expect(await rows()).toContainEqual(
    expect.objectContaining({
      kind: 'fault',
      path: `${at(1)}.auth`,
      state: 'no private key that can be read',
    }),
  );
});

it('lists anchors, pins, thumbprints, CAs of the system, the ticket secret', async () => {
  await configure({
    clients: { match: { thumbprint: 'A'.repeat(43) }, pins: [`sha256/${'A'.repeat(43)}=`] },
    routes: [
      { path: '/', upstream: { url: 'https://host.example', tls: { pins: [`sha256/B${'A'.repeat(42)}=`] } } },
    ],
  });
  expect((await rows()).map(({ kind, purpose, path }) => [kind, purpose, path])).toEqual([
    ['certificate', 'server certificate', 'listen.certificate'],
    ['certificate', 'CA in the server chain', 'listen.certificate'],
    ['set', 'secret of session tickets', 'listen.resumption'],
    ['certificate', 'root of a trust anchor', 'trust.anchors[0]'],
    ['certificate', 'CA of a trust anchor', 'trust.anchors[0]'],
    ['hash', 'pinned key of clients', 'clients.pins'],
    ['hash', 'client certificate by thumbprint', 'clients.match'],
    ['set', 'CAs of the operating system', 'routes[0].upstream.tls'],
    ['hash', 'pinned key of an upstream host', 'routes[0].upstream.tls.pins'],
  ]);
});

it('lists registered clients and the keys of their sets, and what cannot be read of them', async () => {
  const [client, other] = [selfSigned('client'), selfSigned('other')];
  const [{ x5c: _, ...bare }] = JSON.parse(setFor(other)).keys;
  const set = JSON.parse(setFor(client));
  const weak = { ...createPublicKey(makeKey('rsa-1024')).export({ format: 'jwk' }), kid: 'weak' };
  await site.write(
    'clients.jwks',
    JSON.stringify({ keys: [...set.keys, { ...bare, 'x5t#S256': undefined }, weak] }),
  );
  const uri = 'https://directory.example/inactive';
  await configure({ clients: { registered: { jwks: { file: 'clients.jwks' }, inactive: { uri } } } });
  const { code, stdout } = await inventory(['--json']);
  const at = 'clients.registered.jwks';
  const found = (JSON.parse(stdout).items as Row[]).filter(({ path }) =>
    path.startsWith('clients.registered'),
  );
  expect(code).toBe(1);
  expect(found).toMatchObject([
    {
      kind: 'certificate',
      purpose: 'registered client',
      path: at,
      subject: 'O=Example,CN=client',
      state: 'used',
    },
    {
      kind: 'key',
      purpose: 'registered client',
      path: at,
      key_file: null,
      state: `used; kid ${bare.kid}, thumbprint ${bare.kid}`,
    },
    {
      kind: 'fault',
      path: at,
      state: expect.stringContaining('keys[2] (kid weak): it is an RSA key of 1024 bits'),
    },
    {
      kind: 'fault',
      purpose: 'client that is no longer registered',
      state: expect.stringContaining('nothing was fetched yet'),
    },
    { kind: 'set', purpose: 'CAs that Node.js brings along', path: 'clients.registered.inactive' },
  ]);
});

it('lists the key that signs the seals, with its id and the mode of its file, and without the key', async () => {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const key = join(site.folder, 'audit.key');
  await writeFile(key, pem, { mode: 0o600 });
  await configure({ audit: { seal: { key: 'audit.key' } } });
  const { stdout } = await inventory(['--json']);
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  expect(JSON.parse(stdout).items.at(-1)).toMatchObject({
    ...{ kind: 'key', purpose: 'key that signs the seals of the audit', path: 'audit.seal.key' },
    ...{ algorithm: 'Ed25519', strength_bits: 128, key_file: key, source: key },
    pin: `sha256/${createHash('sha256').update(spki).digest('base64')}`,
    state: `used; key id ${createHash('sha256').update(spki).digest('hex').slice(0, 16)}, mode 0600`,
  });
  expect(stdout).not.toContain(pem.split('\n')[1]);
  await chmod(key, 0o644);
  const { code, stdout: faulty } = await inventory(['--json']);
  expect(code).toBe(1);
  expect(JSON.parse(faulty).items.at(-1)).toMatchObject({
    ...{ kind: 'fault', path: 'audit.seal.key' },
    state: expect.stringContaining('every user of this machine may read (mode 0644)'),
  });
});

it('says which certificates of an anchor the gateway does not use, and what is weak', async () => {
  const weak = authority({ name: 'Weak', key: 'rsa-1024' });
  const { anchorPem } = authority();
  await site.write('anchor.pem', anchorPem + weak.issuing.pem);
  const found = (await rows()).find(({ subject }) => subject?.startsWith('CN=Weak'));
  expect(found).toMatchObject({
    weakness: 'an RSA key of 1024 bits',
    state: 'not used: has an RSA key of 1024 bits',
  });
});

it('exits with 1 where a file cannot be read, and lists it all the same', async () => {
  await site.write('server.pem', 'nothing');
  const { code, stdout } = await inventory(['--json']);
  const { items } = JSON.parse(stdout);
  expect(code).toBe(1);
  expect(items[0]).toMatchObject({
    kind: 'fault',
    purpose: 'server certificate',
    state: expect.stringContaining('CERTIFICATE block'),
  });
});

describe('the forms', () => {
  it('text has a table of keys and certificates, and one of cipher suites', async () => {
    const { stdout, stderr, code } = await inventory();
    expect([stderr, code]).toEqual(['', 0]);
    expect(stdout).toMatch(/^purpose +owner +subject +ends +left +algorithm +source +state$/m);
    expect(stdout).toMatch(/^listener for clients +TLS 1.3 +TLS_AES_128_GCM_SHA256 +128 bits +strong$/m);
  });

  it('CSV has the suites as rows, and no cell that starts a formula', async () => {
    const pki = authority();
    const server = pki.issueServer({ subject: { CN: '=cmd|calc', O: '@SUM(A1)' } });
    await site.write('server.pem', server.chainPem);
    await site.write('server.key', server.keyPem);
    const { stdout } = await inventory(['--csv']);
    const lines = stdout.split('\r\n');
    expect(lines[0]).toBe(
      'kind,purpose,owner,subject,issuer,serial,not_before,not_after,days_left,algorithm,strength_bits,signature,weakness,sha256,x5t#S256,pin,key_file,source,used_by,path,state,running,last_use,last_use_note',
    );
    expect(stdout.match(/^cipher_suite,messages from clients,/gm)).toHaveLength(6);
    expect(lines[1]).toContain(",'@SUM(A1),");
    expect(stdout).not.toMatch(/(?:^|,)"?[=+@]/m);
  });

  it('JSON has the suites with their strength', async () => {
    const { cipher_suites: suites } = JSON.parse((await inventory(['--json'])).stdout);
    expect(suites[0]).toEqual({
      ...{ used_by: 'listener for clients', purpose: 'messages from clients', protocol: 'TLS 1.3' },
      ...{
        suite: 'TLS_AES_128_GCM_SHA256',
        strength_bits: 128,
        forward_secrecy: true,
        aead: true,
        rating: 'strong',
      },
    });
  });

  it('a report is written once, escaped, and not over an existing file without --force', async () => {
    const server = authority().issueServer({ subject: { CN: '<script>alert(1)</script>' } });
    await site.write('server.pem', server.chainPem);
    await site.write('server.key', server.keyPem);
    const file = join(site.folder, 'evidence.html');
    expect((await inventory(['--report', 'evidence.html'])).code).toBe(0);
    const page = await readFile(file, 'utf8');
    expect(page).toContain('PCI DSS 4.0.1: 4.2.1.1');
    expect(page).toContain('&lt;script&gt;');
    expect(page).not.toContain('<script>');
    expect((await stat(file)).mode & 0o777).toBe(0o644);
    await writeFile(file, 'mine');
    const again = await inventory(['--report', 'evidence.html']);
    expect([again.code, again.stdout, await readFile(file, 'utf8')]).toEqual([64, '', 'mine']);
    expect((await inventory(['--report', 'evidence.html', '--force'])).code).toBe(0);
  });

  it('JSON and CSV exclude each other', async () => {
    expect((await inventory(['--json', '--csv'])).code).toBe(64);
  });
});

describe('a running gateway', () => {
  it('says what it has and when each was last used', async () => {
    await using stage = await openStage();
    const { address, port } = stage.gateway.ready.admin;
    const url = ['--url', `http://${address}:${port}`];
    const lastUses = async () =>
      (await rows(url, stage.gateway.folder)).map(
        ({ purpose, running, last_use: used, last_use_note: note }) => [
          ...[purpose, running, used === null ? (note ?? '').replace(/ since .*/, '') : 'known'],
        ],
      );
    expect(await lastUses()).toEqual([
      ['server certificate', true, 'no admitted handshake'],
      ['CA in the server chain', true, 'no admitted handshake'],
      ['secret of session tickets', null, 'not known'],
      ['root of a trust anchor', true, 'no admitted handshake'],
      ['CA of a trust anchor', true, 'no admitted handshake'],
    ]);
    await stage.send(post());
    await metricsWhen(stage.gateway, (samples) =>
      [...samples.keys()].some((name) => name.startsWith('ehi_client_last_handshake_timestamp_seconds')),
    );
    expect(await lastUses()).toEqual([
      ['server certificate', true, 'known'],
      ['CA in the server chain', true, 'known'],
      ['secret of session tickets', null, 'not known'],
      ['root of a trust anchor', true, 'known'],
      ['CA of a trust anchor', true, 'known'],
      ['client certificate that the running gateway has authorized', true, 'known'],
    ]);
  });

  it('that has another server certificate is found out', async () => {
    await using stage = await openStage();
    const { address, port } = stage.gateway.ready.admin;
    const [server] = await rows(['--url', `http://${address}:${port}`]);
    expect(server).toMatchObject({ running: false, last_use_note: 'the running gateway has another one' });
  });

  it('that cannot be reached ends with 69, a wrong URL with 64', async () => {
    const absent = await inventory(['--url', 'http://127.0.0.1:1']);
    expect([absent.code, absent.stdout, absent.stderr]).toEqual([
      69,
      '',
      expect.stringContaining('ECONNREFUSED'),
    ]);
    expect((await inventory(['--url', 'https://127.0.0.1/metrics'])).code).toBe(64);
  });
});
