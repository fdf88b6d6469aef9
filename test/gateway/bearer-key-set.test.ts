/** The key set of an authorization server on the real gateway: down, wrong, flooded with unknown keys, and rotated under load. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parseCertificate } from '../../src/pki/certificate.ts';
import { makeKey } from '../../src/pki/key.ts';
import { eventually } from '../support/eventually.ts';
import { statusOf } from '../support/http/http.ts';
import { keySetOf, publicJwk, signedToken } from '../support/jose/signed-token.ts';
import { type Client, post } from '../support/process/client.ts';
import { metricsWhen, readMetrics } from '../support/process/metrics.ts';
import { openStage, type Stage } from '../support/process/stage.ts';
import { type Directory, misbehaviours, openDirectory } from '../support/trust/directory.ts';

const issuer = 'https://as.example.com';
const keys = { a: makeKey('P-256'), b: makeKey('P-256') };
const jwkOf = (kid: 'a' | 'b') => publicJwk(keys[kid], { kid, use: 'sig', alg: 'ES256' });

let directory: Directory;
let stage: Stage;
let thumbprint: string;

beforeAll(async () => {
  const refreshes = {
    '/often': '1s',
    '/rotated': '1s',
    '/unusable': '1s',
    '/seldom': '1h',
    '/flooded': '1h',
  };
  directory = await openDirectory(
    Object.fromEntries(Object.keys(refreshes).map((path) => [path, keySetOf(jwkOf('a'))])),
  );
  stage = await openStage({
    files: { 'directory.pem': directory.pki.root.pem },
    routes: Object.entries({ ...refreshes, '/late': '1s' }).map(([path, refresh]) => ({
      path,
      bearer: {
        ...{ issuer, audience: 'any' },
        jwks: { uri: `${directory.origin}${path}`, ca: 'directory.pem', refresh },
      },
    })),
  });
  ({ thumbprint } = parseCertificate(stage.leaf.der));
  for (const path of Object.keys(refreshes)) await untilAccepted(path);
});
afterAll(async () => {
  await stage[Symbol.asyncDispose]();
  await directory[Symbol.asyncDispose]();
});

/** `kid`: of the header, where it is not that of the key. */
function token(key: 'a' | 'b', kid: string = key): string {
  return signedToken({
    ...{ key: keys[key], alg: 'ES256', header: { typ: 'at+jwt', kid } },
    claims: { iss: issuer, exp: Date.now() / 1000 + 3600, cnf: { 'x5t#S256': thumbprint } },
  });
}

function message(target: string, presented: string): Buffer {
  return post({ target, fields: [`Authorization: Bearer ${presented}`] });
}

async function reasonOf(target: string, presented: string): Promise<string | null> {
  await using client = await stage.connect();
  const response = await client.exchange(message(target, presented));
  const status = statusOf(response);
  if (status === 200) return null;
  const id = response.field('x-request-id');
  const record = await stage.gateway.audit(({ type, request_id }) => type === 'message' && request_id === id);
  return `${status} ${record.reason}`;
}

/** The relay thread gets a set after the control thread. */
async function untilAccepted(path: string, presented = token('a')): Promise<void> {
  await eventually(
    () => reasonOf(path, presented),
    (reason) => reason === null,
  );
}

/** The next event of the set of this path. */
function eventOf(path: string, event: string) {
  const source = `${directory.origin}${path}`;
  return stage.gateway.next(
    (record) => record.type === 'keys' && record.event === event && record.source === source,
  );
}

it('that cannot be fetched at the start leaves tokens undecided, and they pass once it is there', async () => {
  const received = stage.host.requests.length;
  expect(await reasonOf('/late', token('a'))).toBe('503 token_undecided');
  expect(stage.host.requests).toHaveLength(received);
  directory.files.set('/late', keySetOf(jwkOf('a')));
  await untilAccepted('/late');
});

it.each([
  ['fails', 'fetch_failed', misbehaviours.fail],
  ['redirects', 'fetch_failed', misbehaviours.redirect],
  ['ends within the set', 'fetch_failed', misbehaviours.cut],
  ['serves HTML', 'refused', (_: unknown, response: { end(body: string): void }) => response.end('<html>')],
  [
    'serves a private key',
    'refused',
    (_: unknown, response: { end(body: string): void }) =>
      response.end(keySetOf(keys.b.export({ format: 'jwk' }))),
  ],
  [
    'serves a symmetric key',
    'refused',
    (_: unknown, response: { end(body: string): void }) =>
      response.end(keySetOf({ kty: 'oct', k: 'c2VjcmV0', kid: 'b' })),
  ],
] as const)(
  'whose server %s keeps its last good keys in use, and no others',
  async (_, event, misbehaviour) => {
    const reported = eventOf('/often', event);
    directory.misbehaviour = misbehaviour;
    await reported;
    expect(await reasonOf('/often', token('a'))).toBe(null);
    expect(await reasonOf('/often', token('b'))).toBe('401 token_key_unknown');
    directory.misbehaviour = null;
  },
);

it('whose server hangs keeps its last good keys in use', async () => {
  let isAsked = false;
  directory.misbehaviour = () => {
    isAsked = true;
  };
  await eventually(() => isAsked);
  expect(await reasonOf('/often', token('a'))).toBe(null);
  directory.misbehaviour = null;
  // Ends the fetch, which would wait for its timeout.
  for (const socket of directory.sockets) socket.destroy();
});

it('is fetched at once for a kid that it does not have yet', async () => {
  directory.files.set('/seldom', keySetOf(jwkOf('a'), jwkOf('b')));
  expect(await reasonOf('/seldom', token('b'))).toBe(null);
  expect(await reasonOf('/seldom', token('a'))).toBe(null);
});

it('is fetched at most once for a flood of unknown kids, which are counted', async () => {
  const requests = () => directory.requests.filter(({ path }) => path === '/flooded').length;
  const before = requests();
  const counter = `ehi_key_set_unknown_kid_total{source="${directory.origin}/flooded"}`;
  const counted = (await readMetrics(stage.gateway)).get(counter) ?? 0;
  const clients = await Promise.all(Array.from({ length: 10 }, () => stage.connect()));
  const flood = clients.map(async (client, index) => {
    for (let each = 0; each < 30; each += 1) {
      const presented = token('b', `unknown-${index}-${each}`);
      expect(statusOf(await client.exchange(message('/flooded', presented)))).toBe(401);
    }
  });
  await Promise.all(flood);
  expect(requests() - before).toBeLessThanOrEqual(1);
  await metricsWhen(stage.gateway, (samples) => (samples.get(counter) ?? 0) === counted + 300);
  expect(await reasonOf('/flooded', token('a'))).toBe(null);
  await Promise.all(clients.map((client) => client[Symbol.asyncDispose]()));
});

it('is rotated under load without a failed message', async () => {
  const load = { tokens: [token('a')], statuses: new Map<number, number>(), isOver: false };
  const run = async (client: Client): Promise<void> => {
    for (let each = 0; !load.isOver; each += 1) {
      const presented = load.tokens[each % load.tokens.length] as string;
      const status = statusOf(await client.exchange(message('/rotated', presented)));
      load.statuses.set(status, (load.statuses.get(status) ?? 0) + 1);
    }
  };
  const sent = () => [...load.statuses.values()].reduce((sum, count) => sum + count, 0);
  const more = async () => {
    const goal = sent() + 200;
    await eventually(() => sent() >= goal || load.statuses.size > 1);
  };
  const clients = await Promise.all(Array.from({ length: 4 }, () => stage.connect()));
  const running = clients.map(run);
  await more();
  const added = eventOf('/rotated', 'changed');
  directory.files.set('/rotated', keySetOf(jwkOf('a'), jwkOf('b')));
  await added;
  load.tokens = [token('a'), token('b')];
  await more();
  load.tokens = [token('b')];
  await more();
  const removed = eventOf('/rotated', 'changed');
  directory.files.set('/rotated', keySetOf(jwkOf('b')));
  await removed;
  await more();
  load.isOver = true;
  await Promise.all(running);
  expect([...load.statuses.keys()]).toEqual([200]);
  expect(await reasonOf('/rotated', token('a'))).toBe('401 token_key_unknown');
  await Promise.all(clients.map((client) => client[Symbol.asyncDispose]()));
});

it('without a usable key is in the audit, the metrics and the status until it has one again', async () => {
  const source = `${directory.origin}/unusable`;
  const series = `ehi_key_set_usable_keys{source="${source}"}`;
  const lacking = eventOf('/unusable', 'no_usable_key');
  directory.files.set('/unusable', keySetOf({ ...jwkOf('b'), use: 'enc' }));
  const detail = expect.stringContaining('kid b is not for signatures (use or key_ops)');
  expect(await lacking).toMatchObject({ source, detail });
  await metricsWhen(stage.gateway, (samples) => samples.get(series) === 0);
  // The document is made at most once a second.
  const keySets = await eventually(
    async () => {
      const { keySets } = JSON.parse((await stage.gateway.admin('/api/status')).body);
      return keySets as { source: string; lack: string | null }[];
    },
    (sets) => sets.some(({ lack }) => lack !== null),
  );
  expect(keySets.filter((each) => each.source === source)).toMatchObject([{ usable: 0, lack: detail }]);
  await eventually(
    () => reasonOf('/unusable', token('b')),
    (reason) => reason === '401 token_key_unknown',
  );
  directory.files.set('/unusable', keySetOf(jwkOf('b')));
  await metricsWhen(stage.gateway, (samples) => samples.get(series) === 1);
  await untilAccepted('/unusable', token('b'));
});
