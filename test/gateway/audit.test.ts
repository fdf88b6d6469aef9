/** The destinations of the audit, its fields, and the values from clients in it: cut, and masked. */
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { statusOf } from '../support/http/http.ts';
import { post } from '../support/process/client.ts';
import type { AuditRecord } from '../support/process/gateway.ts';
import { handshakeFrom } from '../support/process/records.ts';
import { openStage } from '../support/process/stage.ts';

const handshakeFields = [
  ...['type', 'time', 'conn_id', 'source_address', 'source_port', 'proxy_address', 'listener', 'tls_version'],
  ...[
    'cipher',
    'resumed',
    'sni',
    'alpn',
    'duration_ms',
    'leaf',
    'anchor',
    'verdict',
    'reason',
    'openssl_code',
  ],
  ...['detail', 'generation', 'revocation', 'shadow'],
];
const leafFields = [
  'subject',
  'issuer',
  'serial',
  'not_before',
  'not_after',
  'spki_pin',
  'pin',
  'thumbprint',
];
const messageFields = [
  ...['type', 'time', 'conn_id', 'request_id', 'trace_id', 'route', 'method', 'path', 'status', 'endpoint'],
  ...['upstream_reused', 'request_bytes', 'response_bytes', 'upstream_ms', 'total_ms', 'outcome', 'reason'],
];

it('writes to a file and not to stdout when audit names a file, and has written every record at exit', async () => {
  await using stage = await openStage({ config: { audit: { destination: 'audit.jsonl' } } });
  const file = join(stage.gateway.folder, 'audit.jsonl');
  await using client = await stage.connect();
  for (let count = 0; count < 50; count++) await client.exchange(post({ target: `/${count}` }));
  await stage.send(post(), { leaf: undefined });
  expect(await stage.gateway.stop()).toEqual({ code: 0 });

  expect((await stat(file)).mode & 0o007).toBe(0);
  const text = await readFile(file, 'utf8');
  expect(text.endsWith('\n')).toBe(true);
  const records = text
    .trim()
    .split('\n')
    .map((line): AuditRecord => JSON.parse(line));
  const paths = records.filter(({ outcome }) => outcome === 'answered').map(({ path }) => path);
  expect(paths).toEqual(Array.from({ length: 50 }, (_, count) => `/${count}`));
  expect(records.filter(({ outcome }) => outcome === 'denied')).toHaveLength(1);
  expect(records.filter(({ type }) => type === 'handshake')).toHaveLength(2);
  expect(stage.gateway.records()).toEqual([]);
});

it('writes to stderr between the log lines', async () => {
  await using stage = await openStage({ config: { audit: { destination: 'stderr' } } });
  expect(statusOf(await stage.send(post()))).toBe(200);
  expect(await stage.gateway.stop()).toEqual({ code: 0 });
  expect(stage.gateway.stderr).toContain('{"type":"handshake",');
  expect(stage.gateway.stderr).toContain('{"type":"message",');
});

it('writes exactly the documented fields', async () => {
  await using stage = await openStage();
  await using client = await stage.connect({ ALPNProtocols: ['http/1.1'] });
  expect(statusOf(await client.exchange(post({ target: '/a?b=c', body: 'four' })))).toBe(200);
  const handshake = await handshakeFrom(stage.gateway, client.socket);
  expect(Object.keys(handshake)).toEqual(handshakeFields);
  expect(Object.keys(handshake.leaf)).toEqual(leafFields);
  expect(handshake).toMatchObject({
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    listener: `127.0.0.1:${stage.gateway.port}`,
    duration_ms: expect.any(Number),
    alpn: 'http/1.1',
  });
  const message = await stage.gateway.audit(({ type }) => type === 'message');
  expect(Object.keys(message)).toEqual(messageFields);
  expect(message).toMatchObject({ path: '/a', route: '/', method: 'POST', status: 200, outcome: 'answered' });
  expect(message).toMatchObject({ request_bytes: 4, conn_id: handshake.conn_id, reason: null });
});

it('cuts values that the client chose at 512 bytes', async () => {
  await using stage = await openStage({ config: { clients: { anyCertificateOfAnchor: true } } });
  // Two bytes for each character: the cut must not leave half a character.
  const long = 'é'.repeat(1000);
  for (const issue of [{}, { hash: 'sha1' as const }]) {
    const leaf = stage.authority.issueClient({ subject: { CN: long }, ...issue });
    await using client = await stage.connect({ leaf, ciphers: 'DEFAULT@SECLEVEL=0' });
    const { verdict, leaf: recorded } = await handshakeFrom(stage.gateway, client.socket);
    expect(verdict).toBe('hash' in issue ? 'deny' : 'allow');
    expect(Buffer.byteLength(recorded.subject)).toBeGreaterThan(500);
    expect(Buffer.byteLength(recorded.subject)).toBeLessThanOrEqual(512);
    expect(long.startsWith(recorded.subject.slice('CN='.length))).toBe(true);
  }
  await stage.send(post({ target: `/${'a'.repeat(4000)}` }));
  const message = await stage.gateway.audit(({ type }) => type === 'message');
  expect(message.path).toBe(`/${'a'.repeat(511)}`);
});

it('masks digits that could be a card number in the SNI and in the path', async () => {
  await using stage = await openStage();
  const card = '4929123456789012';
  await using client = await stage.connect({
    servername: `pan-${card}.example`,
    checkServerIdentity: () => undefined,
  });
  expect((await handshakeFrom(stage.gateway, client.socket)).sni).toBe('pan-[digits].example');
  const escaped = [...card].map((digit) => `%3${digit}`).join('');
  for (const target of [`/cards/${card}`, `/cards/${escaped}`, `/cards/0000${card}0000?pan=${card}`]) {
    expect(statusOf(await client.exchange(post({ target })))).toBe(200);
  }
  await stage.send(post({ target: `/${card}` }), { leaf: undefined });
  expect(await stage.gateway.stop()).toEqual({ code: 0 });
  const paths = stage.gateway.records().flatMap(({ type, path }) => (type === 'message' ? [path] : []));
  expect(paths).toEqual([...Array(3).fill('/cards/[digits]'), '/[digits]']);
  const { stdout, stderr } = stage.gateway;
  for (const written of [stdout, stderr]) {
    expect(written).not.toContain(card);
    expect(written).not.toContain(escaped);
  }
});
