/** The end of a refused connection: one request is read, the page arrives complete, and nothing reaches the host. */
import { spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer, text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { statusOf } from '../support/http/http.ts';
import { expectRefusalPage, refusalTitles } from '../support/http/refusal-page.ts';
import { post } from '../support/process/client.ts';
import { expectOneRecordEach, handshakeFrom, refusalOf } from '../support/process/records.ts';
import { openStage, type Stage } from '../support/process/stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage[Symbol.asyncDispose]());

it('answers HEAD without the page, and a malformed head with the page', async () => {
  await using first = await stage.connect({ leaf: undefined });
  const head = await first.exchange('HEAD / HTTP/1.1\r\nHost: a\r\n\r\n', { bodiless: true });
  expect(statusOf(head)).toBe(400);
  expect(await first.rest()).toHaveLength(0);

  const broken = await stage.send('\0\x01nonsense\r\n\r\n', { leaf: undefined });
  expectRefusalPage(broken, 400);
  const { message } = await refusalOf(stage.gateway, broken);
  expect(message).toMatchObject({ method: null, path: null });
});

it('answers a head that is too large with the page as soon as limits.head is exceeded', async () => {
  const endless = `GET / HTTP/1.1\r\nX-Long: ${'a'.repeat(20_000)}`;
  expectRefusalPage(await stage.send(endless, { leaf: undefined }), 400);
});

it('answers only the first of several pipelined requests', async () => {
  await using client = await stage.connect({ leaf: undefined });
  expectRefusalPage(await client.exchange(Buffer.concat([post(), post(), post()])), 400);
  expect(await client.rest()).toHaveLength(0);
  expect(client.error).toBeUndefined();
});

it('sends nothing to a client that closes before its request, and records the connection', async () => {
  await using client = await stage.connect({ leaf: undefined });
  const record = await handshakeFrom(stage.gateway, client.socket);
  client.halfClose();
  expect(await client.rest()).toHaveLength(0);
  expect(record).toMatchObject({ verdict: 'deny', reason: 'no_certificate' });
});

it('sends curl the complete page without a reset while curl uploads 1 MB', async () => {
  const { folder, port } = stage.gateway;
  const upload = join(folder, 'upload');
  const ca = join(folder, 'root.pem');
  await writeFile(upload, Buffer.alloc(1_000_000, 'a'));
  await writeFile(ca, stage.authority.root.pem);
  const url = `https://127.0.0.1:${port}/`;
  const curl = ['--silent', '--show-error', '--include', '--cacert', ca, '--header', 'Expect:'];
  for (let round = 0; round < 20; round++) {
    const child = spawn('curl', [...curl, '--data-binary', `@${upload}`, url], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const [page, errors] = await Promise.all([buffer(child.stdout), text(child.stderr)]);
    expect(errors).toBe('');
    expect(page.toString()).toContain(`<title>${refusalTitles[400]}</title>`);
    expect(page.toString()).toMatch(/<\/html>\n$/);
  }
});

it('sends the page to a client that reads only after it has sent a body of 60 KB', async () => {
  await using client = await stage.connect({ leaf: undefined });
  client.socket.pause();
  await new Promise((sent) => client.socket.write(post({ body: Buffer.alloc(60_000, 'a') }), sent));
  client.socket.resume();
  expectRefusalPage(await client.response(), 400);
  expect(await client.rest()).toHaveLength(0);
  expect(client.error).toBeUndefined();
});

// Nothing has reached the host.
afterAll(() => {
  expect(stage.host.connectionCount).toBe(0);
});

// Each connection of these tests has one handshake record.
afterAll(async () => {
  await expectOneRecordEach(stage.gateway);
});
