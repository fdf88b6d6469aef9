import { spawn } from 'node:child_process';
import { createPrivateKey } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Act, openScriptedHost } from '../simulation/scripted-host.ts';
import { eventually } from '../support/eventually.ts';
import { temporaryFolder } from '../support/folder.ts';
import { authority } from '../support/pki/authority.ts';
import { program } from '../support/process/program.ts';
import { openStage } from '../support/process/stage.ts';

const pki = authority();
const leaf = pki.issueClient();

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeEach(async () => {
  folder = await temporaryFolder();
  const files = { 'root.pem': pki.root.pem, 'client.pem': leaf.chainPem, 'client.key': leaf.keyPem };
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder.path, name), content);
});
afterEach(() => folder[Symbol.asyncDispose]());

const identity = ['--ca', 'root.pem', '--cert', 'client.pem', '--key', 'client.key'];
/** Few messages, and times that a busy test machine keeps. */
const brief = ['--rate', '100', '--duration', '200ms', '--timeout', '20s', '--resend-interval', '10ms'];

function start(args: readonly string[]) {
  const child = spawn(process.execPath, [program, 'simulate', ...args], {
    cwd: folder.path,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
  return { child, ended: ended.then(([stdout, stderr, [code]]) => ({ stdout, stderr, code })) };
}

function simulate(...args: string[]) {
  return start(args).ended;
}

/** A host that does the same with every message. */
function hostThat(act: Act) {
  return openScriptedHost({ authority: pki, script: () => act });
}

describe('a simulation', () => {
  it('prints a summary, and exits with 0 when every message was acknowledged', async () => {
    await using scripted = await hostThat('acknowledge');
    const { stdout, stderr, code } = await simulate(scripted.host.url, ...identity, ...brief);
    expect(stdout).toMatch(/^Sending 100 messages\/s for 0\.2 s to https:\/\/127\.0\.0\.1:\d+\/ \(TLSv1\.3 /);
    expect(stdout).toContain('all 20 messages were acknowledged.');
    expect(stdout).toMatch(/^Latency from the schedule:\n( +[\d.]+ – [\d.]+ ms +\d+ .*\n)+/m);
    expect(stdout).toMatch(/^from the schedule +p50 [\d.]+ ms {2}p90 .* max [\d.]+ ms$/m);
    expect(stdout).toMatch(/^from the send +p50 /m);
    // stderr is no terminal, so there is no progress.
    expect(stderr).toBe('');
    expect(code).toBe(0);
  });

  it('exits with 1 when a message was never acknowledged, and lists the failures by kind', async () => {
    await using scripted = await hostThat('refuse');
    const { stdout, code } = await simulate(scripted.host.url, ...identity, ...brief, '--resends', '2');
    expect(stdout).toContain('0 of 20 messages were acknowledged, 20 never acknowledged.');
    expect(stdout).toMatch(/^ +60 {2}not_acknowledged {2}answered in time, and Acknowledgement is not 1$/m);
    expect(scripted.host.requests).toHaveLength(60);
    expect(code).toBe(1);
  });

  it('prints one JSON document with --json, with the counts of the host', async () => {
    await using scripted = await openScriptedHost({
      authority: pki,
      script: (index, attempt) => (index < 5 && attempt === 0 ? 'fail' : 'acknowledge'),
    });
    const { stdout, stderr, code } = await simulate(scripted.host.url, ...identity, ...brief, '--json');
    const result = JSON.parse(stdout);
    expect(result).toMatchObject({
      url: `${scripted.host.url}/`,
      interrupted: false,
      connections_mode: 'keep-alive',
      rate: { asked: 100 },
      messages: { sent: 20, acknowledged: 20, lost: 0, pending: 0 },
      attempts: {
        sent: 25,
        resent: 5,
        acknowledged: 20,
        failures: { status: { count: 5, details: { 503: 5 } } },
        doubled: 0,
        unanswered: 0,
      },
    });
    const counted = result.histogram.reduce((sum: number, { count }: { count: number }) => sum + count, 0);
    expect(counted).toBe(25);
    expect(stderr).toBe('');
    expect(code).toBe(0);
  });

  it('sends the same messages again for the same seed', async () => {
    await using scripted = await hostThat('acknowledge');
    const run = (seed: string) => simulate(scripted.host.url, ...identity, ...brief, '--seed', seed);
    for (const seed of ['5', '5', '6']) expect((await run(seed)).code).toBe(0);
    const content = scripted.host.requests.map(({ body }) =>
      body.toString().replaceAll(/\d{4}-\d\d-\d\d [\d:.]+|"(TXN_Time_DE07|POS_Time_DE12)":"\d+"/g, ''),
    );
    expect(content.slice(20, 40).toSorted()).toEqual(content.slice(0, 20).toSorted());
    expect(content.slice(40).toSorted()).not.toEqual(content.slice(0, 20).toSorted());
  });

  it('reaches a host through the real gateway, in SOAP, with Expect and one connection for each message', async () => {
    await using stage = await openStage({
      authority: pki,
      host: { answer: () => soapAnswer },
    });
    const options = ['--format', 'soap', '--connections', 'new', '--expect-continue', '--json'];
    const url = `https://127.0.0.1:${stage.gateway.port}/`;
    const { stdout, code } = await simulate(url, ...identity, ...brief, ...options);
    const { messages, attempts } = JSON.parse(stdout);
    expect(messages).toMatchObject({ sent: 20, acknowledged: 20 });
    expect(code).toBe(0);
    expect(stage.host.requests).toHaveLength(20);
    for (const request of stage.host.requests) {
      expect(request.field('content-type')).toBe('application/xml');
      expect(request.field('soapaction')).toMatch(/^"http:\/\/tempuri\.org\/(GetTransaction|Cut_Off)"$/);
    }
    // One more: the contact before the first message. A busy gateway may refuse an attempt, which is then sent again.
    const handshakes = () => stage.gateway.records().filter(({ type }) => type === 'handshake').length;
    const expected = attempts.sent + 1;
    expect(await eventually(handshakes, (count) => count >= expected)).toBe(expected);
  });

  it('sends to a host without TLS', async () => {
    await using stage = await openStage();
    const { stdout, code } = await simulate(stage.host.url, ...brief);
    expect(stdout).toContain('(no TLS, ');
    expect(code).toBe(0);
    expect(stage.host.requests).toHaveLength(20);
  });

  it('ends with its result so far on SIGINT', async () => {
    await using scripted = await openScriptedHost({
      authority: pki,
      script: (index) => (index < 3 ? 'refuse' : 'acknowledge'),
    });
    const long = ['--rate', '100', '--duration', '10m', '--timeout', '20s', '--resend-interval', '1h'];
    const { child, ended } = start([scripted.host.url, ...identity, ...long, '--json']);
    await eventually(() => scripted.host.requests.length >= 10);
    child.kill('SIGINT');
    const { stdout, code } = await ended;
    const { interrupted, messages } = JSON.parse(stdout);
    expect(interrupted).toBe(true);
    expect(messages.sent).toBe(scripted.host.requests.length);
    expect(messages).toMatchObject({ pending: 3, lost: 0, acknowledged: messages.sent - 3 });
    expect(code).toBe(1);
  });
});

describe('--report', () => {
  it('writes a page with the result and its charts', async () => {
    await using scripted = await hostThat('refuse');
    const options = [...brief, '--resends', '0', '--report', 'report.html'];
    const { stdout } = await simulate(scripted.host.url, ...identity, ...options);
    expect(stdout).toContain('The report is in report.html.');
    const page = await readFile(join(folder.path, 'report.html'), 'utf8');
    expect(page).toContain('<h1>Simulation of EHI messages</h1>');
    expect(page).toContain('0 of 20; 20 lost, 0 pending');
    expect(page.match(/<svg /g)).toHaveLength(3);
    expect(page).toContain('<td>not_acknowledged</td>');
  });

  it('that exists already is refused before the first message, and replaced with --force', async () => {
    await using scripted = await hostThat('acknowledge');
    await writeFile(join(folder.path, 'report.html'), 'mine');
    const args = [scripted.host.url, ...identity, ...brief, '--report', 'report.html'];
    expect(await simulate(...args)).toEqual({
      code: 64,
      stdout: '',
      stderr: '--report report.html: exists already; allowed a new name, or --force to replace it\n',
    });
    expect(scripted.host.requests).toEqual([]);
    expect((await simulate(...args, '--force')).code).toBe(0);
    expect(await readFile(join(folder.path, 'report.html'), 'utf8')).toContain('<!doctype html>');
  });

  it('that is a folder is refused before the first message, also with --force', async () => {
    await using scripted = await hostThat('acknowledge');
    await mkdir(join(folder.path, 'report.html'));
    const args = [scripted.host.url, ...identity, ...brief, '--report', 'report.html', '--force'];
    expect(await simulate(...args)).toEqual({
      code: 64,
      stdout: '',
      stderr: '--report report.html: cannot be written (EISDIR)\n',
    });
    expect(scripted.host.requests).toEqual([]);
  });

  it('that cannot be written at the end is an error, and the result is printed nevertheless', async () => {
    await using scripted = await openScriptedHost({
      authority: pki,
      script: () => {
        mkdirSync(join(folder.path, 'report.html'), { recursive: true });
        return 'acknowledge';
      },
    });
    const args = [scripted.host.url, ...identity, ...brief, '--json', '--report', 'report.html', '--force'];
    const { stdout, stderr, code } = await simulate(...args);
    expect(JSON.parse(stdout).messages).toMatchObject({ sent: 20, acknowledged: 20 });
    expect(stderr).toBe('report.html: cannot be written (EISDIR)\n');
    expect(code).toBe(64);
  });

  it('is written although the reader of stdout has closed it', async () => {
    await using scripted = await hostThat('acknowledge');
    const args = [program, 'simulate', scripted.host.url, ...identity, ...brief, '--report', 'report.html'];
    const child = spawn(process.execPath, args, { cwd: folder.path, stdio: ['ignore', 'pipe', 'pipe'] });
    // After the first line.
    child.stdout.once('data', () => child.stdout.destroy());
    const [stderr] = await Promise.all([text(child.stderr), once(child, 'exit')]);
    expect(stderr).toBe('');
    expect(await readFile(join(folder.path, 'report.html'), 'utf8')).toContain('<!doctype html>');
  });
});

describe('an encrypted key', () => {
  it('is opened with the first line of --passphrase-file, which appears nowhere', async () => {
    await using scripted = await hostThat('acknowledge');
    const passphrase = 'correct-horse-battery';
    const encrypted = createPrivateKey(leaf.keyPem).export({
      type: 'pkcs8',
      format: 'pem',
      cipher: 'aes-256-cbc',
      passphrase,
    });
    await writeFile(join(folder.path, 'client.key'), encrypted);
    await writeFile(join(folder.path, 'passphrase'), `${passphrase}\n`);
    const options = [...identity, ...brief, '--report', 'report.html'];
    const { stdout, stderr, code } = await simulate(
      ...[scripted.host.url, ...options, '--passphrase-file', 'passphrase'],
    );
    expect(code).toBe(0);
    const page = await readFile(join(folder.path, 'report.html'), 'utf8');
    expect(stdout + stderr + page).not.toContain(passphrase);
    const without = await simulate(scripted.host.url, ...identity, ...brief);
    expect(without).toMatchObject({ code: 64, stdout: '' });
    expect(without.stderr).toMatch(/^the passphrase of client\.key is needed: give --passphrase-file FILE/);
  });
});

describe('what cannot be reached exits with 69 and one line', () => {
  it.each([
    ['nothing listens', async () => 'https://127.0.0.1:1/', /nothing listens there \(ECONNREFUSED\)/],
    [
      'the name does not exist',
      async () => 'https://absent.invalid/',
      /the name absent\.invalid does not resolve/,
    ],
  ])('%s', async (_, url, reason) => {
    const { stdout, stderr, code } = await simulate(await url(), ...identity, ...brief);
    expect(stderr).toMatch(reason);
    expect(stderr.split('\n')).toHaveLength(2);
    expect(stdout).toBe('');
    expect(code).toBe(69);
  });

  it('the server certificate is not issued by --ca', async () => {
    await using scripted = await hostThat('acknowledge');
    await writeFile(join(folder.path, 'root.pem'), authority().root.pem);
    const { stderr, code } = await simulate(scripted.host.url, ...identity, ...brief);
    expect(stderr).toMatch(
      /its certificate is not issued by an authority of --ca, or else of the system \([A-Z_]+\)\n$/,
    );
    expect(code).toBe(69);
  });

  it('the endpoint speaks no TLS', async () => {
    await using stage = await openStage();
    const url = stage.host.url.replace('http:', 'https:');
    const { stderr, code } = await simulate(url, ...identity, ...brief);
    expect(stderr).toMatch(/cannot be reached: /);
    expect(stderr.split('\n')).toHaveLength(2);
    expect(code).toBe(69);
  });
});

describe('bad options exit with 64 and name what is allowed', () => {
  const url = 'https://127.0.0.1:1/';
  it.each([
    [[url, '--rate', '0'], '--rate: found 0; allowed a number above 0 and at most 100000'],
    [
      [url, '--duration', '60'],
      '--duration: found 60; allowed a whole number and its unit ms, s, m or h, such as 1500ms, above 0s to 24 days',
    ],
    [
      [url, '--late-wait', '25d'],
      '--late-wait: found 25d; allowed a whole number and its unit ms, s, m or h, such as 1500ms, from 0s to 24 days',
    ],
    [[url, '--connections', 'old'], '--connections: found old; allowed keep-alive or new'],
    [[url, '--format', 'xml'], '--format: found xml; allowed json or soap'],
    [[url, '--resends', '-1'], '--resends: found -1; allowed a whole number from 0 to 1000'],
    [
      [url, '--seed', 'x\u001b[31m'],
      '--seed: found x\\u{1b}[31m; allowed a whole number from 0 to 2147483647',
    ],
    [['ftp://a/'], '<url>: found ftp://a/; allowed an https or http URL, such as https://ehi.example.com/'],
    [
      ['ftp://me:secret@a/'],
      '<url>: found ftp://…@a/; allowed an https or http URL, such as https://ehi.example.com/',
    ],
    [
      ['https://me:secret@a/'],
      '<url>: found a user name or a password; allowed none: the client is known by its certificate',
    ],
    [[url, '--cert', 'client.pem'], '--cert and --key: found one of them; allowed both or none'],
    [
      ['http://127.0.0.1:1/', '--ca', 'root.pem'],
      '<url>: found http with --ca, --cert or --key; allowed https with them, or http without',
    ],
    [
      [url, '--report', 'absent/a.html'],
      '--report absent/a.html: its folder does not exist; allowed a file in a folder that exists',
    ],
    [[url, '--ca', 'absent.pem'], '--ca absent.pem: cannot be read (ENOENT)'],
    [
      [url, '--ca', 'client.key'],
      '--ca client.key: PEM block 1 (line 1) is a private key; only certificates are allowed',
    ],
  ])('%j', async (args, message) => {
    expect(await simulate(...args)).toEqual({ code: 64, stdout: '', stderr: `${message}\n` });
  });

  it('the key is not that of the certificate', async () => {
    await writeFile(join(folder.path, 'client.key'), pki.issueClient().keyPem);
    const { stderr, code } = await simulate(url, ...identity);
    expect(stderr).toMatch(
      /^--ca, --cert or --key: found content that OpenSSL refuses \(\w+\); allowed PEM files/,
    );
    expect(code).toBe(64);
  });
});

const soapBody =
  '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><Acknowledgement>1</Acknowledgement></s:Body></s:Envelope>';
const soapAnswer = `HTTP/1.1 200 OK\r\nContent-Type: application/xml\r\nContent-Length: ${soapBody.length}\r\n\r\n${soapBody}`;
