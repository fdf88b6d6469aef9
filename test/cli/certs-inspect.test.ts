/** `certs inspect` with the real process, and files that openssl and keytool have made. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer as createHttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:tls';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseCertificate } from '../../src/pki/certificate.ts';
import { makeSamples, password, type Samples } from '../inspection/samples.ts';
import { selfSigned, setFor } from '../support/identity/self-signed.ts';
import { authority } from '../support/pki/authority.ts';
import { hasKeytool } from '../support/pki/tool.ts';
import { type CommandResult, runCommand } from '../support/process/command.ts';

const day = 24 * 3_600_000;
let samples: Samples;
beforeAll(async () => {
  samples = await makeSamples();
  await writeFile(samples.path('password'), `${password}\n`);
});
afterAll(() => samples[Symbol.asyncDispose]());

const inspect = (args: readonly string[], input: string | Uint8Array = ''): Promise<CommandResult> =>
  runCommand(['certs', 'inspect', ...args], { cwd: samples.folder, input });
const json = async (args: readonly string[], input: string | Uint8Array = '') =>
  JSON.parse((await inspect([...args, '--json'], input)).stdout);
const write = (name: string, content: string | Uint8Array) => writeFile(samples.path(name), content);

describe('facts', () => {
  it('are those of openssl', async () => {
    const { items } = await json(['client.pem']);
    const { stdout } = await promisify(execFile)(
      'openssl',
      [
        'x509',
        '-in',
        'client.pem',
        '-noout',
        '-serial',
        '-fingerprint',
        '-sha256',
        '-nameopt',
        'RFC2253',
        '-subject',
        '-issuer',
      ],
      { cwd: samples.folder },
    );
    const [item] = items;
    expect(stdout).toContain(
      `serial=${item.serial.toUpperCase().padStart(Math.ceil(item.serial.length / 2) * 2, '0')}`,
    );
    expect(stdout.replaceAll(':', '').toLowerCase()).toContain(`fingerprint=${item.sha256}`);
    expect(stdout).toContain(`subject=${item.subject}`);
    expect(stdout).toContain(`issuer=${item.issuer}`);
  });

  it('name validity, key, usages, addresses, pin and thumbprint', async () => {
    const { items, faults } = await json(['client.pem']);
    const { spkiPin, thumbprint, notAfter } = parseCertificate(samples.client.der);
    expect(faults).toEqual([]);
    expect(items).toEqual([
      expect.objectContaining({
        ...{ source: 'client.pem', kind: 'certificate', ca: false, days_left: 349 },
        not_after: new Date(notAfter).toISOString(),
        key: { name: 'EC P-256', strength_bits: 128, weak: null },
        signature: { name: 'SHA-256 with ECDSA', weak: null },
        ...{ key_usage: ['digitalSignature'], extended_key_usage: null, sans: [] },
        ...{ pin: `sha256/${spkiPin}`, 'x5t#S256': thumbprint },
      }),
    ]);
  });

  it('come in one block for each certificate, in text', async () => {
    const { stdout, stderr, code } = await inspect(['chain.pem']);
    expect([stderr, code]).toEqual(['', 0]);
    expect(stdout.match(/^chain\.pem, PEM block \d \(line \d+\): certificate$/gm)).toHaveLength(3);
    expect(stdout).toContain('349 days left');
  });

  it('come from standard input, too', async () => {
    const { items } = await json([], samples.files.get('client.der'));
    expect(items[0]).toMatchObject({ source: '-', kind: 'certificate' });
  });
});

describe('key stores', () => {
  it.each(['client.p12', 'legacy.p12'])(
    'reads %s with the password from a file, and shows no secret',
    async (name) => {
      const { stdout, code } = await inspect([name, '--password-file', 'password']);
      expect(code).toBe(0);
      expect(stdout).toContain('private key; it is not shown');
      expect(stdout).not.toContain(password);
    },
  );

  it('says what to do where the password is missing or wrong', async () => {
    const missing = await inspect(['client.p12']);
    expect([missing.code, missing.stderr]).toEqual([
      64,
      expect.stringContaining('give --password-file FILE'),
    ]);
    await write('wrong', 'no\n');
    const wrong = await inspect(['client.p12', '--password-file', 'wrong']);
    expect([wrong.code, wrong.stderr]).toEqual([64, expect.stringContaining('another password')]);
  });

  it.skipIf(!hasKeytool)('reads what keytool writes as PKCS#12, and says how to convert JKS', async () => {
    const keytool = (...flags: string[]) => promisify(execFile)('keytool', flags, { cwd: samples.folder });
    const made = [
      '-genkeypair',
      '-alias',
      'a',
      '-keyalg',
      'RSA',
      '-dname',
      'CN=Made by keytool',
      '-storepass',
      password,
    ];
    await keytool(...made, '-storetype', 'PKCS12', '-keystore', 'keytool.p12');
    await keytool(...made, '-keypass', password, '-storetype', 'JKS', '-keystore', 'keytool.jks');
    const { stdout } = await inspect(['keytool.p12', '--password-file', 'password']);
    expect(stdout).toContain('CN=Made by keytool');
    const { code, stderr } = await inspect(['keytool.jks']);
    expect([code, stderr]).toEqual([64, expect.stringContaining('keytool -importkeystore')]);
  });
});

describe('objections', () => {
  /** Reason → detail, of the first item. */
  async function objectionsTo(pem: string, ...args: string[]): Promise<Record<string, string>> {
    await write('judged.pem', pem);
    const { items } = await json(['judged.pem', ...args]);
    return Object.fromEntries(
      items[0].judgement.objections.map((each: { reason: string; detail: string }) => [
        each.reason,
        each.detail,
      ]),
    );
  }
  const { pki } = { pki: authority({ name: 'Judged' }) };

  it('are those of the verdict, for each fault of a client certificate', async () => {
    const now = Date.now();
    const cases: Record<string, Parameters<typeof pki.issueClient>[0]> = {
      expired: { notBefore: now - 9 * day, notAfter: now - day },
      not_yet_valid: { notBefore: now + day, notAfter: now + 9 * day },
      wrong_purpose: { keyUsage: ['keyEncipherment'] },
      weak_key: { key: 'rsa-1024' },
      weak_signature: { hash: 'sha1' },
      invalid_leaf: { keyUsage: ['digitalSignature', 'keyCertSign'] },
    };
    for (const [reason, options] of Object.entries(cases)) {
      const alone = await objectionsTo(pki.issueClient(options).pem);
      expect(Object.keys(alone), reason).toEqual([reason]);
      const withPath = await objectionsTo(pki.issueClient(options).chainPem + pki.root.pem);
      expect(Object.keys(withPath), reason).toEqual([reason]);
    }
  });

  it('name the issuer that no anchor holds', async () => {
    const found = await objectionsTo(pki.issueClient().pem + authority({ name: 'Other' }).anchorPem);
    expect(found.untrusted).toContain('no trust anchor holds the CA that issued the leaf');
  });

  it('exit with 1; none exits with 0', async () => {
    await write('good.pem', pki.issueClient().chainPem + pki.root.pem);
    await write('bad.pem', pki.issueClient({ keyUsage: ['keyEncipherment'] }).pem);
    expect((await inspect(['good.pem'])).code).toBe(0);
    const { code, stdout } = await inspect(['bad.pem']);
    expect(code).toBe(1);
    expect(stdout).toContain('wrong_purpose: the leaf’s key usage lacks digitalSignature');
    expect(stdout).toContain('Client: have the CA issue a certificate for TLS client authentication.');
  });

  it('depend on the role: a server certificate is judged as that of the gateway, unless --as says otherwise', async () => {
    const { chainPem } = pki.issueServer();
    expect(await objectionsTo(chainPem)).toEqual({});
    expect(Object.keys(await objectionsTo(chainPem, '--as', 'client'))).toEqual(['wrong_purpose']);
    const expired = pki.issueServer({ notBefore: Date.now() - 9 * day, notAfter: Date.now() - day });
    expect((await objectionsTo(expired.chainPem)).problem).toContain('expired on');
  });

  it('are those of a trust anchor for a CA', async () => {
    const weak = authority({ name: 'Weak', key: 'rsa-1024' });
    expect(await objectionsTo(weak.root.pem)).toEqual({ unusable: 'has an RSA key of 1024 bits' });
    expect(Object.keys(await objectionsTo(pki.root.pem, '--as', 'client'))).toEqual(['ca_as_leaf']);
  });

  it('include pins, match and registrations of a configuration, and its anchors', async () => {
    const server = pki.issueServer();
    await write('server.pem', server.chainPem);
    await write('server.key', server.keyPem);
    await write('anchor.pem', pki.anchorPem);
    const configuration = {
      listen: { certificate: { chain: 'server.pem', key: 'server.key' } },
      trust: { anchors: [{ name: 'own', files: ['anchor.pem'] }] },
      clients: { match: { organizationalUnit: 'another' }, pins: [`sha256/${'A'.repeat(43)}=`] },
      routes: [{ path: '/', upstream: 'http://127.0.0.1:8080' }],
    };
    await write('gateway.yaml', JSON.stringify(configuration));
    const found = await objectionsTo(pki.issueClient().pem, '--config', 'gateway.yaml');
    expect(Object.keys(found)).toEqual(['pin_mismatch', 'match_mismatch']);
    const [known, stranger] = [selfSigned('known'), selfSigned('stranger')];
    await write('clients.jwks', setFor(known));
    const registered = { jwks: { file: 'clients.jwks' } };
    const alone = { ...configuration, trust: { mode: 'registered' }, clients: { registered } };
    await write('gateway.yaml', JSON.stringify(alone));
    expect(await objectionsTo(known.pem, '--config', 'gateway.yaml')).toEqual({});
    const strange = await objectionsTo(stranger.pem, '--config', 'gateway.yaml');
    expect(Object.keys(strange)).toEqual(['not_registered']);
  });

  it('name a CRL with a signature of another key, and verify one of a CA that is given', async () => {
    await write('own.crl', pki.crl().pem);
    await write('other.crl', authority({ name: 'Judged' }).crl().pem);
    await write('cas.pem', pki.anchorPem);
    const { items } = await json(['cas.pem', 'own.crl', 'other.crl']);
    expect(
      items
        .slice(2)
        .map(({ judgement }: { judgement: { objections: { reason: string }[] } }) =>
          judgement.objections.map(({ reason }) => reason),
        ),
    ).toEqual([[], ['bad_signature']]);
    expect((await inspect(['cas.pem', 'own.crl'])).code).toBe(0);
  });
});

describe('URLs', () => {
  it.each(['TLSv1.2', 'TLSv1.3'] as const)(
    'shows the chain as a server sends it, in wrong order too, over %s',
    async (version) => {
      const pki = authority({ name: 'Served' });
      const server = pki.issueServer();
      const cert = server.pem + pki.root.pem + pki.issuing.pem;
      const listener = createServer({
        cert,
        key: server.keyPem,
        minVersion: version,
        maxVersion: version,
      }).listen(0, '127.0.0.1');
      await once(listener, 'listening');
      listener.on('tlsClientError', () => {});
      const { port } = listener.address() as AddressInfo;
      const { items } = await json([`https://127.0.0.1:${port}`]);
      expect(items.map(({ subject }: { subject: string }) => subject.split(',')[0])).toEqual([
        ...['CN=localhost', 'CN=Served Root CA', 'CN=Served Issuing CA'],
      ]);
      expect(items[0].judgement).toMatchObject({
        role: 'server',
        objections: [{ reason: 'problem' }, { reason: 'problem' }],
      });
      listener.close();
    },
  );

  it('fetches a file over http', async () => {
    const server = createHttpServer((_, response) => response.end(samples.files.get('ca-der.crl'))).listen(
      0,
      '127.0.0.1',
    );
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const { items } = await json([`http://127.0.0.1:${port}/ca.crl`]);
    expect(items[0]).toMatchObject({ kind: 'crl', entries: 1 });
    server.close();
  });

  it('exits with 69 and the reason where nothing answers, or no TLS', async () => {
    const server = createHttpServer((_, response) => response.end('plain')).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const plain = await inspect([`https://127.0.0.1:${port}`]);
    expect([plain.code, plain.stdout, plain.stderr]).toEqual([
      69,
      '',
      expect.stringContaining('HTTP without TLS'),
    ]);
    server.close();
    await once(server, 'close');
    const closed = await inspect([`https://127.0.0.1:${port}`]);
    expect([closed.code, closed.stderr]).toEqual([
      69,
      `127.0.0.1:${port}: the server accepts no TCP connection (ECONNREFUSED)\n`,
    ]);
  });
});

describe('what cannot be read', () => {
  it('ends with one sentence per fault: the file, what was found, what is allowed', async () => {
    await write('cut.pem', (samples.files.get('client.pem') as Buffer).subarray(0, 200));
    const { stdout, stderr, code } = await inspect(['cut.pem', 'client.pem']);
    expect(stderr).toMatch(
      /^cut\.pem: PEM block 1 \(line 1\): found a block without its END line: it may be cut off; allowed .*\n$/,
    );
    expect(stdout).toContain('client.pem, PEM block 1');
    expect(code).toBe(64);
    const absent = await inspect(['absent.pem']);
    expect([absent.code, absent.stderr]).toEqual([...[64, 'absent.pem: cannot be read (ENOENT)\n']]);
    expect((await inspect(['.'])).stderr).toBe('.: is a folder\n');
    const twice = await inspect(['-', '-'], samples.files.get('client.pem') as Buffer);
    expect([twice.code, twice.stderr]).toEqual([
      64,
      '-: found standard input for a second time; allowed once in a command\n',
    ]);
  });

  it('is a part of the one JSON document', async () => {
    await write('cut.der', (samples.files.get('client.der') as Buffer).subarray(0, 99));
    const { items, faults } = await json(['cut.der']);
    expect(items).toEqual([]);
    expect(faults).toEqual([
      expect.objectContaining({ source: 'cut.der', found: expect.stringContaining('damaged certificate') }),
    ]);
  });
});

it('text of a certificate cannot change what a terminal shows', async () => {
  const pki = authority({ name: 'Hostile' });
  const hostile = '\u001b]0;owned\u0007\u202e\u009b2J';
  const leaf = pki.issueClient({
    subject: { CN: `evil${hostile}`, O: 'x' },
    sans: [`DNS:a${hostile}.example`],
  });
  await write('evil.pem', leaf.pem);
  for (const args of [['evil.pem'], ['evil.pem', '--json']]) {
    const { stdout } = await inspect(args);
    expect(stdout).toContain('evil');
    expect(stdout).not.toMatch(/\p{Cf}|(?!\n)\p{Cc}/u);
  }
});
