/** `routes[].signature` in the real process with two relay threads: nothing reaches the host before its body is verified. */
import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { type Message, statusOf } from '../support/http/http.ts';
import {
  detachedJws,
  hmacOf,
  keySetOf,
  rawSignature,
  type Sender,
  sender,
} from '../support/jose/signed-body.ts';
import { post } from '../support/process/client.ts';
import { metricsWhen } from '../support/process/metrics.ts';
import { messageOf } from '../support/process/records.ts';
import { openStage, type Stage } from '../support/process/stage.ts';
import { type Directory, openDirectory } from '../support/trust/directory.ts';

const limit = 1024 * 1024;
const [thredd, rotated, stranger, onDisk] = [
  sender('thredd'),
  sender('rotated'),
  sender('stranger'),
  sender('disk'),
];
const secret = randomBytes(32).toString('hex');
const header = 'X-Thredd-Signature';

/** Key sets at a URL: one for each test that changes its set, or counts how often it is fetched. */
const sources = ['jws', 'rotating', 'flooded', 'replaced', 'unnamed'] as const;

let directory: Directory;
let stage: Stage;

beforeAll(async () => {
  const set = keySetOf(thredd);
  directory = await openDirectory(Object.fromEntries(sources.map((name) => [`/${name}.json`, set])));
  const hmac = { secretFile: 'hmac.secret', header };
  const timestamp = { header: 'X-Time' };
  stage = await openStage({
    named: true,
    files: {
      'directory.pem': directory.pki.root.pem,
      ...{ 'keys.json': keySetOf(onDisk), 'changing.json': keySetOf(onDisk) },
      ...{ 'hmac.secret': `${secret}\n`, 'changing.secret': `${secret}\n` },
    },
    routes: [
      ...(['jws', 'rotating', 'flooded', 'replaced'] as const).map((name) => ({
        path: `/${name}`,
        signature: {
          ...{ header, scheme: 'jws-detached', algorithm: ['ES256', 'PS256'] },
          jwks: { uri: `${directory.origin}/${name}.json`, ca: 'directory.pem' },
        },
      })),
      ...Object.entries({ '/raw': 'keys.json', '/raw-changing': 'changing.json' }).map(([path, file]) => ({
        path,
        signature: {
          ...{ header, scheme: 'raw', encoding: 'base64', algorithm: 'ES256', kid: { header: 'X-Key-Id' } },
          jwks: { file },
        },
      })),
      {
        path: '/unnamed',
        signature: {
          ...{ header, scheme: 'raw', encoding: 'base64', algorithm: 'ES256' },
          jwks: { uri: `${directory.origin}/unnamed.json`, ca: 'directory.pem' },
        },
      },
      { path: '/hmac', signature: { hmac, timestamp } },
      { path: '/hmac-changing', signature: { hmac: { ...hmac, secretFile: 'changing.secret' }, timestamp } },
      { path: '/once', signature: { hmac, timestamp, replay: 'refuse' } },
      { path: '/trial', signature: { mode: 'shadow', hmac, timestamp } },
      { path: '/once-on-trial', signature: { mode: 'shadow', hmac, timestamp, replay: 'refuse' } },
      { path: '/hasty', deadline: '300ms', signature: { hmac, timestamp } },
    ],
    config: { relays: 2, limits: { body: '1MiB', heldBodies: '8MiB' } },
  });
});
afterAll(async () => {
  await stage?.[Symbol.asyncDispose]();
  await directory?.[Symbol.asyncDispose]();
});

function fetches(name: (typeof sources)[number]): number {
  return directory.requests.filter(({ path }) => path === `/${name}.json`).length;
}

/** Reloads the configuration, and waits for the fetches of the key sets that a reload makes. */
async function reload() {
  const before = sources.map(fetches);
  const change = await stage.reload();
  await eventually(() => sources.every((name, index) => fetches(name) > (before[index] ?? 0)));
  return change;
}

interface Signed {
  readonly target: string;
  readonly fields: readonly string[];
  readonly body: Buffer;
}

function jws(body: Buffer, by = thredd, options = {}): Signed {
  return { target: '/jws', fields: [`${header}: ${detachedJws(body, by, options)}`], body };
}

function raw(body: Buffer): Signed {
  return { target: '/raw', fields: [`${header}: ${rawSignature(body, onDisk)}`, 'X-Key-Id: disk'], body };
}

function hmac(body: Buffer, target = '/hmac', time = String(Date.now())): Signed {
  return { target, fields: [`X-Time: ${time}`, `${header}: ${hmacOf(secret, { time, body })}`], body };
}

const kinds = {
  'jws encoded': jws,
  'jws b64 false': (body: Buffer) => jws(body, thredd, { encodes: false }),
  raw,
  hmac,
};

function bytesOf({ target, fields, body }: Signed, framing: 'length' | 'chunked' = 'length'): Buffer {
  if (framing === 'length') return post({ target, fields: [...fields], body });
  const head = [`POST ${target} HTTP/1.1`, 'Host: h', ...fields, 'Transfer-Encoding: chunked', '', ''];
  const parts: Buffer[] = [Buffer.from(head.join('\r\n'))];
  for (let at = 0, size = 1; at < body.length; at += size, size = (size * 7) % 70_001) {
    const chunk = body.subarray(at, at + size);
    parts.push(Buffer.from(`${chunk.length.toString(16)}\r\n`), chunk, Buffer.from('\r\n'));
  }
  return Buffer.concat([...parts, Buffer.from('0\r\n\r\n')]);
}

/** Status and reason of the response. */
async function resultOf(answer: Message): Promise<string> {
  const status = statusOf(answer);
  return status === 200 ? '200' : `${status} ${(await messageOf(stage.gateway, answer)).reason}`;
}

/** One message over a connection of its own. */
async function result(signed: Signed): Promise<string> {
  return resultOf(await stage.send(bytesOf(signed)));
}

describe('a body that is signed', () => {
  const cases = (Object.keys(kinds) as (keyof typeof kinds)[]).flatMap((kind) =>
    [0, 1, 64 * 1024, limit].flatMap((size) =>
      (['length', 'chunked'] as const).map((framing) => ({ kind, size, framing })),
    ),
  );

  it.each(cases)(
    'reaches the host unchanged: $kind, $size bytes, $framing',
    async ({ kind, size, framing }) => {
      const signed = kinds[kind](randomBytes(size));
      const index = stage.host.requests.length;
      const answer = await stage.send(bytesOf(signed, framing));
      expect(statusOf(answer)).toBe(200);
      const received = await stage.host.request(index);
      expect(received.body.equals(signed.body)).toBe(true);
      expect(received.field('x-thredd-signature')).toBe(
        signed.fields.at(kind === 'raw' ? 0 : -1)?.split(': ')[1],
      );
      expect(await messageOf(stage.gateway, received)).toMatchObject({
        outcome: 'answered',
        request_bytes: size,
        policies: { signature: { key_id: kind === 'hmac' ? null : kind === 'raw' ? 'disk' : 'thredd' } },
      });
    },
  );

  it('may have any size up to limits.body, and no more', async () => {
    const index = stage.host.requests.length;
    for (const framing of ['length', 'chunked'] as const) {
      const answer = await stage.send(bytesOf(hmac(randomBytes(limit + 1)), framing));
      expect(await resultOf(answer)).toBe('413 body_length');
    }
    expect(stage.host.requests).toHaveLength(index);
  });

  it('is demanded of requests without a body too', async () => {
    const time = String(Date.now());
    const get = (fields: string[]) => ['GET /hmac HTTP/1.1', 'Host: h', ...fields, '', ''].join('\r\n');
    const { fields } = hmac(Buffer.alloc(0), '/hmac', time);
    expect(await resultOf(await stage.send(get([...fields])))).toBe('200');
    expect(await resultOf(await stage.send(get([])))).toBe('403 signature_missing');
  });
});

/** `bytes` with one bit changed. */
function flipped(bytes: Buffer, bit: number): Buffer {
  const changed = Buffer.from(bytes);
  changed[bit >> 3] = (changed[bit >> 3] as number) ^ (1 << (bit & 7));
  return changed;
}

describe('one bit that is changed', () => {
  it.each(Object.keys(kinds) as (keyof typeof kinds)[])(
    'in the body: refused, nothing at the host: %s',
    async (kind) => {
      await using client = await stage.connect();
      const answers: Message[] = [];
      const index = stage.host.requests.length;
      await fc.assert(
        fc.asyncProperty(
          fc.uint8Array({ minLength: 1, maxLength: 5000 }),
          fc.nat(),
          fc.constantFrom('length', 'chunked'),
          async (bytes, at, framing) => {
            const body = Buffer.from(bytes);
            const signed = kinds[kind](body);
            const changed = { ...signed, body: flipped(body, at % (body.length * 8)) };
            const answer = await client.exchange(bytesOf(changed, framing));
            expect(statusOf(answer)).toBe(403);
            answers.push(answer);
          },
        ),
        { numRuns: 40 },
      );
      expect(new Set(await Promise.all(answers.map(resultOf)))).toEqual(new Set(['403 signature_invalid']));
      expect(stage.host.requests).toHaveLength(index);
      // The connection is still good for a message that is signed.
      expect(await resultOf(await client.exchange(bytesOf(kinds[kind](Buffer.from('good')))))).toBe('200');
    },
  );

  it('in a body of limits.body: refused', async () => {
    const index = stage.host.requests.length;
    const body = randomBytes(limit);
    for (const bit of [0, limit * 4, limit * 8 - 1]) {
      for (const kind of Object.values(kinds))
        expect(await result({ ...kind(body), body: flipped(body, bit) })).toBe('403 signature_invalid');
    }
    expect(stage.host.requests).toHaveLength(index);
  });

  it('in the signature, the key id or the timestamp: refused', async () => {
    await using client = await stage.connect();
    const answers: Message[] = [];
    const index = stage.host.requests.length;
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...(Object.keys(kinds) as (keyof typeof kinds)[])),
        fc.nat(),
        fc.nat(),
        async (kind, which, at) => {
          const signed = kinds[kind](Buffer.from('the body'));
          const changed = signed.fields.map((field, position) => {
            if (position !== which % signed.fields.length) return field;
            const [name = '', value = ''] = field.split(': ');
            const bytes = flipped(Buffer.from(value), at % (value.length * 8)).toString('latin1');
            // What is no field value, or another spelling of the same one, is not the case here.
            const isOther = bytes.trim() === bytes && bytes.toLowerCase() !== value.toLowerCase();
            return /^[\x20-\x7e]+$/.test(bytes) && isOther ? `${name}: ${bytes}` : `${name}: x`;
          });
          const answer = await client.exchange(bytesOf({ ...signed, fields: changed }));
          expect([400, 403]).toContain(statusOf(answer));
          answers.push(answer);
        },
      ),
      { numRuns: 60 },
    );
    for (const answer of answers) expect(await resultOf(answer)).toMatch(/ signature_/);
    expect(stage.host.requests).toHaveLength(index);
  });
});

describe('a message', () => {
  const body = Buffer.from('{"a":1}');
  const now = () => String(Date.now());

  it.each([
    ['without a signature', () => ({ ...jws(body), fields: [] }), '403 signature_missing'],
    [
      'with two',
      () => ({ ...jws(body), fields: [...jws(body).fields, ...jws(body).fields] }),
      '400 signature_repeated',
    ],
    [
      'by a stranger with a known kid',
      () => jws(body, { ...stranger, kid: 'thredd' }),
      '403 signature_invalid',
    ],
    ['with the kid of another set', () => jws(body, onDisk), '403 signature_key_unknown'],
    [
      'without its key id',
      () => ({ ...raw(body), fields: raw(body).fields.slice(0, 1) }),
      '403 signature_key_missing',
    ],
    ['too old', () => hmac(body, '/hmac', String(Date.now() - 301_000)), '403 signature_timestamp'],
    ['from the future', () => hmac(body, '/hmac', String(Date.now() + 900_000)), '403 signature_timestamp'],
    [
      'without its timestamp',
      () => ({ ...hmac(body), fields: hmac(body).fields.slice(1) }),
      '403 signature_timestamp_missing',
    ],
    [
      'with alg none',
      () => ({
        ...jws(body),
        fields: [`${header}: ${Buffer.from('{"alg":"none"}').toString('base64url')}..AA`],
      }),
      '403 signature_algorithm',
    ],
  ] as const)('%s is refused, and nothing reaches the host', async (_, make, refusal) => {
    const index = stage.host.requests.length;
    expect(await result(make())).toBe(refusal);
    expect(stage.host.requests).toHaveLength(index);
  });

  it('that awaits 100 Continue gets it only if its head is good', async () => {
    const head = (fields: readonly string[]) =>
      ['POST /hmac HTTP/1.1', 'Host: h', 'Content-Length: 7', 'Expect: 100-continue', ...fields, '', ''].join(
        '\r\n',
      );
    await using client = await stage.connect();
    const { fields } = hmac(body);
    expect(statusOf(await client.exchange(head(fields)))).toBe(100);
    expect(statusOf(await client.exchange(body))).toBe(200);
    expect(await resultOf(await client.exchange(head([])))).toBe('403 signature_missing');
  });

  it('whose body comes slowly ends at the deadline of its route', async () => {
    const index = stage.host.requests.length;
    await using client = await stage.connect();
    client.write(bytesOf(hmac(Buffer.alloc(100), '/hasty')).subarray(0, -50));
    expect(await resultOf(await client.response())).toBe('408 body_timeout');
    expect(stage.host.requests).toHaveLength(index);
  });

  it('in mode shadow is forwarded, and its verdict is recorded', async () => {
    const index = stage.host.requests.length;
    expect(await result({ ...hmac(body, '/trial', now()), body: Buffer.from('other') })).toBe('200');
    expect((await stage.host.request(index)).body.toString()).toBe('other');
    const { policies } = await messageOf(stage.gateway, await stage.host.request(index));
    expect(policies).toEqual({ token: null, signature: null, shadow: ['signature_invalid'] });
    expect(await result({ ...jws(body), fields: [] })).toBe('403 signature_missing');
    const series = [
      '{route="/trial",verdict="signature_invalid",mode="shadow"}',
      '{route="/jws",verdict="signature_missing",mode="enforce"}',
    ];
    await metricsWhen(stage.gateway, (all) =>
      series.every((labels) => (all.get(`ehi_signature_verdicts_total${labels}`) ?? 0) > 0),
    );
  });
});

describe('keys from a URL', () => {
  const signedFor = (target: string, { body, by }: { body: string; by: Sender }): Signed => {
    return { ...jws(Buffer.from(body), by), target };
  };

  /** The results of messages on ten connections, `each` on every one of them, in turn. */
  async function flood(each: (connection: number) => readonly Signed[]): Promise<string[]> {
    const results = Array.from({ length: 10 }, async (_, connection) => {
      await using client = await stage.connect();
      const seen: string[] = [];
      for (const signed of each(connection))
        seen.push(await resultOf(await client.exchange(bytesOf(signed))));
      return seen;
    });
    return (await Promise.all(results)).flat();
  }

  it('change at their URL without a failed message: a new kid is found with one fetch', async () => {
    const before = fetches('rotating');
    directory.files.set('/rotating.json', keySetOf(thredd, rotated));
    const results = await flood((connection) =>
      Array.from({ length: 20 }, (_, each) =>
        signedFor('/rotating', { body: `${connection} ${each}`, by: each > 5 ? rotated : thredd }),
      ),
    );
    expect(results).toEqual(Array(200).fill('200'));
    expect(fetches('rotating') - before).toBe(1);
  });

  it('are not fetched again for a flood of unknown ones, which is counted', async () => {
    const [before, began] = [fetches('flooded'), performance.now()];
    const results = await flood((connection) =>
      Array.from({ length: 20 }, (_, each) =>
        signedFor('/flooded', {
          body: 'unknown',
          by: { ...stranger, kid: `unknown ${connection} ${each}` },
        }),
      ),
    );
    expect(results).toEqual(Array(200).fill('403 signature_key_unknown'));
    const made = fetches('flooded') - before;
    expect(made).toBeGreaterThan(0);
    expect(made).toBeLessThanOrEqual(1 + Math.floor((performance.now() - began) / 30_000));
    expect(await result(signedFor('/flooded', { body: 'known', by: thredd }))).toBe('200');
    const series = `ehi_key_set_unknown_kid_total{source="${directory.origin}/flooded.json"}`;
    await metricsWhen(stage.gateway, (samples) => (samples.get(series) ?? 0) > 1);
  });
});

describe('an invalid signature', () => {
  it('without a kid may be that of a new key: the set is fetched, at most once in 30 s', async () => {
    const unnamed = (by: Sender): Signed => {
      const body = Buffer.from('unnamed');
      return { target: '/unnamed', fields: [`${header}: ${rawSignature(body, by)}`], body };
    };
    const [before, began] = [fetches('unnamed'), performance.now()];
    directory.files.set('/unnamed.json', keySetOf(thredd, rotated));
    expect(await result(unnamed(rotated))).toBe('200');
    const floods = Array.from({ length: 5 }, async () => {
      await using client = await stage.connect();
      for (let count = 0; count < 20; count++)
        expect(await resultOf(await client.exchange(bytesOf(unnamed(stranger))))).toBe(
          '403 signature_invalid',
        );
    });
    await Promise.all(floods);
    const made = fetches('unnamed') - before;
    expect(made).toBeGreaterThan(0);
    expect(made).toBeLessThanOrEqual(1 + Math.floor((performance.now() - began) / 30_000));
  });

  it('with the kid of a key of the set fetches nothing; a key replaced under its kid is in use after the next fetch', async () => {
    const before = fetches('replaced');
    const replaced = { ...stranger, kid: thredd.kid };
    const send = () => result({ ...jws(Buffer.from('replaced'), replaced), target: '/replaced' });
    directory.files.set('/replaced.json', keySetOf(replaced, rotated));
    for (let count = 0; count < 20; count++) expect(await send()).toBe('403 signature_invalid');
    expect(fetches('replaced')).toBe(before);
    await reload();
    // The reload is recorded before the answer of the directory is in use.
    while ((await send()) !== '200') expect(await send()).toMatch(/^(200|403 signature_invalid)$/);
  });
});

describe('replay: refuse', () => {
  it('accepts a message once, whichever relay thread gets it', async () => {
    const signed = hmac(Buffer.from('once'), '/once');
    const index = stage.host.requests.length;
    expect(await result(signed)).toBe('200');
    const threads = new Set<string>();
    // The kernel chooses the thread of each connection.
    while (threads.size < 2) {
      const answer = await stage.send(bytesOf(signed));
      expect(await resultOf(answer)).toBe('403 signature_replayed');
      threads.add(answer.field('x-request-id')?.split('-')[0] ?? '');
    }
    expect(stage.host.requests).toHaveLength(index + 1);
    expect(await result(hmac(Buffer.from('once'), '/once', String(Date.now() + 1)))).toBe('200');
    expect(await result(hmac(Buffer.from('once')))).toBe('200');
  });

  it('on trial records a replay and takes no place in the memory of the routes that enforce it', async () => {
    const time = String(Date.now());
    const signed = (target: string) => hmac(Buffer.from('on trial'), target, time);
    const shadowOf = async () => {
      expect(await result(signed('/once-on-trial'))).toBe('200');
      const id = stage.host.requests.at(-1)?.field('x-request-id');
      const record = await stage.gateway.audit(
        ({ type, request_id }) => type === 'message' && request_id === id,
      );
      return record.policies;
    };
    expect(await shadowOf()).toMatchObject({ shadow: [] });
    expect(await shadowOf()).toMatchObject({ shadow: ['signature_replayed'] });
    expect(await result(signed('/once'))).toBe('200');
    expect(await result(signed('/once'))).toBe('403 signature_replayed');
  });

  it('remembers after a reload of the configuration', async () => {
    const signed = hmac(Buffer.from('reloaded'), '/once');
    expect(await result(signed)).toBe('200');
    await reload();
    expect(await result(signed)).toBe('403 signature_replayed');
  });
});

describe('keys from a file', () => {
  it('change in their file without a failed message', async () => {
    const next = sender('next');
    const bodyOf = (count: number) => Buffer.from(`message ${count}`);
    const of = (by: Sender, count: number): Signed => {
      const body = bodyOf(count);
      return {
        target: '/raw-changing',
        fields: [`${header}: ${rawSignature(body, by)}`, `X-Key-Id: ${by.kid}`],
        body,
      };
    };
    await using client = await stage.connect();
    let changed = false;
    const reloaded = stage.gateway.write('changing.json', keySetOf(onDisk, next)).then(async () => {
      await reload();
      changed = true;
    });
    let sent = 0;
    for (let after = 0; after < 20; sent++) {
      expect(await resultOf(await client.exchange(bytesOf(of(onDisk, sent))))).toBe('200');
      if (changed) after++;
    }
    await reloaded;
    expect(await result(of(next, sent))).toBe('200');
    await stage.gateway.write('changing.json', keySetOf(next));
    await reload();
    expect(await result(of(onDisk, sent))).toBe('403 signature_key_unknown');
    expect(await result(of(next, sent + 1))).toBe('200');
  });

  it('of HMAC change with their file', async () => {
    const other = randomBytes(32).toString('hex');
    const body = Buffer.from('new secret');
    const time = String(Date.now());
    const signed = {
      target: '/hmac-changing',
      body,
      fields: [`X-Time: ${time}`, `${header}: ${hmacOf(other, { time, body })}`],
    };
    expect(await result(signed)).toBe('403 signature_invalid');
    await stage.gateway.write('changing.secret', other);
    expect(await reload()).toMatchObject({ changed: ['routes'] });
    expect(await result(signed)).toBe('200');
  });
});

it('writes no signature, secret or body into a record or the log', async () => {
  const body = Buffer.from(`body ${randomBytes(16).toString('hex')}`);
  const messages = [jws(body), raw(body), hmac(body, '/trial'), { ...jws(body), body: Buffer.from('x') }];
  for (const signed of messages) await result(signed);
  const written = stage.gateway.stdout + stage.gateway.stderr + (await stage.gateway.metrics());
  const values = messages.flatMap(({ fields }) => fields.filter((field) => field.startsWith(header)));
  for (const value of [String(body), secret, ...values.map((field) => field.slice(header.length + 2))])
    expect(written).not.toContain(value);
});
