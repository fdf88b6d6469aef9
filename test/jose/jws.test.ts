import { createPublicKey, type JsonWebKeyInput } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type SignatureAlgorithm, signatureAlgorithms } from '../../src/jose/algorithm.ts';
import { type CompactJws, readCompactJws, verifyJws } from '../../src/jose/jws.ts';
import { type KeyKind, makeKey } from '../../src/pki/key.ts';
import { signedToken } from '../support/jose/signed-token.ts';

/** The payload of RFC 7515, appendix A.1 to A.3. */
const payload =
  'eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ';

const examples: readonly {
  readonly name: string;
  readonly algorithm: SignatureAlgorithm;
  readonly jwk: Readonly<Record<string, string>>;
  readonly token: string;
}[] = [
  {
    name: 'RFC 7515, appendix A.2',
    algorithm: 'RS256',
    jwk: {
      kty: 'RSA',
      e: 'AQAB',
      n: 'ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ',
    },
    token: `eyJhbGciOiJSUzI1NiJ9.${payload}.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw`,
  },
  {
    name: 'RFC 7515, appendix A.3',
    algorithm: 'ES256',
    jwk: {
      kty: 'EC',
      crv: 'P-256',
      x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',
      y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0',
    },
    token: `eyJhbGciOiJFUzI1NiJ9.${payload}.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q`,
  },
  {
    name: 'RFC 7515, appendix A.4',
    algorithm: 'ES512',
    jwk: {
      kty: 'EC',
      crv: 'P-521',
      x: 'AekpBQ8ST8a8VcfVOTNl353vSrDCLLJXmPk06wTjxrrjcBpXp5EOnYG_NjFZ6OvLFV1jSfS9tsz4qUxcWceqwQGk',
      y: 'ADSmRA43Z1DSNx_RvcLI87cdL07l6jQyyBXMoxVg_l2Th-x3S1WDhjDly79ajL4Kkd0AZMaZmh9ubmf63e3kyMj2',
    },
    token:
      'eyJhbGciOiJFUzUxMiJ9.UGF5bG9hZA.AdwMgeerwtHoh-l192l60hp9wAHZFVJbLfD_UxMi70cwnZOYaRI1bKPWROc-mZZqwqT2SI-KGDKB34XO0aw_7XdtAG8GaSwFKdCAPZgoXD2YBJZCPEX3xKpRwcdOO8KpEHwJjyqOgzDO7iKvU8vcnwNrmxYbSW9ERBXukOXolLzeO_Jn',
  },
  {
    name: 'RFC 8037, appendix A.4',
    algorithm: 'EdDSA',
    jwk: { kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' },
    token:
      'eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg',
  },
];

function keyFrom(jwk: Readonly<Record<string, string>>) {
  return createPublicKey({ key: jwk as JsonWebKeyInput['key'], format: 'jwk' });
}

function read(token: string): CompactJws {
  const reading = readCompactJws(token);
  if (!reading.ok) throw new Error(reading.fault);
  return reading.jws;
}

describe('verifyJws', () => {
  it.each(examples)('verifies the example of $name', async ({ token, jwk, algorithm }) => {
    const jws = read(token);
    expect(jws.header).toEqual({ alg: algorithm, kid: null, typ: null });
    expect(await verifyJws(jws, { key: keyFrom(jwk), algorithm })).toBe(true);
  });

  it.each(examples)('refuses the example of $name with any bit flipped', async (example) => {
    const key = keyFrom(example.jwk);
    const parts = example.token.split('.');
    const bits = fc.tuple(fc.constantFrom(0, 1, 2), fc.nat());
    await fc.assert(
      fc.asyncProperty(bits, async ([part, at]) => {
        const bytes = Buffer.from(parts[part] as string, 'base64url');
        const bit = at % (bytes.length * 8);
        bytes[bit >> 3] = (bytes[bit >> 3] as number) ^ (1 << (bit & 7));
        const changed = parts.with(part, bytes.toString('base64url')).join('.');
        const reading = readCompactJws(changed);
        if (!reading.ok) return;
        expect(await verifyJws(reading.jws, { key, algorithm: example.algorithm })).toBe(false);
      }),
      { numRuns: 50 },
    );
  });

  it('verifies a token of each algorithm only by that algorithm and its own key', async () => {
    const kinds: Readonly<Record<string, KeyKind>> = {
      ...{ PS: 'rsa-2048', RS: 'rsa-2048', ES256: 'P-256', ES384: 'P-384', ES512: 'P-521', EdDSA: 'ed25519' },
    };
    const keys = new Map(Object.values(kinds).map((kind) => [kind, makeKey(kind)]));
    const keyOf = (alg: string) => keys.get(kinds[alg] ?? kinds[alg.slice(0, 2)] ?? 'ed25519');
    const accepted: string[] = [];
    for (const alg of signatureAlgorithms) {
      const key = keyOf(alg);
      if (key === undefined) throw new Error(alg);
      const jws = read(signedToken({ key, alg, claims: {} }));
      for (const algorithm of signatureAlgorithms) {
        const candidate = createPublicKey(keyOf(algorithm) ?? key);
        if (await verifyJws(jws, { key: candidate, algorithm })) accepted.push(`${alg} by ${algorithm}`);
      }
    }
    expect(accepted).toEqual(signatureAlgorithms.map((alg) => `${alg} by ${alg}`));
  });

  it('refuses the unsecured JWS of RFC 7515, appendix A.5, whatever the key', async () => {
    const jws = read(`eyJhbGciOiJub25lIn0.${payload}.`);
    expect(jws.header.alg).toBe('none');
    const [{ jwk }] = examples as [(typeof examples)[number]];
    expect(await verifyJws(jws, { key: keyFrom(jwk), algorithm: 'RS256' })).toBe(false);
    expect(await verifyJws(jws, { key: keyFrom(jwk), algorithm: 'none' as 'RS256' })).toBe(false);
  });

  it('refuses the HMAC of RFC 7515, appendix A.1', async () => {
    const jws = read(
      `eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.${payload}.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk`,
    );
    expect(jws.header).toEqual({ alg: 'HS256', kid: null, typ: 'JWT' });
    const [{ jwk }] = examples as [(typeof examples)[number]];
    expect(await verifyJws(jws, { key: keyFrom(jwk), algorithm: 'RS256' })).toBe(false);
  });
});

describe('readCompactJws', () => {
  const encode = (text: string) => Buffer.from(text).toString('base64url');

  it.each([
    ['two parts', 'e30.e30'],
    ['four parts', 'e30.e30.e30.e30'],
    ['the five parts of a JWE', 'e30.e30.e30.e30.e30'],
    ['no part', ''],
    ['padding', 'eyJhbGciOiJFUzI1NiJ9.e30=.AAAA'],
    ['the alphabet of Base64', 'eyJhbGciOiJFUzI1NiJ9.e30.AA+/'],
    ['white space', 'eyJhbGciOiJFUzI1NiJ9.e30.AA AA'],
    ['unused bits that are set', 'eyJhbGciOiJFUzI1NiJ9.e31.AAAA'],
    ['a first part that is no JSON object', 'YWJj.e30.AAAA'],
    ['an empty first part', '.e30.AAAA'],
  ])('refuses %s as syntax', (_, token) => {
    expect(readCompactJws(token)).toEqual({ ok: false, fault: 'syntax' });
  });

  it.each([
    ['crit', { crit: ['exp'], exp: 1 }],
    ['crit of b64 (RFC 7797)', { crit: ['b64'], b64: false }],
    ['b64', { b64: true }],
    ['an embedded key', { jwk: { kty: 'EC' } }],
    ['the URL of a key set', { jku: 'https://attacker.example/jwks' }],
    ['a certificate', { x5c: ['MIIB'] }],
    ['the URL of a certificate', { x5u: 'https://attacker.example/cert' }],
    ['a kid that is a number', { kid: 1 }],
    ['a kid that is null', { kid: null }],
    ['a typ that is no text', { typ: ['at+jwt'] }],
    ['an alg that is no text', { alg: { toString: 'ES256' } }],
    ['an empty alg', { alg: '' }],
  ])('refuses a header with %s', (_, members) => {
    const header = { alg: 'ES256', ...members };
    expect(readCompactJws(`${encode(JSON.stringify(header))}.e30.AAAA`)).toEqual({
      ok: false,
      fault: 'header',
    });
  });

  it.each([
    ['a member twice', '{"alg":"ES256","alg":"none"}'],
    ['a member twice in another spelling', '{"alg":"ES256","\\u0061lg":"none"}'],
    ['no JSON', '{"alg":"ES256"'],
    ['no alg', '{}'],
  ])('refuses a header with %s', (_, header) => {
    expect(readCompactJws(`${encode(header)}.e30.AAAA`)).toEqual({ ok: false, fault: 'header' });
  });

  it('reads the empty payload of a detached JWS', () => {
    expect(read('eyJhbGciOiJFUzI1NiJ9..AAAA')).toMatchObject({ payload: '', signature: 'AAAA' });
  });

  it('does not throw for any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        readCompactJws(text);
        readCompactJws(`${encode(text)}.${text}.${encode(text)}`);
      }),
    );
  });
});
