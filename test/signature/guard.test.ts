import { createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { CompiledKeySet } from '../../src/jose/compiled-key-set.ts';
import { readKeySet } from '../../src/jose/key-set.ts';
import type { SignatureVerdict } from '../../src/message/message-verdicts.ts';
import type { SignaturePolicy } from '../../src/policy/snapshot.ts';
import { SignatureGuard } from '../../src/signature/guard.ts';
import { allocateReplayMemory, ReplayMemory } from '../../src/signature/replay-memory.ts';
import { hmacPolicy, signaturePolicy } from '../support/jose/signature-policy.ts';

interface KeyPair {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

const now = Date.UTC(2026, 0, 31, 12);
const timestamp = { header: 'x-time', tolerance: 300_000, signed: '{timestamp}.{body}' };
const ec = () => generateKeyPairSync('ec', { namedCurve: 'P-256' });

function keySet(pairs: Readonly<Record<string, KeyPair>>, named = true): CompiledKeySet {
  const keys = Object.entries(pairs).map(([kid, { publicKey }]) => {
    return { ...publicKey.export({ format: 'jwk' }), ...(named && { kid }) };
  });
  const reading = readKeySet(Buffer.from(JSON.stringify({ keys })));
  if (!reading.ok) throw new Error(reading.problem);
  return new CompiledKeySet(reading.keys);
}

/** A detached JWS by ES256. */
function jwsOf(body: string, { privateKey, kid }: { privateKey: KeyObject; kid?: string }): string {
  const head = Buffer.from(JSON.stringify({ alg: 'ES256', kid })).toString('base64url');
  const input = `${head}.${Buffer.from(body).toString('base64url')}`;
  return `${head}..${es256(input, privateKey).toString('base64url')}`;
}

function es256(content: string, key: KeyObject): Buffer {
  return sign('sha256', Buffer.from(content), { key, dsaEncoding: 'ieee-p1363' });
}

class Scene {
  keys: CompiledKeySet | null = null;
  /** What the next fetch finds; undefined: as before. */
  fetched: CompiledKeySet | undefined;
  fetches = 0;
  readonly counted: string[] = [];
  readonly guard: SignatureGuard;

  constructor(policy: SignaturePolicy, memory = allocateReplayMemory()) {
    const replays = new ReplayMemory(memory);
    this.guard = new SignatureGuard(policy, {
      keys: () => this.keys,
      refreshKeys: async () => {
        this.fetches++;
        await new Promise(setImmediate);
        this.keys = this.fetched ?? this.keys;
      },
      replays: () => replays,
      count: (verdict) => this.counted.push(verdict),
    });
  }

  async check(signature: string, body: string, fields: Record<string, string> = {}): Promise<string> {
    return resultOf(await this.verdict(signature, body, { fields }));
  }

  verdict(
    signature: string,
    body: string,
    { fields = {}, at = now }: { readonly fields?: Record<string, string>; readonly at?: number } = {},
  ): SignatureVerdict | Promise<SignatureVerdict> {
    const lines = Object.entries({ 'X-Signature': signature, ...fields });
    const request = { fields: lines.map(([name, value]) => `${name}: ${value}\r\n`).join(''), now: at };
    return this.guard.precheck(request) ?? this.guard.check({ ...request, body: Buffer.from(body) });
  }
}

function resultOf(verdict: SignatureVerdict): string {
  return verdict.allow ? `allow ${verdict.signature.keyId}` : verdict.reason;
}

describe('with a key set', () => {
  const [a, b] = [ec(), ec()];

  it('accepts the body that was signed with the named key, and counts each verdict', async () => {
    const scene = new Scene(signaturePolicy());
    scene.keys = keySet({ a, b });
    const signature = jwsOf('body', { ...a, kid: 'a' });
    expect(await scene.check(signature, 'body')).toBe('allow a');
    expect(await scene.check(signature, 'bodY')).toBe('signature_invalid');
    expect(await scene.check(signature, '')).toBe('signature_invalid');
    expect(await scene.check(jwsOf('', { ...a, kid: 'a' }), '')).toBe('allow a');
    expect(await scene.check('x', 'body')).toBe('signature_syntax');
    expect(scene.counted).toEqual([
      'allow',
      'signature_invalid',
      'signature_invalid',
      'allow',
      'signature_syntax',
    ]);
    expect(scene.fetches).toBe(0);
  });

  it('does not verify with another key of the set than the named one', async () => {
    const scene = new Scene(signaturePolicy());
    scene.keys = keySet({ a, b });
    expect(await scene.check(jwsOf('body', { ...a, kid: 'b' }), 'body')).toBe('signature_invalid');
  });

  it('fetches the set for an unknown kid, once for all messages that wait, and finds a new key', async () => {
    const scene = new Scene(signaturePolicy());
    scene.keys = keySet({ a });
    scene.fetched = keySet({ a, b });
    const signature = jwsOf('body', { ...b, kid: 'b' });
    const results = await Promise.all(Array.from({ length: 100 }, () => scene.check(signature, 'body')));
    expect(new Set(results)).toEqual(new Set(['allow b']));
    expect(scene.fetches).toBe(1);
  });

  it('refuses a kid that the set does not have after the fetch, and a key for another algorithm', async () => {
    const scene = new Scene(signaturePolicy());
    scene.keys = keySet({ a, rsa: generateKeyPairSync('rsa', { modulusLength: 2048 }) });
    expect(await scene.check(jwsOf('body', { ...b, kid: 'b' }), 'body')).toBe('signature_key_unknown');
    expect(scene.fetches).toBe(1);
    // The set has the key: it need not be fetched.
    expect(await scene.check(jwsOf('body', { ...b, kid: 'rsa' }), 'body')).toBe('signature_key_unknown');
    expect(scene.fetches).toBe(1);
  });

  it('does not decide before a set was read', async () => {
    const scene = new Scene(signaturePolicy());
    expect(await scene.check(jwsOf('body', { ...a, kid: 'a' }), 'body')).toBe('signature_undecided');
    expect(await scene.check(jwsOf('body', a), 'body')).toBe('signature_undecided');
    scene.fetched = keySet({ a });
    expect(await scene.check(jwsOf('body', a), 'body')).toBe('allow a');
  });

  it('without a kid tries the keys of the algorithm, and fetches the set in case the key is new', async () => {
    const scene = new Scene(signaturePolicy());
    scene.keys = keySet({ b }, false);
    expect(await scene.check(jwsOf('body', a), 'body')).toBe('signature_invalid');
    expect(scene.fetches).toBe(1);
    scene.fetched = keySet({ b, a }, false);
    expect(await scene.check(jwsOf('body', a), 'body')).toBe('allow null');
    expect(await scene.check(jwsOf('body', a), 'body')).toBe('allow null');
    expect(scene.fetches).toBe(2);
  });

  it('tries at most four keys', async () => {
    const scene = new Scene(signaturePolicy());
    const others = Object.fromEntries(['1', '2', '3'].map((kid) => [`k${kid}`, ec()]));
    scene.keys = keySet({ ...others, a });
    expect(await scene.check(jwsOf('body', a), 'body')).toBe('allow a');
    scene.keys = keySet({ ...others, k4: ec(), a });
    expect(await scene.check(jwsOf('body', a), 'body')).toBe('signature_invalid');
  });

  it('verifies raw signatures by the algorithms that are allowed, with the key of the field', async () => {
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const policy = signaturePolicy({
      ...{ scheme: 'raw', encoding: 'base64', algorithms: ['ES256', 'RS256'], kidHeader: 'x-key-id' },
    });
    const scene = new Scene(policy);
    scene.keys = keySet({ a, rsa });
    const signed = es256('body', a.privateKey).toString('base64');
    const rs256 = sign('sha256', Buffer.from('body'), rsa.privateKey).toString('base64');
    expect(await scene.check(signed, 'body', { 'X-Key-Id': 'a' })).toBe('allow a');
    expect(await scene.check(rs256, 'body', { 'X-Key-Id': 'rsa' })).toBe('allow rsa');
    expect(await scene.check(rs256, 'body', { 'X-Key-Id': 'a' })).toBe('signature_invalid');
    expect(await scene.check(signed, 'body', { 'X-Key-Id': 'c' })).toBe('signature_key_unknown');
    expect(await scene.check(signed, 'body')).toBe('signature_key_missing');
  });

  it('does not reject when a fetch fails', async () => {
    const guard = new SignatureGuard(signaturePolicy(), {
      keys: () => null,
      refreshKeys: () => Promise.reject(new Error('down')),
      replays: () => null,
      count: () => {},
    });
    const fields = `X-Signature: ${jwsOf('body', { ...a, kid: 'a' })}\r\n`;
    const verdict = await guard.check({ fields, body: Buffer.from('body'), now });
    expect(verdict).toEqual({ allow: false, reason: 'signature_undecided' });
  });
});

const secret = Buffer.alloc(32, 7);
const hmacOf = (content: string, key = secret) => createHmac('sha256', key).update(content).digest('hex');

/** RFC 7515 appendix A.1: the key, what is signed with it (A.1.1: the JWS Signing Input), and the HMAC-SHA256. */
const appendixA1 = {
  secret: Buffer.from(
    'AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow',
    'base64url',
  ),
  input:
    'eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ',
  signature: 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk',
};

describe('with an HMAC', () => {
  it.each(['base64url', 'base64', 'hex'] as const)(
    'verifies RFC 7515 appendix A.1, as %s',
    async (encoding) => {
      const { secret, input, signature } = appendixA1;
      const scene = new Scene(hmacPolicy({ encoding, hmac: { secret } }));
      const bytes = Buffer.from(signature, 'base64url');
      expect(await scene.check(bytes.toString(encoding), input)).toBe('allow null');
      expect(await scene.check(bytes.toString(encoding), input.replace('J9.', 'J8.'))).toBe(
        'signature_invalid',
      );
      const flipped = Buffer.from(bytes.map((byte, index) => (index === 31 ? byte ^ 1 : byte)));
      expect(await scene.check(flipped.toString(encoding), input)).toBe('signature_invalid');
    },
  );

  it('decides at once, by the secret, the timestamp and the body', () => {
    const scene = new Scene(hmacPolicy({ timestamp }));
    const time = String(now);
    const result = (signature: string, body: string, fields: Record<string, string> = { 'X-Time': time }) => {
      const verdict = scene.verdict(signature, body, { fields });
      if (verdict instanceof Promise) throw new Error('not at once');
      return resultOf(verdict);
    };
    expect(result(hmacOf(`${time}.body`), 'body')).toBe('allow null');
    expect(result(hmacOf(`${time}.body`).toUpperCase(), 'body')).toBe('allow null');
    expect(result(hmacOf(`${time}.bodY`), 'body')).toBe('signature_invalid');
    expect(result(hmacOf(`${time}.body`, Buffer.alloc(32, 8)), 'body')).toBe('signature_invalid');
    expect(result(hmacOf('body'), 'body')).toBe('signature_invalid');
    expect(result(hmacOf(`${time}.body`).slice(2), 'body')).toBe('signature_invalid');
    expect(result(hmacOf(`${time}.body`), 'body', { 'X-Time': String(now + 1) })).toBe('signature_invalid');
    expect(result(hmacOf(`${time}.body`), 'body', {})).toBe('signature_timestamp_missing');
  });

  it('judges the time again when the body is complete', () => {
    const { guard } = new Scene(hmacPolicy({ timestamp }));
    const fields = `X-Signature: ${hmacOf(`${now}.body`)}\r\nX-Time: ${now}\r\n`;
    expect(guard.precheck({ fields, now })).toBeNull();
    const late = now + timestamp.tolerance + 1;
    expect(guard.check({ fields, body: Buffer.from('body'), now: late })).toMatchObject({
      reason: 'signature_timestamp',
    });
  });
});

describe('replay: refuse', () => {
  const replay = 'refuse';
  const fields = { 'X-Time': String(now) };

  it('accepts a signed content once, in every thread, and again only with a new time', async () => {
    const memory = allocateReplayMemory();
    const [one, other] = [0, 1].map(() => new Scene(hmacPolicy({ timestamp, replay }), memory)) as [
      Scene,
      Scene,
    ];
    const signature = hmacOf(`${now}.body`);
    expect(await one.check(signature, 'body', fields)).toBe('allow null');
    expect(await one.check(signature, 'body', fields)).toBe('signature_replayed');
    expect(await other.check(signature, 'body', fields)).toBe('signature_replayed');
    const later = String(now + 1);
    expect(await other.check(hmacOf(`${later}.body`), 'body', { 'X-Time': later })).toBe('allow null');
  });

  it('does not take a content for one of a sender with another secret', async () => {
    const memory = allocateReplayMemory();
    const secret = Buffer.alloc(32, 8);
    const one = new Scene(hmacPolicy({ timestamp, replay }), memory);
    const other = new Scene(hmacPolicy({ timestamp, replay, hmac: { secret } }), memory);
    const content = `${now}.{}`;
    expect(await one.check(hmacOf(content), '{}', fields)).toBe('allow null');
    const signature = createHmac('sha256', secret).update(content).digest('hex');
    expect(await other.check(signature, '{}', fields)).toBe('allow null');
    expect(await other.check(signature.toUpperCase(), '{}', fields)).toBe('signature_replayed');
  });

  it('does not remember what it refused', async () => {
    const scene = new Scene(hmacPolicy({ timestamp, replay }));
    expect(await scene.check(hmacOf(`${now}.x`), 'body', fields)).toBe('signature_invalid');
    expect(await scene.check(hmacOf(`${now}.body`), 'body', fields)).toBe('allow null');
  });

  it('accepts a replay where the policy allows it', async () => {
    const scene = new Scene(hmacPolicy({ timestamp }));
    const signature = hmacOf(`${now}.body`);
    expect(await scene.check(signature, 'body', fields)).toBe('allow null');
    expect(await scene.check(signature, 'body', fields)).toBe('allow null');
  });

  it('refuses a signature that was changed into another valid one of the same content', async () => {
    const a = ec();
    const scene = new Scene(signaturePolicy({ scheme: 'raw', timestamp, replay }));
    scene.keys = keySet({ a });
    const signature = es256(`${now}.body`, a.privateKey);
    const changed = Buffer.concat([signature.subarray(0, 32), negated(signature.subarray(32))]);
    const written = (bytes: Buffer) => bytes.toString('base64url');
    expect(await scene.check(written(changed), 'body', fields)).toBe('allow a');
    expect(await scene.check(written(signature), 'body', fields)).toBe('signature_replayed');
  });

  it('lets one of two equal messages pass that come at the same time', async () => {
    const a = ec();
    const scene = new Scene(signaturePolicy({ timestamp, replay }));
    scene.keys = keySet({ a });
    const signature = jwsOf(`${now}.body`, { ...a, kid: 'a' });
    const results = await Promise.all([1, 2, 3].map(() => scene.check(signature, 'body', fields)));
    expect(results.toSorted()).toEqual(['allow a', 'signature_replayed', 'signature_replayed']);
  });

  it('accepts the same content of two senders', async () => {
    const [a, b] = [ec(), ec()];
    const scene = new Scene(signaturePolicy({ timestamp, replay }));
    scene.keys = keySet({ a, b });
    expect(await scene.check(jwsOf(`${now}.body`, { ...a, kid: 'a' }), 'body', fields)).toBe('allow a');
    expect(await scene.check(jwsOf(`${now}.body`, { ...b, kid: 'b' }), 'body', fields)).toBe('allow b');
  });
});

/** `n − s` for the order n of P-256. */
function negated(s: Buffer): Buffer {
  const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
  return Buffer.from((order - BigInt(`0x${s.toString('hex')}`)).toString(16).padStart(64, '0'), 'hex');
}
