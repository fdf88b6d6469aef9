/** Tokens, signatures, secrets and signed bodies, accepted and refused for every reason: none appears in an output. */
import { randomBytes } from 'node:crypto';
import { appendFile, readFile } from 'node:fs/promises';
import type { RequestListener } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { bearerRefusals, signatureRefusals } from '../../src/message/message-reasons.ts';
import { parseCertificate } from '../../src/pki/certificate.ts';
import { makeKey } from '../../src/pki/key.ts';
import { percent } from '../support/card-plantings.ts';
import { eventually } from '../support/eventually.ts';
import { type IntrospectionServer, openIntrospectionServer } from '../support/jose/introspection-server.ts';
import { detachedJws, hmacOf, keySetOf, rawSignature, sender } from '../support/jose/signed-body.ts';
import { publicJwk, signedToken, type TokenParts } from '../support/jose/signed-token.ts';
import type { Leaf } from '../support/pki/authority.ts';
import { post } from '../support/process/client.ts';
import { type Collector, openCollector } from '../support/process/collector.ts';
import { runCommand } from '../support/process/command.ts';
import type { AuditRecord } from '../support/process/gateway.ts';
import { openStage, type Stage } from '../support/process/stage.ts';
import { SecretSearch } from '../support/secret-search.ts';

const search = new SecretSearch();
const random = () => randomBytes(24).toString('hex');
const issuer = 'https://as.example.com';
const audience = 'https://gateway.example.com';
const key = makeKey('P-256');
const [thredd, stranger] = [sender('thredd'), sender('stranger')];
const hmacSecret = search.plant('HMAC secret', random());
const clientSecret = search.plant('client secret', random());
// Introspecting clients send it in this form.
search.plant('client credentials', Buffer.from(`gateway:${clientSecret}`).toString('base64'));
const header = 'X-Thredd-Signature';
/** Files that hold what was planted by design. */
const secretFiles = ['hmac.secret', 'client.secret', 'private.json', 'keys.json', 'server.key'];

const opened = new AsyncDisposableStack();
let server: IntrospectionServer;
let collector: Collector;
let stage: Stage;
let other: Leaf;
/** Responses of the gateway. */
const responses: string[] = [];

/** A gateway that writes everything it can. */
beforeAll(async () => {
  server = opened.use(await openIntrospectionServer());
  collector = opened.use(await openCollector());
  const bearer = { issuer, audience, scopes: ['ehi'] };
  const introspection = {
    ...{ endpoint: server.endpoint, ca: 'as.pem', timeout: '30s', cache: '10m' },
    auth: { kind: 'client_secret_basic', clientId: 'gateway', secretFile: 'client.secret' },
  };
  const raw = { header, scheme: 'raw', encoding: 'base64', algorithm: 'ES256', kid: { header: 'X-Key-Id' } };
  const hmac = { hmac: { secretFile: 'hmac.secret', header }, timestamp: { header: 'X-Time' } };
  const jws = { header, scheme: 'jws-detached', algorithm: 'ES256' };
  const nowhere = { uri: 'https://127.0.0.1:1/keys.json' };
  stage = opened.use(
    await openStage({
      files: {
        'as.pem': server.pki.root.pem,
        'keys.json': issuerKeys(),
        'senders.json': keySetOf(thredd),
        'hmac.secret': `${hmacSecret}\n`,
        'client.secret': `${clientSecret}\n`,
        'private.json': JSON.stringify({ keys: [privateJwk()] }),
      },
      named: true,
      routes: [
        { path: '/jwt', bearer: { ...bearer, jwks: { file: 'keys.json' } } },
        { path: '/trial', bearer: { ...bearer, mode: 'shadow', jwks: { file: 'keys.json' } } },
        { path: '/opaque', bearer: { ...bearer, introspection } },
        { path: '/hasty', bearer: { ...bearer, introspection: { ...introspection, timeout: '100ms' } } },
        { path: '/jws', signature: { ...jws, jwks: { file: 'senders.json' } } },
        { path: '/raw', signature: { ...raw, jwks: { file: 'senders.json' } } },
        { path: '/unread', signature: { ...jws, jwks: nowhere } },
        { path: '/hmac', signature: { ...hmac, replay: 'refuse' } },
        { path: '/hasty-body', deadline: '300ms', signature: hmac },
      ],
      env: { EHI_LOG_LEVEL: 'trace' },
      config: {
        audit: { destination: 'audit.jsonl' },
        tracing: { endpoint: collector.url, interval: '50ms' },
        limits: { body: '64KiB' },
      },
    }),
  );
  other = stage.authority.issueClient();
});
afterAll(() => opened.disposeAsync());

function issuerKeys(): string {
  return JSON.stringify({ keys: [publicJwk(key, { kid: 'ec' })] });
}

/** A key that must not be in a key set, in one that is refused for it. */
function privateJwk(): object {
  const jwk = makeKey('P-256').export({ format: 'jwk' });
  search.plant('private key of a set', jwk.d ?? '');
  return { ...jwk, kid: 'published-by-mistake' };
}

function token(name: string, parts: Partial<TokenParts> = {}): string {
  const claims = {
    ...{ iss: issuer, aud: audience, scope: 'ehi', client_id: 'client', sub: 'subject' },
    ...{ exp: Math.round(Date.now() / 1000) + 3600, jti: name },
    cnf: { 'x5t#S256': parseCertificate(stage.leaf.der).thumbprint },
    ...(typeof parts.claims === 'object' ? parts.claims : {}),
  };
  const made = signedToken({
    ...{ key, alg: 'ES256', header: { typ: 'at+jwt', kid: 'ec' } },
    ...parts,
    claims: typeof parts.claims === 'string' ? parts.claims : claims,
  });
  return search.plant(`token ${name}`, made);
}

async function send(options: {
  readonly target: string;
  readonly fields?: string[];
  readonly body?: string;
  readonly leaf?: Leaf;
}): Promise<void> {
  const { leaf = stage.leaf, ...message } = options;
  const answer = await stage.send(post(message), { leaf });
  responses.push(answer.raw.toString('latin1'));
}

const present = (target: string, value: string, leaf = stage.leaf) =>
  send({ target, fields: [`Authorization: Bearer ${value}`], leaf });

/** A token for each reason of `bearerRefusals` that the head decides, and good ones. */
async function presentJwts(): Promise<void> {
  const now = Math.round(Date.now() / 1000);
  const good = token('good');
  await present('/jwt', good);
  await present('/jwt', good, other);
  await present('/trial', good);
  await present('/trial', token('in shadow', { key: makeKey('P-256') }));
  await send({ target: '/jwt' });
  await send({ target: '/jwt', fields: [`Authorization: Basic ${search.plant('basic', random())}`] });
  const [one, two] = [token('first of two'), token('second of two')];
  await send({ target: '/jwt', fields: [`Authorization: Bearer ${one}`, `Authorization: Bearer ${two}`] });
  await send({ target: `/jwt?access_token=${token('in the query')}` });
  await send({ target: `/jwt/${percent(search.plant('in the path', random()))}?x` });
  await present('/jwt', `${token('with a space')} and more`);
  await present('/jwt', token('too long', { claims: { padding: 'a'.repeat(8192) } }));
  await present('/jwt', search.plant('no JWT', random()));
  const refused: Record<string, Partial<TokenParts>> = {
    'with crit': { header: { typ: 'at+jwt', kid: 'ec', crit: ['exp'] } },
    'of another type': { header: { typ: 'JWT', kid: 'ec' } },
    'with alg none': { alg: 'none' },
    'of an unknown kid': { header: { typ: 'at+jwt', kid: 'unknown' } },
    'of another key': { key: makeKey('P-256') },
    'with broken claims': { claims: '{"iss":"https://as.example.com","iss":"https://as.example.com"}' },
    'of another issuer': { claims: { iss: 'https://other' } },
    'for another audience': { claims: { aud: 'https://other' } },
    expired: { claims: { exp: now - 3600 } },
    'not yet valid': { claims: { nbf: now + 3600 } },
    unbound: { claims: { cnf: undefined } },
    'without scope': { claims: { scope: null } },
  };
  for (const [name, parts] of Object.entries(refused)) await present('/jwt', token(name, parts));
}

/** Answers that repeat the token wherever they can. */
const misbehaviours: readonly ((token: string) => RequestListener)[] = [
  (echo) => (_, response) => response.writeHead(500, echo, { 'x-token': echo }).end(echo),
  (echo) => (_, response) => response.writeHead(200, { 'content-type': 'text/html' }).end(`<h1>${echo}</h1>`),
  (echo) => (_, response) =>
    response
      .writeHead(200, { 'content-type': 'application/json' })
      .end(JSON.stringify({ active: true, scope: 5, [echo]: echo })),
  (echo) => (_, response) => response.writeHead(302, { location: `/${echo}` }).end(),
];

/** Answers that never end. */
const endless: readonly ((token: string) => RequestListener)[] = [
  (echo) => (_, response) => response.writeHead(200, { 'content-length': 9999 }).write(echo),
  () => () => {},
];

async function presentOpaque(): Promise<void> {
  const good = search.plant('opaque token', random());
  const cnf = { 'x5t#S256': parseCertificate(stage.leaf.der).thumbprint };
  server.answers.set(good, { active: true, aud: audience, scope: 'ehi', client_id: 'client', cnf });
  await present('/opaque', good);
  await present('/opaque', good, other);
  await present('/opaque', search.plant('inactive token', random()));
  const cases = [
    ...misbehaviours.map((misbehave) => ['/opaque', misbehave] as const),
    ...endless.map((misbehave) => ['/hasty', misbehave] as const),
  ];
  for (const [index, [target, misbehave]] of cases.entries()) {
    const asked = search.plant(`token of a misbehaving server ${index}`, random());
    server.misbehaviour = misbehave(asked);
    await present(target, asked);
  }
  server.misbehaviour = null;
}

const body = () => `{"note":"${search.plant('body', random())}"}`;

/** A signature for each reason of `signatureRefusals`, and good ones. */
async function presentSignatures(): Promise<void> {
  const signed = async (target: string, signature: string, rest: { fields?: string[]; body: string }) => {
    const { fields = [], body: content } = rest;
    const value = search.plant(`signature on ${target}`, signature);
    await send({ target, fields: [`${header}: ${value}`, ...fields], body: content });
  };
  const [first, second] = [body(), body()];
  await signed('/jws', detachedJws(first, thredd), { body: first });
  await signed('/jws', detachedJws(first, thredd), { body: second });
  await signed('/jws', detachedJws(first, stranger), { body: first });
  await signed('/unread', detachedJws(first, thredd), { body: first });
  await send({ target: '/jws', body: body() });
  const double = search.plant('repeated signature', detachedJws(first, thredd));
  await send({ target: '/jws', fields: [`${header}: ${double}`, `${header}: ${double}`], body: first });
  await signed('/jws', random(), { body: first });
  for (const head of ['{"alg":"ES256","jwk":{}}', '{"alg":"none"}']) {
    const [, signature] = detachedJws(first, thredd).split('..');
    await signed('/jws', `${Buffer.from(head).toString('base64url')}..${signature}`, { body: first });
  }
  await signed('/raw', rawSignature(first, thredd), { body: first, fields: ['X-Key-Id: thredd'] });
  await signed('/raw', rawSignature(first, thredd), { body: first });
  for (const time of [`${Date.now()}`, `${Date.now() - 3_600_000}`]) {
    const mac = hmacOf(hmacSecret, { time, body: first });
    await signed('/hmac', mac, { body: first, fields: [`X-Time: ${time}`] });
    await signed('/hmac', mac, { body: first, fields: [`X-Time: ${time}`] });
    await signed('/hmac', mac, { body: first });
  }
  await presentSlowly();
}

/** A body that is held and never complete. */
async function presentSlowly(): Promise<void> {
  const [time, content] = [`${Date.now()}`, body()];
  const mac = search.plant('signature of a slow body', hmacOf(hmacSecret, { time, body: content }));
  await using client = await stage.connect();
  const message = post({
    target: '/hasty-body',
    fields: [`${header}: ${mac}`, `X-Time: ${time}`],
    body: content,
  });
  responses.push(
    (await client.write(message.subarray(0, message.length - 2)).response()).raw.toString('latin1'),
  );
}

/** Reloads with a key set that has a private key, and one that is no JSON. */
async function reloadWithRefusedSets(): Promise<void> {
  const { gateway } = stage;
  const unreadable = search.plant('a set that is no JSON', `{"keys":"${random()}`);
  for (const set of [await readFile(join(gateway.folder, 'private.json')), unreadable]) {
    await gateway.write('keys.json', set);
    const before = (await recordsOf('config')).length;
    gateway.signal('SIGHUP');
    await eventually(
      () => recordsOf('config'),
      (all) => all.length > before,
    );
  }
}

/** The records in the audit file. */
async function recordsOf(type: string): Promise<AuditRecord[]> {
  const text = await readFile(join(stage.gateway.folder, 'audit.jsonl'), 'utf8');
  const lines = text.split('\n').slice(0, -1);
  return lines.map((line): AuditRecord => JSON.parse(line)).filter((record) => record.type === type);
}

it('writes, exports and answers no token, no signature, no secret and no body, whatever the verdict', async () => {
  const { gateway } = stage;
  await presentJwts();
  await presentOpaque();
  await presentSignatures();
  const messages = responses.length;
  await reloadWithRefusedSets();
  responses.push(await gateway.metrics());
  for (const path of ['/api/status', '/upstreams', '/readyz', '/'])
    responses.push((await gateway.admin(path)).body);
  const commands = [];
  for (const command of ['check', 'inventory']) {
    const { stdout, stderr } = await runCommand([command, '--config', 'gateway.yaml'], {
      cwd: gateway.folder,
    });
    commands.push(stdout, stderr);
  }
  const audit = join(gateway.folder, 'audit.jsonl');
  await eventually(
    () => recordsOf('message'),
    (all) => all.length >= messages,
  );
  expect(await gateway.stop()).toEqual({ code: 0 });

  // Every reason was reached: the test can fail.
  const reached = new Set((await recordsOf('message')).map(({ reason }) => reason));
  for (const reason of [...Object.keys(bearerRefusals), ...Object.keys(signatureRefusals)])
    expect(reached).toContain(reason);
  expect(reached).toContain('body_timeout');
  expect(stage.host.requests.length).toBeGreaterThanOrEqual(7);

  expect(await search.findIn(gateway.folder, secretFiles)).toEqual([]);
  expect(search.find(gateway.stdout)).toEqual([]);
  expect(search.find(gateway.stderr)).toEqual([]);
  expect(search.find(responses.join('\n'))).toEqual([]);
  expect(search.find(commands.join('\n'))).toEqual([]);
  expect(collector.spans.length).toBeGreaterThan(5);
  expect(search.find(collector.exports.map((each) => each.body).join('\n'))).toEqual([]);

  // A part of a secret in one of these places is found.
  const part = hmacSecret.slice(5, 35);
  for (const form of [
    part,
    percent(part),
    Buffer.from(part).toString('base64'),
    Buffer.from(part).toString('hex'),
  ]) {
    await appendFile(audit, `{"path":"/${form}"}\n`);
    expect(await search.findIn(gateway.folder, secretFiles)).toEqual([`${audit}: HMAC secret`]);
  }
});
