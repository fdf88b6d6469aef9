/** `/api/status` of the real process: what it shows after handshakes and messages, and what it never shows. */
import { once } from 'node:events';
import { connect as connectTcp } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Status, statusSchema } from '../../src/admin/status-schema.ts';
import { failureReasons } from '../../src/handshake/failure-reasons.ts';
import { denyReasons } from '../../src/identity/deny-reasons.ts';
import { cardNumber } from '../support/card-search.ts';
import { eventually } from '../support/eventually.ts';
import { statusOf } from '../support/http/http.ts';
import { authority } from '../support/pki/authority.ts';
import { post } from '../support/process/client.ts';
import type { Gateway } from '../support/process/gateway.ts';
import { openStage, type Stage } from '../support/process/stage.ts';

async function status(gateway: Gateway): Promise<Status> {
  const { status: code, body } = await gateway.admin('/api/status');
  expect(code).toBe(200);
  return JSON.parse(body);
}

/** The relay threads report in batches. */
function statusWhen(gateway: Gateway, fits: (document: Status) => boolean): Promise<Status> {
  return eventually(() => status(gateway), fits);
}

const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
const pki = authority();
const stranger = authority({ name: 'Stranger' });
const secret = 'a-value-of-the-client';

const openStatusStage = () =>
  openStage({ authority: pki, config: { relays: 2, audit: { seal: { interval: '10ms' } } } });

let stage: Stage;
let gateway: Gateway;
beforeAll(async () => {
  stage = await openStatusStage();
  ({ gateway } = stage);
});
afterAll(() => stage[Symbol.asyncDispose]());

describe('the status document', () => {
  it('follows its schema before and after the first connection', async () => {
    await using stage = await openStatusStage();
    const { gateway } = stage;
    const document = await statusWhen(gateway, ({ upstreams }) => upstreams.length === 1);
    expect(statusSchema.parse(document)).toEqual(document);
    expect(document).toMatchObject({
      version: 1,
      gateway: { state: 'serving', ready: true, reasons: [], listen: gateway.ready.listen },
      now: { messagesPerSecond: 0, p50Ms: null, budgetMs: 200, connections: 0 },
      refused: [],
      reasons: [],
      anchors: [{ name: 'example', source: 'files', certificates: 2, lastError: null, pendingRoot: false }],
      upstreams: [{ url: stage.host.url, state: 'up', failures: 0, lastFailure: null }],
      audit: { destination: 'stdout', failingSince: null, lost: 0, seal: { seq: expect.any(Number), time } },
    });
    const events = document.changes.map(({ kind, event }) => `${kind} ${event}`);
    expect(events).toEqual(expect.arrayContaining(['trust changed', 'audit chain_started']));
    expect(document.threads.map(({ thread }) => thread)).toEqual([0, 1]);
    expect(document.certificates.map(({ role, anchor }) => [role, anchor])).toEqual(
      expect.arrayContaining([
        ['server', null],
        ['anchor', 'example'],
      ]),
    );
  });

  it('shows messages, clients and open connections, and no part of a message', async () => {
    await using stage = await openStatusStage();
    const { gateway } = stage;
    await using client = await stage.connect();
    for (let count = 0; count < 20; count++) {
      const message = post({
        target: `/${secret}`,
        fields: [`X-Secret: ${secret}`],
        body: JSON.stringify({ secret }),
      });
      expect(statusOf(await client.write(message).response())).toBe(200);
    }
    const document = await statusWhen(
      gateway,
      ({ now }) => now.connections === 1 && now.messagesPerSecond > 20 / now.seconds - 0.1,
    );
    expect(statusSchema.parse(document)).toEqual(document);
    // Rounded to a tenth.
    expect(Math.abs(document.now.messagesPerSecond - 20 / document.now.seconds)).toBeLessThan(0.051);
    expect(document.now.p50Ms).toBeLessThanOrEqual(document.now.p99Ms ?? 0);
    expect(document.threads.reduce((sum, { connections }) => sum + connections, 0)).toBe(1);
    expect(document.clients).toEqual([
      {
        subject: expect.stringContaining('OU='),
        issuer: expect.stringContaining('CN='),
        serial: expect.any(String),
        lastSeen: time,
        notAfter: time,
      },
    ]);
    expect(document.reasons).toContainEqual({
      verdict: 'allow',
      reason: null,
      count: 1,
      says: null,
      advice: null,
    });
    expect(document.upstreams).toMatchObject([{ state: 'up', idleConnections: 1 }]);
    expect(JSON.stringify(document)).not.toContain(secret);
  });

  it('lists refused and failed handshakes, equal ones once, with what to do', async () => {
    const leaf = stranger.issueClient();
    const countOf = (reasons: Status['reasons']) =>
      reasons.find(({ reason }) => reason === 'untrusted')?.count ?? 0;
    const before = countOf((await status(gateway)).reasons);
    for (let count = 0; count < 3; count++) await stage.send(post(), { leaf, localAddress: '127.0.2.1' });
    await stage.send(post(), { leaf: undefined, localAddress: '127.0.2.2' });
    const plain = connectTcp({ port: gateway.port, host: '127.0.0.1', localAddress: '127.0.2.3' });
    plain.end('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await once(plain.resume(), 'close');
    const from = ({ refused }: Status) =>
      ['127.0.2.1', '127.0.2.2', '127.0.2.3'].map((address) =>
        refused.find(({ sourceAddress }) => sourceAddress === address),
      );
    const document = await statusWhen(
      gateway,
      (document) => from(document).every(Boolean) && countOf(document.reasons) === before + 3,
    );
    const { refused, reasons, history } = document;
    const [untrusted, missing, http] = from(document);
    const records = gateway.records().filter(({ source_address }) => source_address === '127.0.2.1');
    const last = records.toSorted((one, other) => one.time.localeCompare(other.time)).at(-1);
    expect(untrusted).toEqual({
      time: last?.time,
      connId: last?.conn_id,
      count: 3,
      sourceAddress: '127.0.2.1',
      verdict: 'deny',
      reason: 'untrusted',
      detail: last?.detail,
      says: denyReasons.untrusted.says,
      advice: denyReasons.untrusted.advice,
      subject: last?.leaf.subject,
      issuer: last?.leaf.issuer,
    });
    expect(missing).toMatchObject({ reason: 'no_certificate', count: 1, subject: null, issuer: null });
    expect(http).toMatchObject({
      verdict: 'failed',
      reason: 'plain_http',
      says: failureReasons.plain_http.says,
      advice: failureReasons.plain_http.advice,
    });
    expect(refused.map(({ time }) => time)).toEqual(
      refused
        .map(({ time }) => time)
        .toSorted()
        .reverse(),
    );
    expect(reasons).toContainEqual({
      verdict: 'deny',
      reason: 'untrusted',
      count: before + 3,
      says: untrusted?.says,
      advice: untrusted?.advice,
    });
    const lengths = Object.values(history).flatMap((list) => (Array.isArray(list) ? list.length : []));
    expect(new Set(lengths).size).toBe(1);
  });

  it('masks digits that a client puts into its certificate, as the audit does', async () => {
    const number = cardNumber(1);
    const leaf = pki.issueClient({ subject: { OU: `unit ${number}`, CN: 'client' } });
    await stage.send(post(), { leaf, localAddress: '127.0.2.4' });
    const isOurs = ({ sourceAddress }: { sourceAddress: string | null }) => sourceAddress === '127.0.2.4';
    const { refused } = await statusWhen(gateway, ({ refused }) => refused.some(isOurs));
    const { detail, subject } = refused.find(isOurs) ?? {};
    const record = await gateway.audit(({ source_address }) => source_address === '127.0.2.4');
    expect(detail).toContain('[digits]');
    expect(detail).toBe(record.detail);
    // The name of a certificate is exempt in both: it identifies the client.
    expect(subject).toBe(record.leaf.subject);
  });

  it('lists at most 50 refused handshakes, the last ones, whichever thread they came from', async () => {
    const leaf = stranger.issueClient();
    const address = (count: number) => `127.0.3.${count + 1}`;
    for (let count = 0; count < 55; count++) await stage.send(post(), { leaf, localAddress: address(count) });
    const expected = new Set(Array.from({ length: 50 }, (_, count) => address(count + 5)));
    await statusWhen(gateway, ({ refused }) => {
      expect(refused.length).toBeLessThanOrEqual(50);
      return refused.length === 50 && refused.every(({ sourceAddress }) => expected.has(sourceAddress ?? ''));
    });
  });

  it('lists accepted and refused changes of the configuration without any value', async () => {
    const configChanges = async () => (await status(gateway)).changes.filter(({ kind }) => kind === 'config');
    const before = (await configChanges()).length;
    await stage.reload({ limits: { connections: 4321 } });
    await stage.reload({ limits: { connections: -4321 } });
    await stage.reload();
    const changes = await configChanges();
    expect(changes.slice(0, changes.length - before)).toEqual([
      {
        time,
        kind: 'config',
        event: 'reloaded',
        subject: null,
        detail: 'changed: limits.connections',
        count: 1,
      },
      {
        time,
        kind: 'config',
        event: 'refused',
        subject: null,
        detail: 'problems: 1, the first in limits.connections; the log lists them',
        count: 1,
      },
      {
        time,
        kind: 'config',
        event: 'reloaded',
        subject: null,
        detail: 'changed: limits.connections',
        count: 1,
      },
    ]);
    expect(JSON.stringify(changes)).not.toContain('4321');
  });

  it('serves its JSON Schema', async () => {
    const { status: code, body } = await gateway.admin('/api/status/schema');
    expect(code).toBe(200);
    expect(JSON.parse(body)).toMatchObject({ type: 'object', properties: { version: { const: 1 } } });
  });
});

/** One request to the admin port with these Host headers; returns the whole response. */
async function requestAdmin(path: string, hosts: readonly string[], version = '1.1'): Promise<string> {
  const { address: host, port } = gateway.ready.admin;
  const socket = connectTcp({ host, port });
  socket.write(`GET ${path} HTTP/${version}\r\n${hosts.map((name) => `Host: ${name}\r\n`).join('')}\r\n`);
  return text(socket);
}

describe('the admin port', () => {
  it('refuses the page and the API under a name that is not listed, and never repeats it', async () => {
    for (const path of [
      '/',
      '/assets/page.js',
      '/assets/no.js',
      '/api/status',
      '/api/status/schema',
      '/api/x',
    ])
      for (const hosts of [['evil.example'], ['EVIL.example:9090'], ['localhost', 'evil.example']]) {
        const answer = await requestAdmin(path, hosts);
        expect(answer).toMatch(/^HTTP\/1\.1 421 /);
        expect(answer).toContain('\r\nCache-Control: no-store\r\n');
        expect(answer.toLowerCase()).not.toContain('evil');
      }
    expect(await requestAdmin('/api/status', [])).toMatch(/^HTTP\/1\.1 400 /);
    expect(await requestAdmin('/api/status', [], '1.0')).toMatch(/^HTTP\/1\.1 421 /);
  });

  it('accepts any address and localhost, and a listed name from the reload on that lists it', async () => {
    for (const host of ['127.0.0.1:1', '[::1]', 'LocalHost.'])
      expect(await requestAdmin('/api/status', [host])).toMatch(/^HTTP\/1\.1 200 /);
    expect(await requestAdmin('/', ['admin.example.com'])).toMatch(/^HTTP\/1\.1 421 /);
    const { changed, fixed } = await stage.reload({
      admin: { address: '127.0.0.1', port: 0, hosts: ['Admin.Example.com.'] },
    });
    expect([changed, fixed]).toEqual([['admin.hosts'], []]);
    expect(await requestAdmin('/', ['admin.example.com'])).toMatch(/^HTTP\/1\.1 200 /);
    expect(await requestAdmin('/', ['ADMIN.example.com.:9090'])).toMatch(/^HTTP\/1\.1 200 /);
    expect(await requestAdmin('/', ['x.admin.example.com'])).toMatch(/^HTTP\/1\.1 421 /);
    await stage.reload();
    expect(await requestAdmin('/', ['admin.example.com'])).toMatch(/^HTTP\/1\.1 421 /);
  });

  it('answers scrapes and probes under every name', async () => {
    for (const path of ['/metrics', '/healthz', '/readyz', '/upstreams'])
      expect(await requestAdmin(path, ['ehi-gateway-admin.cards.svc:9090'])).toMatch(/^HTTP\/1\.1 200 /);
  });

  it('sends the security headers with every response', async () => {
    for (const path of ['/', '/api/status', '/api/status/schema', '/metrics', '/readyz', '/nothing']) {
      const { headers } = await fetch(new URL(path, gateway.ready.admin.page));
      expect(Object.fromEntries(headers)).toMatchObject({
        'cache-control': 'no-store',
        'content-security-policy':
          "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        'referrer-policy': 'no-referrer',
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'DENY',
      });
      expect(headers.has('access-control-allow-origin')).toBe(false);
    }
  });

  it('names the URL of the page in the ready line', async () => {
    const { address, port, page } = gateway.ready.admin;
    expect(page).toBe(`http://${address}:${port}/`);
    const response = await fetch(page);
    expect([response.status, response.headers.get('content-type')]).toEqual([
      200,
      'text/html; charset=utf-8',
    ]);
  });
});
