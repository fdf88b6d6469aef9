/** Keys of tokens and of signatures are replaced under 500 messages a second: no message may fail. */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseCertificate } from '../../src/pki/certificate.ts';
import { statusOf } from '../../test/support/http/http.ts';
import { detachedJws, keySetOf, type Sender, sender } from '../../test/support/jose/signed-body.ts';
import { signedToken } from '../../test/support/jose/signed-token.ts';
import { post } from '../../test/support/process/client.ts';
import { openStage, type Stage } from '../../test/support/process/stage.ts';
import { type Directory, openDirectory } from '../../test/support/trust/directory.ts';
import { pace } from '../pace.ts';
import { quantileOf } from './talk.ts';

const rate = 500;
const milliseconds = 20_000;
const connections = 32;
/** Between two rotations, ms. */
const rest = 1_000;
const issuer = 'https://as.example.com';

/** What of a message depends on the key. */
type Sign = (by: Sender, body: string) => string;

/** The key that signs now, and the messages under way by the key that signed them. */
interface Signing {
  current: Sender;
  readonly underWay: Map<Sender, Set<Promise<void>>>;
}

export async function soakKeyRotation(): Promise<boolean> {
  const first = sender('key-0');
  await using directory = await openDirectory({ '/token': keySetOf(first), '/signature': keySetOf(first) });
  const jwks = (name: string) => ({
    ...{ uri: `${directory.origin}/${name}`, ca: 'directory.pem', refresh: '1s' },
  });
  await using stage = await openStage({
    files: { 'directory.pem': directory.pki.root.pem },
    routes: [
      { path: '/token', bearer: { issuer, audience: 'any', jwks: jwks('token') } },
      {
        path: '/signature',
        signature: {
          ...{ header: 'X-Signature', scheme: 'jws-detached', algorithm: 'ES256' },
          jwks: jwks('signature'),
        },
      },
    ],
  });
  const tokens = new Map<Sender, string>();
  const cnf = { 'x5t#S256': parseCertificate(stage.leaf.der).thumbprint };
  const byToken: Sign = (by) => {
    const header = { typ: 'at+jwt', kid: by.kid };
    const claims = { iss: issuer, exp: Date.now() / 1000 + 3600, cnf };
    const known = tokens.get(by) ?? signedToken({ key: by.privateKey, alg: 'ES256', header, claims });
    tokens.set(by, known);
    return `Authorization: Bearer ${known}`;
  };
  const bySignature: Sign = (by, body) => `X-Signature: ${detachedJws(body, by)}`;
  const setting = { stage, directory, first };
  const results = [
    await rotate({ ...setting, name: 'token', sign: byToken }),
    await rotate({ ...setting, name: 'signature', sign: bySignature }),
  ];
  return results.every((isGood) => isGood);
}

interface Setting {
  readonly stage: Stage;
  readonly directory: Directory;
  readonly first: Sender;
  /** Of the route, and of its key set. */
  readonly name: string;
  readonly sign: Sign;
}

async function rotate(setting: Setting): Promise<boolean> {
  const { stage, name, first, sign } = setting;
  const signing: Signing = { current: first, underWay: new Map() };
  const failures: string[] = [];
  let sent = 0;
  const places = await Promise.all(
    Array.from({ length: connections }, async () => {
      let client = await stage.connect();
      const exchange = async (by: Sender): Promise<void> => {
        const body = `{"message":${sent++}}`;
        try {
          const answer = await client.exchange(post({ target: `/${name}`, fields: [sign(by, body)], body }));
          if (statusOf(answer) !== 200) failures.push(`status ${statusOf(answer)}`);
        } catch (error) {
          failures.push(String(error));
          client = await stage.connect();
        }
      };
      return {
        rest: async () => {},
        send: async () => {
          const by = signing.current;
          const all = signing.underWay.get(by) ?? new Set();
          signing.underWay.set(by, all);
          const one = exchange(by);
          all.add(one);
          await one;
          all.delete(one);
        },
        close: () => client[Symbol.asyncDispose](),
      };
    }),
  );
  const stop = new AbortController();
  const rotating = rotateKeys(setting, signing, stop.signal);
  const began = performance.now();
  const times = await pace(places, { rate, milliseconds });
  const seconds = (performance.now() - began) / 1000;
  stop.abort();
  const rotations = await rotating;
  for (const { close } of places) await close();
  const p = (part: number) => quantileOf(times, part).toFixed(1);
  console.log(
    `${name}: ${failures.length} of ${sent} messages failed, ${(sent / seconds).toFixed(1)} messages a second for ${seconds.toFixed(1)} s, ${rotations} rotations, p50 ${p(0.5)} ms, p99 ${p(0.99)} ms`,
  );
  for (const failure of new Set(failures)) console.log(`  ${failure}`);
  return failures.length === 0 && rotations > 1 && sent === (rate * milliseconds) / 1000;
}

/** Returns how many keys were replaced. Each ends with the set of the new key alone. */
async function rotateKeys(
  { stage, directory, name }: Setting,
  signing: Signing,
  signal: AbortSignal,
): Promise<number> {
  const source = `${directory.origin}/${name}`;
  const publish = async (...keys: Sender[]): Promise<void> => {
    const changed = stage.gateway.next(
      (record) => record.type === 'keys' && record.event === 'changed' && record.source === source,
    );
    directory.files.set(`/${name}`, keySetOf(...keys));
    await changed;
  };
  let count = 0;
  for (; ; count++) {
    await sleep(rest);
    if (signal.aborted) return count;
    const old = signing.current;
    const next = sender(`key-${count + 1}`);
    const published = publish(old, next);
    // The first key is used before the gateway has the set: it must fetch the set for the unknown kid.
    if (count > 0) await published;
    signing.current = next;
    await published;
    // As the operator of a key does: the old one is withdrawn when nothing that it signed is under way.
    await Promise.all(signing.underWay.get(old) ?? []);
    await publish(next);
  }
}
