import { createPublicKey, createSecretKey } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type BearerDependencies, BearerGuard } from '../../src/bearer/guard.ts';
import type { Introspection } from '../../src/jose/access-token.ts';
import { CompiledKeySet } from '../../src/jose/compiled-key-set.ts';
import { readKeySet } from '../../src/jose/key-set.ts';
import type { BearerVerdict } from '../../src/message/message-verdicts.ts';
import { makeKey } from '../../src/pki/key.ts';
import type { BearerPolicy } from '../../src/policy/snapshot.ts';
import { keySetOf, publicJwk, signedToken, type TokenParts } from '../support/jose/signed-token.ts';

const now = Date.UTC(2026, 0, 1);
const thumbprint = 'A4DtL2JmUMhAsvJj5tKyn64SqzmuXbMrJa0n761y5v0';
const ec = makeKey('P-256');
const rsa = makeKey('rsa-2048');

function setOf(...keys: readonly object[]): CompiledKeySet {
  const reading = readKeySet(Buffer.from(keySetOf(...keys)));
  if (!reading.ok) throw new Error(reading.problem);
  return new CompiledKeySet(reading.keys);
}

const keys = setOf(publicJwk(ec, { kid: 'ec' }), publicJwk(rsa, { kid: 'rsa' }));

const policy: BearerPolicy = {
  mode: 'enforce',
  issuer: 'https://as.example.com',
  audience: ['https://gateway.example.com'],
  scopes: ['ehi'],
  algorithms: ['PS256', 'ES256', 'EdDSA', 'RS256'],
  types: ['at+jwt'],
  clockSkew: 30_000,
  requireBinding: true,
  pass: 'forward',
  keys: 'https://as.example.com/jwks',
  introspection: null,
};

const claims = {
  iss: 'https://as.example.com',
  aud: 'https://gateway.example.com',
  exp: now / 1000 + 3600,
  iat: now / 1000,
  scope: 'ehi',
  client_id: 'client',
  sub: 'subject',
  cnf: { 'x5t#S256': thumbprint },
};

const header = { typ: 'at+jwt', kid: 'ec' };

function token(parts: Partial<TokenParts> = {}): string {
  return signedToken({ key: ec, alg: 'ES256', header, claims, ...parts });
}

interface Stage {
  readonly guard: BearerGuard;
  readonly counted: string[];
  /** How often the key set was asked for again, and the server about a token. */
  readonly asked: { refresh: number; introspect: number };
  check(token: string, at?: number, presented?: string | null): BearerVerdict | Promise<BearerVerdict>;
}

function stage(changes: Partial<BearerPolicy> = {}, dependencies: Partial<BearerDependencies> = {}): Stage {
  const counted: string[] = [];
  const asked = { refresh: 0, introspect: 0 };
  const guard = new BearerGuard(
    { ...policy, ...changes },
    {
      keys: dependencies.keys ?? (() => keys),
      refreshKeys: async (limit) => {
        asked.refresh += 1;
        return (await dependencies.refreshKeys?.(limit)) ?? false;
      },
      introspect: async (opaque, limit) => {
        asked.introspect += 1;
        return (await dependencies.introspect?.(opaque, limit)) ?? null;
      },
      count: (verdict) => counted.push(verdict),
    },
  );
  const check: Stage['check'] = (presentedToken, at = now, presented = thumbprint) =>
    guard.check({
      fields: `Authorization: Bearer ${presentedToken}\r\n`,
      target: '/',
      thumbprint: presented,
      now: at,
    });
  return { guard, counted, asked, check };
}

const reasonOf = (verdict: BearerVerdict) => (verdict.allow ? null : verdict.reason);

describe('a JWT', () => {
  it('is accepted with what it says of the client, and then known at once', async () => {
    const { check } = stage();
    const first = check(token());
    expect(first).toBeInstanceOf(Promise);
    const facts = { clientId: 'client', subject: 'subject', keyId: 'ec', how: 'jwt' };
    expect(await first).toEqual({ allow: true, token: facts });
  });

  it('that is known is judged at once, each time with the clock and the certificate of the message', async () => {
    const { check, counted, asked } = stage();
    const presented = token();
    await check(presented);
    expect(check(presented)).toMatchObject({ allow: true });
    expect(check(presented, now, `${thumbprint.slice(0, -1)}4`)).toMatchObject({ reason: 'token_binding' });
    expect(check(presented, now, null)).toMatchObject({ reason: 'token_binding' });
    expect(counted).toEqual(['allow', 'allow', 'token_binding', 'token_binding']);
    expect(asked.refresh).toBe(0);
  });

  it('is not remembered beyond its exp', async () => {
    const { check } = stage();
    const presented = token();
    await check(presented);
    expect(check(presented, claims.exp * 1000 - 1)).toMatchObject({ allow: true });
    // Still valid, because of the clock skew, and verified again.
    const late = check(presented, claims.exp * 1000);
    expect(late).toBeInstanceOf(Promise);
    expect(await late).toMatchObject({ allow: true });
    expect(reasonOf(await check(presented, claims.exp * 1000 + 30_000))).toBe('token_expired');
  });

  it.each<[string, string, Partial<TokenParts>]>([
    ['that has no header', 'token_malformed', { header: '', claims: '' }],
    ['with a member of the header twice', 'token_header', { header: '{"alg":"ES256","alg":"none"}' }],
    ['with an algorithm that is not allowed', 'token_algorithm', { alg: 'ES384' }],
    ['without typ', 'token_type', { header: { kid: 'ec' } }],
    ['of type JWT', 'token_type', { header: { typ: 'JWT', kid: 'ec' } }],
    ['with crit', 'token_header', { header: { ...header, crit: ['exp'] } }],
    ['with an embedded jwk', 'token_header', { header: { ...header, jwk: publicJwk(ec) } }],
    ['with x5u', 'token_header', { header: { ...header, x5u: 'https://a' } }],
    ['with an unknown kid', 'token_key_unknown', { header: { ...header, kid: 'other' } }],
    [
      'with the kid of a key for another algorithm',
      'token_key_unknown',
      { header: { ...header, kid: 'rsa' } },
    ],
    ['signed by another key', 'token_signature', { key: makeKey('P-256') }],
    ['with a claim twice', 'token_claims', { claims: '{"iss":"a","iss":"b"}' }],
    ['with claims that are a list', 'token_claims', { claims: '[]' }],
    ['of another issuer', 'token_issuer', { claims: { ...claims, iss: 'https://b' } }],
    ['for another audience', 'token_audience', { claims: { ...claims, aud: 'https://b' } }],
    ['that has expired', 'token_expired', { claims: { ...claims, exp: now / 1000 - 31 } }],
    ['that is not yet valid', 'token_not_yet_valid', { claims: { ...claims, nbf: now / 1000 + 31 } }],
    ['without cnf', 'token_unbound', { claims: { ...claims, cnf: undefined } }],
    ['bound to another certificate', 'token_binding', { claims: { ...claims, cnf: { 'x5t#S256': 'x' } } }],
    ['without the scope', 'token_scope', { claims: { ...claims, scope: 'read' } }],
  ])('%s is refused: %s', async (_, reason, parts) => {
    const { check, counted } = stage();
    const presented = token(parts);
    expect(reasonOf(await check(presented))).toBe(reason);
    // The second time from what is remembered, if it is.
    expect(reasonOf(await check(presented))).toBe(reason);
    expect(counted).toEqual([reason, reason]);
  });

  it('without a signature is refused', async () => {
    const { check } = stage({ algorithms: [...policy.algorithms, 'none'] });
    expect(reasonOf(await check(signedToken({ alg: 'none', header, claims })))).toBe('token_algorithm');
    expect(reasonOf(await check(signedToken({ alg: 'ES256', header, claims })))).toBe('token_signature');
  });

  it('signed by HMAC with the public key as secret is refused', async () => {
    const pem = createPublicKey(rsa).export({ type: 'spki', format: 'pem' });
    const secret = createSecretKey(Buffer.from(pem)).export();
    for (const algorithms of [policy.algorithms, [...policy.algorithms, 'HS256']]) {
      const { check } = stage({ algorithms });
      const forged = token({ key: secret, alg: 'HS256', header: { ...header, kid: 'rsa' } });
      expect(reasonOf(await check(forged))).toBe('token_algorithm');
    }
  });

  it('is not believed in anything before its signature is verified', async () => {
    const { check } = stage();
    const refused = await check(token({ key: makeKey('P-256') }));
    expect(refused).toMatchObject({ allow: false, token: null });
    const verified = await check(token({ claims: { ...claims, scope: '' } }));
    expect(verified).toMatchObject({ allow: false, token: { clientId: 'client', keyId: 'ec' } });
  });

  it('of type JWT, or of none, is accepted where the policy says so', async () => {
    const { check } = stage({ types: ['JWT'] });
    for (const typ of ['JWT', 'jwt', 'application/jwt', undefined])
      expect(reasonOf(await check(token({ header: { kid: 'ec', typ } })))).toBe(null);
    expect(reasonOf(await check(token()))).toBe('token_type');
  });

  it('without kid is verified by the keys that take its algorithm', async () => {
    const set = setOf(publicJwk(makeKey('P-256')), publicJwk(rsa), publicJwk(ec, { kid: 'ec' }));
    const { check, asked } = stage({}, { keys: () => set });
    expect(await check(token({ header: { typ: 'at+jwt' } }))).toMatchObject({ allow: true });
    expect(asked.refresh).toBe(0);
  });

  it('with an invalid signature fetches no set, whether it names a key of the set or none', async () => {
    const { check, asked } = stage();
    for (const named of [{ typ: 'at+jwt', kid: 'ec' }, { typ: 'at+jwt' }])
      expect(reasonOf(await check(token({ key: makeKey('P-256'), header: named })))).toBe('token_signature');
    expect(asked.refresh).toBe(0);
  });

  it('is verified by at most four keys', async () => {
    const others = Array.from({ length: 4 }, () => publicJwk(makeKey('P-256'), { kid: 'ec' }));
    const { check } = stage({}, { keys: () => setOf(...others, publicJwk(ec, { kid: 'ec' })) });
    expect(reasonOf(await check(token()))).toBe('token_signature');
  });
});

it('whatever a client sends for a token, it is refused, and nothing is thrown', async () => {
  const { check } = stage();
  const parts = fc.array(
    fc.oneof(
      fc.base64String(),
      fc.json().map((text) => Buffer.from(text).toString('base64url')),
    ),
    {
      maxLength: 4,
    },
  );
  const field = fc.oneof(
    fc.string(),
    parts.map((each) => each.join('.')),
  );
  await fc.assert(
    fc.asyncProperty(field, async (text) => {
      // A head never has these (message/field-section.ts).
      const verdict = await check(text.replaceAll(/[\r\n]/g, ''));
      expect(verdict.allow).toBe(false);
    }),
    { numRuns: 500 },
  );
});

describe('the key set', () => {
  it('is fetched again once for concurrent messages with the same token, whose kid it then has', async () => {
    let current = setOf(publicJwk(rsa, { kid: 'rsa' }));
    const { check, asked } = stage(
      {},
      {
        keys: () => current,
        refreshKeys: async () => {
          current = keys;
          return true;
        },
      },
    );
    const presented = token();
    const verdicts = await Promise.all(Array.from({ length: 20 }, () => check(presented)));
    expect(verdicts.every(({ allow }) => allow)).toBe(true);
    expect(asked.refresh).toBe(1);
  });

  it('that changes makes each known token be verified again', async () => {
    let current = setOf(publicJwk(ec, { kid: 'ec' }));
    const { check } = stage({}, { keys: () => current });
    const presented = token();
    await check(presented);
    expect(check(presented)).not.toBeInstanceOf(Promise);
    current = setOf(publicJwk(rsa, { kid: 'rsa' }));
    expect(reasonOf(await check(presented))).toBe('token_key_unknown');
    current = setOf(publicJwk(makeKey('P-256'), { kid: 'ec' }));
    expect(reasonOf(await check(presented))).toBe('token_signature');
    current = setOf(publicJwk(ec, { kid: 'ec' }));
    expect(await check(presented)).toMatchObject({ allow: true });
  });

  it('that changes while a token is verified leaves no token of the old set behind', async () => {
    let current = setOf(publicJwk(ec, { kid: 'ec' }));
    const { check } = stage({}, { keys: () => current });
    const presented = token();
    const verifying = check(presented);
    current = setOf(publicJwk(rsa, { kid: 'rsa' }));
    // A message in between has already made the guard forget the tokens of the old set.
    await check(token({ header: { ...header, kid: 'rsa' } }));
    await verifying;
    expect(reasonOf(await check(presented))).toBe('token_key_unknown');
  });

  it('that changes while a token is verified judges the messages that come after', async () => {
    let current = setOf(publicJwk(ec, { kid: 'ec' }));
    const { check } = stage({}, { keys: () => current });
    const presented = token();
    const before = check(presented);
    current = setOf(publicJwk(rsa, { kid: 'rsa' }));
    expect(reasonOf(await check(presented))).toBe('token_key_unknown');
    expect(reasonOf(await before)).toBe(null);
    expect(reasonOf(await check(presented))).toBe('token_key_unknown');
  });

  it('that could never be read leaves the token undecided', async () => {
    const { check, asked } = stage({}, { keys: () => null });
    expect(await check(token())).toMatchObject({ reason: 'token_undecided', token: null });
    // It is fetched again anyway, and the one fetch for an unknown kid is not used up.
    expect(asked.refresh).toBe(0);
  });

  it('that cannot be fetched in time, or whose fetch fails, leaves the keys that are there in use', async () => {
    for (const refreshKeys of [async () => null, async () => false]) {
      const { check } = stage({}, { refreshKeys });
      expect(reasonOf(await check(token({ header: { ...header, kid: 'other' } })))).toBe('token_key_unknown');
      expect(await check(token())).toMatchObject({ allow: true });
    }
  });
});

describe('an opaque token', () => {
  const opaque: Partial<BearerPolicy> = {
    keys: null,
    introspection: { id: '/', endpoint: 'https://as.example.com/', cache: 30_000, timeout: 100 },
  };
  const active: Introspection = {
    status: 'active',
    until: now + 30_000,
    claims: {
      ...{ issuer: null, audience: ['https://gateway.example.com'], scopes: ['ehi'], expires: null },
      ...{ notBefore: null, issuedAt: null, clientId: 'client', subject: null },
      confirmation: { thumbprint },
    },
  };

  it('is asked for once by concurrent messages, and known until the answer ends', async () => {
    const { check, asked } = stage(opaque, { introspect: async () => active });
    const verdicts = await Promise.all(Array.from({ length: 20 }, () => check('opaque')));
    expect(verdicts.every(({ allow }) => allow)).toBe(true);
    expect(asked.introspect).toBe(1);
    expect(check('opaque', now + 29_999)).toMatchObject({ allow: true, token: { how: 'introspection' } });
    expect(check('opaque', now + 30_000)).toBeInstanceOf(Promise);
  });

  it('that is not active is refused, and the answer remembered', async () => {
    const { check, asked } = stage(opaque, {
      introspect: async () => ({ status: 'inactive', until: now + 30_000 }),
    });
    expect(reasonOf(await check('opaque'))).toBe('token_inactive');
    expect(check('opaque')).toMatchObject({ reason: 'token_inactive' });
    await check('opaque', now + 30_000);
    expect(asked.introspect).toBe(2);
  });

  it('is undecided without an answer, and asked for at the next message', async () => {
    const answers: (Introspection | null)[] = [{ status: 'failed', cause: 'x' }, null, active];
    const { check } = stage(opaque, { introspect: async () => answers.shift() ?? null });
    expect(reasonOf(await check('opaque'))).toBe('token_undecided');
    expect(reasonOf(await check('opaque'))).toBe('token_undecided');
    expect(reasonOf(await check('opaque'))).toBe(null);
  });

  it('is undecided where the question itself fails', async () => {
    const { check } = stage(opaque, { introspect: () => Promise.reject(new Error('x')) });
    expect(reasonOf(await check('opaque'))).toBe('token_undecided');
  });

  it('on trial: at most 256 are asked for at a time; those beyond are undecided at once', async () => {
    let answer = (_: Introspection) => {};
    const answered = new Promise<Introspection>((resolve) => {
      answer = resolve;
    });
    const { check, asked, counted } = stage({ ...opaque, mode: 'shadow' }, { introspect: () => answered });
    const waiting = Array.from({ length: 256 }, (_, index) => check(`opaque-${index}`));
    expect(check('opaque-256')).toMatchObject({ reason: 'token_undecided', token: null });
    expect(asked.introspect).toBe(256);
    answer(active);
    expect((await Promise.all(waiting)).every(({ allow }) => allow)).toBe(true);
    expect(await check('opaque-256')).toMatchObject({ allow: true });
    expect(counted.filter((verdict) => verdict !== 'allow')).toEqual(['token_undecided']);
  });

  it('is refused where no introspection is configured', async () => {
    const { check, asked } = stage();
    expect(reasonOf(await check('opaque'))).toBe('token_malformed');
    expect(asked.introspect).toBe(0);
  });

  it('beside a key set: a JWT is verified and every other token is asked for', async () => {
    const { check, asked } = stage({ ...opaque, keys: policy.keys }, { introspect: async () => active });
    expect(await check(token())).toMatchObject({ token: { how: 'jwt' } });
    expect(asked.introspect).toBe(0);
    for (const other of ['opaque', 'a.b.c.d.e', 'AAAA.AAAA.AAAA'])
      expect(await check(other)).toMatchObject({ token: { how: 'introspection' } });
    // A JWT that is refused is not asked for.
    expect(reasonOf(await check(token({ key: makeKey('P-256') })))).toBe('token_signature');
    expect(asked.introspect).toBe(3);
  });

  it('without a key set a JWT is asked for too', async () => {
    const { check } = stage(opaque, { introspect: async () => active });
    expect(await check(token())).toMatchObject({ token: { how: 'introspection' } });
  });
});
