/** Sessions of one replica at another: they resume only with the same secret and the same trust. */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseCertificate } from '../../src/pki/certificate.ts';
import { statusOf } from '../support/http/http.ts';
import { authority } from '../support/pki/authority.ts';
import { type ClientOptions, post } from '../support/process/client.ts';
import { openStage, type Stage, type StageOptions } from '../support/process/stage.ts';

const pki = authority();
const another = authority({ name: 'Another' });
const leaf = pki.issueClient();
const { organizationalUnits, spkiPin } = parseCertificate(leaf.der);
const match = { organizationalUnit: organizationalUnits[0] };
const pins = [`sha256/${spkiPin}`, `sha256/${randomBytes(32).toString('base64')}`];
const secret = randomBytes(48);

const anchors = [
  { name: 'example', files: ['anchor.pem'] },
  { name: 'another', files: ['another.pem'] },
];

/** A replica of the same service, with one section of its configuration changed. */
function openReplica(config: StageOptions['config'] = {}): Promise<Stage> {
  return openStage({
    authority: pki,
    files: { secret: secret.toString('base64'), 'another.pem': another.anchorPem },
    config: {
      listen: { resumption: { secretFile: 'secret' } },
      trust: { anchors, cacheDir: 'trust' },
      clients: { match, pins },
      ...config,
    },
  });
}

const versions = ['TLSv1.2', 'TLSv1.3'] as const;
type Session = Pick<ClientOptions, 'minVersion' | 'maxVersion' | 'session'>;

/** A session on each version, from full handshakes that the gateway answered with 200. */
async function sessionsOf(stage: Stage): Promise<Session[]> {
  const sessions: Session[] = [];
  for (const version of versions) {
    const only = { minVersion: version, maxVersion: version };
    await using client = await stage.connect({ ...only, leaf });
    expect(statusOf(await client.exchange(post()))).toBe(200);
    sessions.push({ ...only, session: await client.session() });
  }
  return sessions;
}

/** Whether each session resumes, TLS 1.2 first; expects that the client is accepted in either case. */
async function resumed(stage: Stage, sessions: readonly Session[]): Promise<boolean[]> {
  const reused: boolean[] = [];
  for (const session of sessions) {
    await using client = await stage.connect({ ...session, leaf });
    expect(statusOf(await client.exchange(post()))).toBe(200);
    reused.push(client.socket.isSessionReused());
  }
  return reused;
}

let first: Stage;
let sessions: readonly Session[];
beforeAll(async () => {
  first = await openReplica();
  sessions = await sessionsOf(first);
});
afterAll(() => first[Symbol.asyncDispose]());

describe('a session resumes', () => {
  it('at the replica that issued it', async () => {
    expect(await resumed(first, sessions)).toEqual([true, true]);
  });

  it.each<[string, StageOptions['config']]>([
    ['with the same configuration', {}],
    [
      'with the same trust settings in another order',
      {
        trust: { anchors: anchors.toReversed(), cacheDir: 'trust' },
        clients: { match, pins: pins.toReversed() },
      },
    ],
    [
      'that differs only in settings without effect on trust',
      { limits: { body: '2MiB' }, clients: { match, pins, allowlist: ['127.0.0.0/8'] } },
    ],
  ])('at a replica %s', async (_, config) => {
    await using replica = await openReplica(config);
    expect(await resumed(replica, sessions)).toEqual([true, true]);
  });

  it('in every relay thread', async () => {
    await using replica = await openReplica({ relays: 2 });
    const visits = Array.from({ length: 8 }, () => sessions).flat();
    expect(new Set(await resumed(replica, visits))).toEqual(new Set([true]));
  });
});

describe('a session does not resume, and its client completes a full handshake', () => {
  it.each<[string, StageOptions['config']]>([
    ['with one pin less', { clients: { match, pins: pins.slice(0, 1) } }],
    ['without pins', { clients: { match } }],
    ['with another match', { clients: { match: [match, { commonName: 'Somebody else' }], pins } }],
    ['with one anchor less', { trust: { anchors: anchors.slice(0, 1), cacheDir: 'trust' } }],
    ['in another epoch', { listen: { resumption: { secretFile: 'secret', rotate: '13h' } } }],
    ['with a secret of its own', { listen: {} }],
    ['without resumption', { listen: { resumption: 'off' } }],
  ])('at a replica %s', async (_, config) => {
    await using replica = await openReplica(config);
    expect(await resumed(replica, sessions)).toEqual([false, false]);
  });
});

it('resumes sessions only at the replica that issued them when there is no secret file', async () => {
  await using one = await openReplica({ listen: {} });
  await using two = await openReplica({ listen: {} });
  const own = await sessionsOf(one);
  expect(await resumed(one, own)).toEqual([true, true]);
  expect(await resumed(two, own)).toEqual([false, false]);
});

it('resumes no session when resumption is off', async () => {
  await using off = await openReplica({ listen: { resumption: 'off' } });
  expect(await resumed(off, await sessionsOf(off))).toEqual([false, false]);
});

it('resumes no session after the end of its epoch', async () => {
  await using stage = await openReplica({ listen: { resumption: { secretFile: 'secret', rotate: '2s' } } });
  const old = await sessionsOf(stage);
  while ((await resumed(stage, old)).includes(true));
  // Permanently: each epoch has its own keys.
  expect(await resumed(stage, old)).toEqual([false, false]);
});
