/** `ehi-gateway doctor` as a process: our own gateway, endpoints that are none, options, output, and secrets. */
import { spawn } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer as createHttpServer } from 'node:http';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../support/folder.ts';
import { authority } from '../support/pki/authority.ts';
import { openEndpoint } from '../support/process/faulty-endpoint.ts';
import { listenOnLoopback } from '../support/process/listening.ts';
import { program } from '../support/process/program.ts';
import { openStage, type Stage } from '../support/process/stage.ts';
import { openTlsImpostor } from '../support/process/tls-impostor.ts';

const pki = authority();
const client = pki.issueClient({ key: 'rsa-2048' });
const other = pki.issueClient({ subject: { OU: 'another', CN: 'another' } });
const token = 'eyJh.eyJz.c2lnbmF0dXJl';
const hmacSecret = 'a secret of the sender, thirty-two bytes';
const password = 'correct horse battery staple';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeAll(async () => {
  folder = await temporaryFolder();
  const encrypted = client.privateKey.export({
    ...{ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: password },
  });
  const files = {
    'root.pem': pki.root.pem,
    'anchors.pem': pki.anchorPem,
    'client.pem': client.chainPem,
    'client.key': client.keyPem,
    'encrypted.key': encrypted as string,
    password: `${password}\n`,
    'wrong-password': 'hunter2\n',
    'message.json': '{"TXn_ID":1}',
    token: `${token}\n`,
    signature: 'X-Signature: bWluZQ==\nX-Time: 1\n\n',
    'own-fields': 'X-Signature: a\nContent-Length: 1\n',
    twice: 'X-Signature: a\nx-signature: b\n',
    trailers: 'Trailer: x\n',
    blank: '\n',
    'two-tokens': `Bearer ${token}`,
    'other.pem': other.chainPem,
    'other.key': other.keyPem,
  };
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder.path, name), content);
});
afterAll(() => folder[Symbol.asyncDispose]());

/** A busy machine is no fault of an endpoint. */
const patience = ['--budget', '10000'];

/** `100 Continue` that came too late, in the text or in the JSON. */
const late = /✘ 100 Continue|"id": ?"message-continue",[^{}]*"outcome": ?"fail"/;

/** Examines again if 100 Continue came late, where the report says so. */
async function doctor(...args: string[]) {
  for (;;) {
    const result = await doctorOnce(...args);
    if (!late.test(result.stdout)) return result;
  }
}

async function doctorOnce(...args: string[]) {
  const child = spawn(process.execPath, [program, 'doctor', ...args, ...patience], {
    cwd: folder.path,
    env: { ...process.env, NO_COLOR: '1' },
  });
  child.stdin.end();
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ]);
  return { stdout, stderr, code: code as number };
}

const asClient = ['--ca', 'root.pem', '--cert', 'client.pem', '--key', 'client.key'];

describe('doctor on our own gateway', () => {
  let stage: Stage;
  const url = () => `https://127.0.0.1:${stage.gateway.port}/`;
  beforeAll(async () => {
    stage = await openStage({
      authority: pki,
      files: { 'hmac.secret': hmacSecret },
      routes: [
        { path: '/' },
        { path: '/signed', signature: { hmac: { secretFile: 'hmac.secret', header: 'X-Signature' } } },
      ],
    });
  });
  afterAll(() => stage[Symbol.asyncDispose]());

  it('passes every check, with grade A', async () => {
    const { stdout, stderr, code } = await doctor(
      url(),
      ...asClient,
      '--expect-ca',
      'anchors.pem',
      '--json',
      '--count',
      '5',
    );
    const report = JSON.parse(stdout);
    expect(stderr).toBe('');
    expect(report.checks.filter(({ outcome }: { outcome: string }) => outcome !== 'pass')).toEqual([]);
    expect(report).toMatchObject({ result: 'pass', grade: { letter: 'A', caps: [] }, what_to_do: [] });
    expect(code).toBe(0);
  });

  it('marks the checks of messages as not possible without a client certificate, and exits with 0', async () => {
    const { stdout, code } = await doctor(url(), '--ca', 'root.pem', '--json', '--count', '2');
    const { checks, counts } = JSON.parse(stdout);
    expect(counts).toMatchObject({ fail: 0, warn: 0, unknown: 6 });
    const unknown = checks.filter(({ outcome }: { outcome: string }) => outcome === 'unknown');
    expect(unknown.every(({ hint }: { hint: string }) => hint.includes('--cert'))).toBe(true);
    expect(code).toBe(0);
  });

  it('advises --ca where the CA of the server is private', async () => {
    const { stdout, code } = await doctor(url(), '--count', '1');
    expect(stdout).toMatch(/✘ the chain verifies .*is not among the public\s+roots/s);
    expect(stdout).toContain('give its root with --ca');
    expect(stdout).toContain('Grade T: the certificate is not trusted (A if trust is ignored)');
    expect(code).toBe(1);
  });

  it('sends the message of --data to the host, and nothing of its answer is shown but length, digest and acknowledgement', async () => {
    const before = stage.host.requests.length;
    const { stdout } = await doctor(url(), ...asClient, '--data', 'message.json', '--count', '1');
    const bodies = stage.host.requests.slice(before).map(({ body }) => body.toString());
    expect(bodies).toEqual(Array(5).fill('{"TXn_ID":1}'));
    expect(stdout).toMatch(/✔ a message gets 2xx +200, \d+ bytes, SHA-256 [0-9a-f]{16}…, Acknowledgement 1/);
    expect(stdout).not.toContain('Responsestatus');
  });

  it('passes the checks of signatures on a route that demands them, whose audit has the reasons', async () => {
    const hmac = createHmac('sha256', hmacSecret).update('{"TXn_ID":1}').digest('hex');
    await writeFile(join(folder.path, 'hmac'), `X-Signature: ${hmac}\n`);
    const signed = ['--data', 'message.json', '--signature-file', 'hmac', '--count', '1', '--json'];
    const { stdout, code } = await doctor(`${url()}signed`, ...asClient, ...signed);
    const { checks } = JSON.parse(stdout);
    expect(
      checks.filter(({ id }: { id: string }) => /^(signature-(missing|altered)|message-status)$/.test(id)),
    ).toMatchObject(
      ['message-status', 'signature-missing', 'signature-altered'].map((id) => ({ id, outcome: 'pass' })),
    );
    expect(code).toBe(0);
    for (const reason of ['signature_missing', 'signature_invalid'])
      await stage.gateway.audit((record) => record.route === '/signed' && record.reason === reason);
  });

  it('sends no card number and no amount by default', async () => {
    const before = stage.host.requests.length;
    await doctor(url(), ...asClient, '--count', '1');
    const [body = ''] = stage.host.requests.slice(before).map(({ body }) => body.toString());
    expect(JSON.parse(body)).toMatchObject({ Bill_Amt: '0.00', Txn_Amt: '0.00' });
    expect(body).not.toMatch(/\d{13}/);
  });

  it('writes an evidence page, and replaces one only with --force', async () => {
    const args = [url(), ...asClient, '--count', '2', '--report', 'evidence.html'];
    expect((await doctor(...args)).code).toBe(0);
    const page = await readFile(join(folder.path, 'evidence.html'), 'utf8');
    for (const part of [
      'Examination of an EHI endpoint',
      url(),
      'CN=Example Issuing CA',
      'TLS_AES_128_GCM_SHA256',
    ])
      expect(page).toContain(part);
    expect(page).not.toMatch(/<script|PRIVATE KEY|src=|https?:\/\/(?!127\.0\.0\.1)/);
    const again = await doctor(...args);
    expect(again).toMatchObject({
      code: 64,
      stderr: expect.stringContaining('evidence.html: exists already'),
    });
    expect((await doctor(...args, '--force')).code).toBe(0);
  });

  it('reads an encrypted key, and shows its password nowhere', async () => {
    const files = ['--ca', 'root.pem', '--cert', 'client.pem', '--key', 'encrypted.key'];
    const good = await doctor(url(), ...files, '--passphrase-file', 'password', '--count', '1', '--json');
    expect(good.code).toBe(0);
    expect(good.stdout + good.stderr).not.toContain(password);
    const wrong = await doctor(url(), ...files, '--passphrase-file', 'wrong-password');
    expect(wrong).toMatchObject({
      code: 64,
      stdout: '',
      stderr: expect.stringMatching(/^--cert, --key or its passphrase: .*\n$/),
    });
    expect(wrong.stderr).not.toContain('hunter2');
    const asked = await doctor(url(), ...files);
    expect(asked).toMatchObject({ code: 64, stderr: expect.stringContaining('--passphrase-file') });
  });

  it('reads certificate and key from a PKCS#12 file of OpenSSL', async () => {
    const arguments_ = ['pkcs12', '-export', '-in', 'client.pem', '-inkey', 'client.key'];
    const made = spawn('openssl', [...arguments_, '-out', 'client.p12', '-passout', 'file:password'], {
      cwd: folder.path,
    });
    expect((await once(made, 'close'))[0]).toBe(0);
    const files = ['--ca', 'root.pem', '--p12', 'client.p12'];
    const { code, stdout } = await doctor(
      url(),
      ...files,
      '--password-file',
      'password',
      '--count',
      '1',
      '--json',
    );
    expect(JSON.parse(stdout).counts).toMatchObject({ fail: 0, unknown: 0 });
    expect(code).toBe(0);
    const wrong = await doctor(url(), ...files, '--password-file', 'wrong-password');
    expect(wrong).toMatchObject({
      code: 64,
      stderr: expect.stringContaining('--p12 client.p12: needs another password'),
    });
  });

  it('reports the faults of tolerated checks as warnings', async () => {
    const tolerate = ['--tolerate', 'chain-trust,chain-complete'];
    const { stdout, code } = await doctor(url(), ...tolerate, '--count', '1');
    expect(stdout).toMatch(/! the chain verifies .*\(tolerated\)/s);
    expect(stdout).toContain('Grade A\n');
    expect(code).toBe(0);
  });

  it('names the refusal of a certificate that the endpoint does not accept', async () => {
    const { stdout, code } = await doctor(
      url(),
      '--ca',
      'root.pem',
      '--cert',
      'other.pem',
      '--key',
      'other.key',
      '--count',
      '1',
    );
    expect(stdout).toMatch(/✘ a message gets 2xx +403/);
    expect(code).toBe(1);
  });
});

describe('doctor on a port without a TLS server', () => {
  const short = ['--timeout', '300', '--count', '1', '--ca', 'root.pem'];

  it.each<[string, () => Server, RegExp]>([
    ['hangs', () => createServer(), /✘ TLS is spoken +the server .*(time|answer)/],
    [
      'resets',
      () => createServer((socket) => socket.on('error', () => {}).resetAndDestroy()),
      /✘ this address is let in +the server .*(reset|clos)/,
    ],
    [
      'closes',
      () => createServer((socket) => socket.on('error', () => {}).end()),
      /✘ this address is let in +the server .*clos/,
    ],
    ['speaks plain HTTP', () => createHttpServer(), /✘ TLS is spoken +the server .*HTTP/],
    [
      'speaks another protocol',
      () => createServer((socket) => socket.on('error', () => {}).end('SSH-2.0-OpenSSH_9.2\r\n')),
      /✘ TLS is spoken +the server .*SSH/,
    ],
  ])('ends with a sentence if it %s', async (_, open, sentence) => {
    await using server = await listenOnLoopback(open());
    const { stdout, stderr, code } = await doctor(`https://127.0.0.1:${server.port}/`, ...short);
    expect(stdout).toMatch(sentence);
    expect(stdout).toContain('Grade none: TLS could not be examined');
    expect(stdout + stderr).not.toMatch(/^\s+at /m);
    expect(stderr).toBe('');
    expect(code).toBe(1);
  });

  it('ends with a sentence if the certificate cannot be parsed', async () => {
    await using server = await openTlsImpostor({ certificates: [Buffer.from('no certificate at all')] });
    const { stdout, stderr, code } = await doctor(`https://127.0.0.1:${server.port}/`, ...short);
    expect(stdout).toMatch(/✘ certificates as sent +the certificate at depth 0 cannot be parsed/);
    expect(stdout.match(/✘ /g)).toHaveLength(2);
    expect(stdout + stderr).not.toMatch(/^\s+at /m);
    expect(code).toBe(1);
  });

  it('ends with sentences if no request is answered', async () => {
    await using server = await openEndpoint({ pki, admits: () => true, answer: () => {} });
    const { stdout, stderr, code } = await doctor(server.url, ...short, ...asClient);
    expect(stdout).toMatch(/✘ no certificate gets 400 or 403 +no response: no answer in time/);
    expect(stdout).toMatch(/✘ a message gets 2xx +no response: no answer in time/);
    expect(stdout).toMatch(/\? resumption without one is refused/);
    expect(stdout + stderr).not.toMatch(/^\s+at /m);
    expect(code).toBe(1);
  });

  it('exits with 69 if nothing listens, with the facts as JSON', async () => {
    const server = await listenOnLoopback(createServer());
    await server.close();
    const { stdout, stderr, code } = await doctor(`https://127.0.0.1:${server.port}/`, ...short, '--json');
    expect(JSON.parse(stdout)).toMatchObject({
      result: 'fail',
      address: null,
      error: expect.stringContaining('refused'),
    });
    expect(stderr).toMatch(/^https:\/\/127\.0\.0\.1:\d+\/ cannot be reached: TCP connects: .*refused.*\n$/);
    expect(code).toBe(69);
  });

  it('exits with 69 if the name does not resolve', async () => {
    const { stdout, stderr, code } = await doctor('https://endpoint.invalid/', ...short);
    expect(stdout).toMatch(/✘ the name resolves +A none .*; *\n? *AAAA none/);
    expect(stderr).toContain('cannot be reached: the name resolves');
    expect(code).toBe(69);
  });
});

describe('doctor with wrong options', () => {
  it.each<[string, string[], RegExp]>([
    ['another scheme', ['http://127.0.0.1/'], /^found "http:.*; allowed a URL such as https:/],
    ['a key without a certificate', ['https://127.0.0.1/', '--key', 'client.key'], /^--cert is missing/],
    ['a certificate without a key', ['https://127.0.0.1/', '--cert', 'client.pem'], /^--key is missing/],
    [
      '--p12 beside --cert',
      ['https://127.0.0.1/', '--cert', 'a', '--key', 'b', '--p12', 'c'],
      /^found --p12 with --cert/,
    ],
    [
      'two expectations',
      ['https://127.0.0.1/', '--preset', 'sandbox', '--expect-ca', 'root.pem'],
      /^found both --preset/,
    ],
    ['a key as --ca', ['https://127.0.0.1/', '--ca', 'client.key'], /^--ca client.key: .*private key/],
    [
      'a file that does not exist',
      ['https://127.0.0.1/', '--ca', 'absent.pem'],
      /^--ca absent.pem: cannot be read \(ENOENT\)/,
    ],
    [
      'the key of another certificate',
      ['https://127.0.0.1/', '--cert', 'root.pem', '--key', 'client.key'],
      /^--cert or --key: .*the key of another certificate/,
    ],
    [
      'a token without a certificate',
      ['https://127.0.0.1/', '--token-file', 'token'],
      /^--token-file without a client certificate; allowed with /,
    ],
    [
      'something else than a token',
      ['https://127.0.0.1/', '--cert', 'client.pem', '--key', 'client.key', '--token-file', 'two-tokens'],
      /^--token-file two-tokens: found something else than one token; allowed .* without "Bearer"\n$/,
    ],
    [
      'another certificate without a token',
      ['https://127.0.0.1/', '--other-cert', 'other.pem', '--other-key', 'other.key'],
      /^--other-cert without --token-file; allowed with /,
    ],
    [
      'another certificate without its key',
      ['https://127.0.0.1/', '--other-cert', 'other.pem'],
      /^--other-key is missing; allowed --other-cert and --other-key together/,
    ],
    [
      'a signature without its message',
      ['https://127.0.0.1/', '--signature-file', 'signature'],
      /^--signature-file without --data; allowed with the body that is signed/,
    ],
    [
      'something else than fields',
      ['https://127.0.0.1/', '--data', 'message.json', '--signature-file', 'token'],
      /^--signature-file token: found something else in line 1; allowed lines such as "X-Signature: …"/,
    ],
    [
      'a field that the command writes itself',
      ['https://127.0.0.1/', '--data', 'message.json', '--signature-file', 'own-fields'],
      /^--signature-file own-fields: found something else in line 2; allowed /,
    ],
    [
      'a field twice',
      ['https://127.0.0.1/', '--data', 'message.json', '--signature-file', 'twice'],
      /^--signature-file twice: found a second field of one name in line 2; allowed /,
    ],
    [
      'a field that names trailers',
      ['https://127.0.0.1/', '--data', 'message.json', '--signature-file', 'trailers'],
      /^--signature-file trailers: found something else in line 1; allowed /,
    ],
    [
      'no field',
      ['https://127.0.0.1/', '--data', 'message.json', '--signature-file', 'blank'],
      /^--signature-file blank: found no field; allowed /,
    ],
    ['no URL', [], /missing required argument 'url'/],
    ['another preset', ['https://127.0.0.1/', '--preset', 'live'], /Allowed choices are sandbox, production/],
    [
      'an unknown check',
      ['https://127.0.0.1/', '--tolerate', 'chain'],
      /^--tolerate: found "chain"; allowed resolve, connect, /,
    ],
    ['no tries', ['https://127.0.0.1/', '--count', '0'], /Allowed is a whole number from 1 to 10000/],
  ])('exits with 64 for %s', async (_, args, sentence) => {
    const { stdout, stderr, code } = await doctor(...args);
    expect(stderr).toMatch(sentence);
    expect(stderr).not.toContain('BEGIN');
    expect(stderr).not.toContain(token);
    expect(stdout).toBe('');
    expect(code).toBe(64);
  });
});

it('sends the token with each message, and shows nothing of it', async () => {
  const seen: (string | undefined)[] = [];
  await using endpoint = await openEndpoint({
    pki,
    answer: (response) => {
      seen.push(response.req.headers.authorization);
      response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': 2 }).end('{}');
    },
  });
  const { stdout, stderr, code } = await doctor(
    ...[endpoint.url, ...asClient, '--token-file', 'token', '--count', '2', '--report', 'token.html'],
    ...['--other-cert', 'other.pem', '--other-key', 'other.key'],
  );
  const sent = `Bearer ${token}`;
  // Four messages, one without a token, one with an altered token, one with the other certificate, two for the latency.
  expect(seen).toEqual([
    ...Array(4).fill(sent),
    undefined,
    expect.not.stringContaining(token),
    ...Array(3).fill(sent),
  ]);
  for (const check of ['no token', 'an altered token', 'another certificate'])
    expect(stdout).toMatch(new RegExp(`✘ ${check} gets 401 +200`));
  expect(code).toBe(1);
  const page = await readFile(join(folder.path, 'token.html'), 'utf8');
  for (const output of [stdout, stderr, page]) {
    for (const part of token.split('.')) expect(output).not.toContain(part);
  }
});

describe('with a signed message', () => {
  /** Knows one signed body. */
  const openSigned = (verifies: boolean) => {
    const seen: string[] = [];
    return openEndpoint({
      pki,
      admits: () => true,
      answer: (response) => {
        const { headers } = response.req;
        seen.push(`${headers['x-signature']} ${headers['x-time']} ${headers['content-length']}`);
        const isSigned = headers['x-signature'] === 'bWluZQ==' && headers['content-length'] === '12';
        const status = isSigned || !verifies ? 200 : 403;
        response.writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': 2 }).end('{}');
      },
    }).then((endpoint) => Object.assign(endpoint, { seen }));
  };
  const signed = ['--data', 'message.json', '--signature-file', 'signature', '--count', '1'];

  it('sends it with its fields, without them and with another body, and shows nothing of the signature', async () => {
    await using endpoint = await openSigned(true);
    const { stdout, stderr } = await doctor(endpoint.url, ...asClient, ...signed);
    expect(stdout).toMatch(/✔ a message gets 2xx +200/);
    for (const check of ['an unsigned message', 'an altered body'])
      expect(stdout).toMatch(new RegExp(`✔ ${check} is refused +403`));
    expect(endpoint.seen.filter((each) => each === 'undefined undefined 12')).not.toEqual([]);
    expect(endpoint.seen.filter((each) => each === 'bWluZQ== 1 13')).toHaveLength(1);
    expect(stdout + stderr).not.toContain('bWluZQ');
  });

  it('fails an endpoint that does not verify it, also without a client certificate', async () => {
    await using endpoint = await openSigned(false);
    const { stdout, code } = await doctor(endpoint.url, '--ca', 'root.pem', ...signed);
    for (const check of ['an unsigned message', 'an altered body'])
      expect(stdout).toMatch(new RegExp(`✘ ${check} is refused +200`));
    expect(code).toBe(1);
  });
});

it('escapes what a certificate could do to a terminal', async () => {
  const server = pki.issueServer({ subject: { CN: 'a\u001b[2Jb\u202e' } });
  await using endpoint = await openEndpoint({ pki, server });
  const { stdout } = await doctor(endpoint.url, ...asClient, '--count', '1');
  expect(stdout).toContain('CN=a');
  for (const unsafe of ['\u001b', '\u202e']) expect(stdout).not.toContain(unsafe);
});

it('stops at its limit in a file without an end, and escapes the names of files', async () => {
  const endless = await doctor('https://127.0.0.1:1/', '--ca', '/dev/zero');
  expect(endless.code).toBe(64);
  expect(endless.stderr).toMatch(/^--ca \/dev\/zero: found more than/);
  const { stderr } = await doctor('https://127.0.0.1:1/', '--data', '/no/\u001b[2J');
  expect(stderr).toBe('--data: /no/\\u{1b}[2J cannot be read (ENOENT)\n');
});
