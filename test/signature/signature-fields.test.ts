import { describe, expect, it } from 'vitest';
import type { SignaturePolicy } from '../../src/policy/snapshot.ts';
import { readSignatureFields } from '../../src/signature/signature-fields.ts';
import { hmacPolicy, signaturePolicy } from '../support/jose/signature-policy.ts';

const now = Date.UTC(2026, 0, 31, 12);
const seconds = (time: number) => String(time / 1000);
const jws = (header: string) => `${Buffer.from(header).toString('base64url')}..c2ln`;
const es256 = jws('{"alg":"ES256","kid":"a"}');

const read = (fields: readonly string[], policy: SignaturePolicy) =>
  readSignatureFields(['Host: h', ...fields, 'X-Other: 1'].map((line) => `${line}\r\n`).join(''), {
    policy,
    now,
  });

const detached = signaturePolicy({ algorithms: ['ES256', 'PS256'] });
const raw = signaturePolicy({ scheme: 'raw', kidHeader: 'x-key-id' });
const timed = signaturePolicy({
  timestamp: { header: 'x-time', tolerance: 300_000, signed: '{timestamp}.{body}' },
});

describe('a field that is there', () => {
  it.each([
    ['a detached JWS', [`X-Signature: ${es256}`], detached, { kind: 'jws', algorithm: 'ES256' }],
    ['in another case', [`x-SIGNATURE: ${es256}`], detached, { kind: 'jws', algorithm: 'ES256' }],
    ['a raw one', ['X-Signature: c2ln', 'X-Key-Id: a'], raw, { kind: 'raw', kid: 'a' }],
    [
      'a raw one without a key',
      ['X-Signature: c2ln'],
      signaturePolicy({ scheme: 'raw' }),
      { kind: 'raw', kid: null },
    ],
    ['hex', ['X-Signature: 00ff'], hmacPolicy({ encoding: 'hex' }), { bytes: Buffer.from([0, 255]) }],
    [
      'upper-case hex',
      ['X-Signature: 00FF'],
      hmacPolicy({ encoding: 'hex' }),
      { bytes: Buffer.from([0, 255]) },
    ],
    ['Base64', ['X-Signature: +/8='], hmacPolicy({ encoding: 'base64' }), { bytes: Buffer.from([251, 255]) }],
    ['Base64url', ['X-Signature: -_8'], hmacPolicy({ encoding: 'base64url' }), { kind: 'hmac' }],
  ] as const)('is read: %s', (_, fields, policy, value) => {
    expect(read(fields, policy)).toMatchObject({ refusal: null, value });
  });

  it.each([
    [[], detached, 'signature_missing'],
    [['X-Signature-2: a'], detached, 'signature_missing'],
    [[`X-Signature: ${es256}`, `X-Signature: ${es256}`], detached, 'signature_repeated'],
    [[`X-Signature: ${es256}, ${es256}`], detached, 'signature_syntax'],
    [['X-Signature: '], detached, 'signature_syntax'],
    [['X-Signature: a.b.c.d'], detached, 'signature_syntax'],
    [[`X-Signature: ${es256}${'A'.repeat(8192)}`], detached, 'signature_syntax'],
    [[`X-Signature: ${jws('{"alg":"ES256","crit":["exp"]}')}`], detached, 'signature_header'],
    [[`X-Signature: ${jws(`{"alg":"ES256","kid":"${'a'.repeat(257)}"}`)}`], detached, 'signature_header'],
    [[`X-Signature: ${jws('{"alg":"none"}')}`], detached, 'signature_algorithm'],
    [[`X-Signature: ${jws('{"alg":"HS256"}')}`], detached, 'signature_algorithm'],
    [[`X-Signature: ${jws('{"alg":"RS256"}')}`], detached, 'signature_algorithm'],
    // An allow-list that names HMAC, which the schema refuses, would still not allow it.
    [
      [`X-Signature: ${jws('{"alg":"HS256"}')}`],
      signaturePolicy({ algorithms: ['HS256'] }),
      'signature_algorithm',
    ],
    [['X-Signature: c2ln'], raw, 'signature_key_missing'],
    [['X-Signature: c2ln', 'X-Key-Id: '], raw, 'signature_key_missing'],
    [['X-Signature: c2ln', `X-Key-Id: ${'a'.repeat(257)}`], raw, 'signature_key_missing'],
    [['X-Signature: c2ln', 'X-Key-Id: a', 'X-Key-Id: a'], raw, 'signature_repeated'],
    [['X-Signature: c2ln=='], signaturePolicy({ scheme: 'raw' }), 'signature_syntax'],
    [['X-Signature: c2m'], signaturePolicy({ scheme: 'raw', encoding: 'base64' }), 'signature_syntax'],
    [['X-Signature: 0g'], hmacPolicy({ encoding: 'hex' }), 'signature_syntax'],
    [['X-Signature: 00f'], hmacPolicy({ encoding: 'hex' }), 'signature_syntax'],
    [['X-Signature: '], hmacPolicy({ encoding: 'hex' }), 'signature_syntax'],
  ] as const)('is refused: %j', (fields, policy, refusal) => {
    expect(read(fields, policy)).toEqual({ refusal });
  });
});

describe('a timestamp', () => {
  const tolerance = 300_000;
  it.each([-tolerance, 0, tolerance])('is accepted %d ms from now', (offset) => {
    const text = String(now + offset);
    expect(read([`X-Signature: ${es256}`, `X-Time: ${text}`], timed)).toMatchObject({
      refusal: null,
      timestamp: { text, at: now + offset },
    });
  });

  it.each([
    [[], 'signature_timestamp_missing'],
    [['X-Time: '], 'signature_timestamp'],
    [['X-Time: now'], 'signature_timestamp'],
    // A no-break space is a part of what the host gets.
    [[`X-Time: \xa0${now}\xa0`], 'signature_timestamp'],
    [[`X-Time: ${now - tolerance - 1}`], 'signature_timestamp'],
    [[`X-Time: ${now + tolerance + 1}`], 'signature_timestamp'],
    [[`X-Time: ${seconds(now)}`, `X-Time: ${seconds(now)}`], 'signature_repeated'],
    [[`X-Time: ${seconds(now)}, ${seconds(now)}`], 'signature_timestamp'],
    // A host may take the one for the other.
    [[`X-Time: ${seconds(now)}`, 'X.Time: 1'], 'signature_repeated'],
    [[`X.Time: ${seconds(now)}`], 'signature_timestamp_missing'],
  ])('is refused: %j', (fields, refusal) => {
    expect(read([`X-Signature: ${es256}`, ...fields], timed)).toEqual({ refusal });
  });
});
