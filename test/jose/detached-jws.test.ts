import { createHmac, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import fc from 'fast-check';
import { FlattenedSign } from 'jose';
import { describe, expect, it } from 'vitest';
import type { SignatureAlgorithm } from '../../src/jose/algorithm.ts';
import { type DetachedJws, readDetachedJws, verifyDetachedJws } from '../../src/jose/detached-jws.ts';

const base64url = (text: string) => Buffer.from(text).toString('base64url');
const imported = (jwk: object) => createPublicKey({ key: jwk, format: 'jwk' });

function read(text: string): DetachedJws {
  const reading = readDetachedJws(text);
  if (!reading.ok) throw new Error(reading.fault);
  return reading.jws;
}

/** The content of RFC 7515 appendices A.1 to A.3. */
const content = Buffer.from('{"iss":"joe",\r\n "exp":1300819380,\r\n "http://example.com/is_root":true}');

const rfc7515 = [
  {
    title: 'appendix A.2 (RS256)',
    algorithm: 'RS256',
    jws: 'eyJhbGciOiJSUzI1NiJ9..cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw',
    key: {
      kty: 'RSA',
      n: 'ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ',
      e: 'AQAB',
    },
    content,
  },
  {
    title: 'appendix A.3 (ES256)',
    algorithm: 'ES256',
    jws: 'eyJhbGciOiJFUzI1NiJ9..DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q',
    key: {
      kty: 'EC',
      crv: 'P-256',
      x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',
      y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0',
    },
    content,
  },
  {
    title: 'appendix A.4 (ES512)',
    algorithm: 'ES512',
    jws: 'eyJhbGciOiJFUzUxMiJ9..AdwMgeerwtHoh-l192l60hp9wAHZFVJbLfD_UxMi70cwnZOYaRI1bKPWROc-mZZqwqT2SI-KGDKB34XO0aw_7XdtAG8GaSwFKdCAPZgoXD2YBJZCPEX3xKpRwcdOO8KpEHwJjyqOgzDO7iKvU8vcnwNrmxYbSW9ERBXukOXolLzeO_Jn',
    key: {
      kty: 'EC',
      crv: 'P-521',
      x: 'AekpBQ8ST8a8VcfVOTNl353vSrDCLLJXmPk06wTjxrrjcBpXp5EOnYG_NjFZ6OvLFV1jSfS9tsz4qUxcWceqwQGk',
      y: 'ADSmRA43Z1DSNx_RvcLI87cdL07l6jQyyBXMoxVg_l2Th-x3S1WDhjDly79ajL4Kkd0AZMaZmh9ubmf63e3kyMj2',
    },
    content: Buffer.from('Payload'),
  },
] as const;

describe('the examples of the RFCs', () => {
  it.each(rfc7515)('RFC 7515 $title with its content detached (appendix F)', async (vector) => {
    const jws = read(vector.jws);
    const how = { key: imported(vector.key), algorithm: vector.algorithm };
    expect(jws.encodesContent).toBe(true);
    expect(await verifyDetachedJws(jws, vector.content, how)).toBe(true);
    expect(await verifyDetachedJws(jws, Buffer.concat([vector.content, Buffer.from(' ')]), how)).toBe(false);
  });

  it('RFC 8037 appendix A.4 (Ed25519)', async () => {
    const jws = read(
      'eyJhbGciOiJFZERTQSJ9..hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg',
    );
    const key = imported({ kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' });
    const how = { key, algorithm: 'EdDSA' } as const;
    expect(await verifyDetachedJws(jws, Buffer.from('Example of Ed25519 signing'), how)).toBe(true);
  });

  it('RFC 7797 §4.2: the content is signed as it is', () => {
    const head = 'eyJhbGciOiJIUzI1NiIsImI2NCI6ZmFsc2UsImNyaXQiOlsiYjY0Il19';
    const jws = read(`${head}..A5dxf2s96_n5FLueVuW1Z_vh161FwXZC4YLPff6dmDY`);
    expect(jws).toMatchObject({ encodesContent: false, header: { alg: 'HS256' } });
    // HMAC is no algorithm of key sets: the example shows what the signing input is.
    const secret = Buffer.from(
      'AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow',
      'base64url',
    );
    const mac = createHmac('sha256', secret).update(`${head}.$.02`).digest('base64url');
    expect(jws.signature).toBe(mac);
  });
});

const keys = {
  PS256: generateKeyPairSync('rsa', { modulusLength: 2048 }),
  ES256: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  EdDSA: generateKeyPairSync('ed25519'),
} satisfies Partial<Record<SignatureAlgorithm, { privateKey: KeyObject; publicKey: KeyObject }>>;

async function sign(body: Buffer, algorithm: keyof typeof keys, encodes: boolean): Promise<string> {
  const header = encodes ? { alg: algorithm } : { alg: algorithm, b64: false, crit: ['b64'] };
  const { protected: head, signature } = await new FlattenedSign(body)
    .setProtectedHeader(header)
    .sign(keys[algorithm].privateKey);
  return `${head}..${signature}`;
}

it.each(
  (Object.keys(keys) as (keyof typeof keys)[]).flatMap((algorithm) => [
    { algorithm, encodes: true },
    { algorithm, encodes: false },
  ]),
)('verifies any bytes, and refuses each changed bit: $algorithm, encoded: $encodes', async (options) => {
  const { algorithm, encodes } = options;
  const how = { key: keys[algorithm].publicKey, algorithm };
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), fc.nat(), async (bytes, at) => {
      const body = Buffer.from(bytes);
      const jws = read(await sign(body, algorithm, encodes));
      expect(await verifyDetachedJws(jws, body, how)).toBe(true);
      if (body.length === 0) return;
      const bit = at % (body.length * 8);
      body[bit >> 3] = (body[bit >> 3] as number) ^ (1 << (bit & 7));
      expect(await verifyDetachedJws(jws, body, how)).toBe(false);
    }),
    { numRuns: 30 },
  );
});

it('refuses a signature by another key, and by another algorithm of the same key', async () => {
  const body = Buffer.from('body');
  const jws = read(await sign(body, 'PS256', true));
  const other = generateKeyPairSync('rsa', { modulusLength: 2048 });
  expect(await verifyDetachedJws(jws, body, { key: other.publicKey, algorithm: 'PS256' })).toBe(false);
  const { publicKey: key } = keys.PS256;
  expect(await verifyDetachedJws(jws, body, { key, algorithm: 'RS256' })).toBe(false);
  expect(await verifyDetachedJws(jws, body, { key, algorithm: 'PS256' })).toBe(true);
});

const withHeader = (header: string) => `${base64url(header)}..${base64url('signature')}`;

it.each([
  ['an empty text', ''],
  ['one part', base64url('{"alg":"ES256"}')],
  ['two parts', `${base64url('{"alg":"ES256"}')}.${base64url('s')}`],
  ['content between the dots', `${base64url('{"alg":"ES256"}')}.${base64url('body')}.${base64url('s')}`],
  ['four parts', `${withHeader('{"alg":"ES256"}')}.`],
  ['an empty header', `..${base64url('s')}`],
  ['an empty signature', `${base64url('{"alg":"ES256"}')}..`],
  ['padding', `${base64url('{"alg":"ES256"}')}==..${base64url('s')}`],
  ['unused bits that are set', `${base64url('{"alg":"ES256"}')}..AB`],
  ['plain Base64', `${base64url('{"alg":"ES256"}')}..+/+/`],
  ['white space', `${base64url('{"alg":"ES256"}')}.. ${base64url('s')}`],
])('is no detached JWS: %s', (_, text) => {
  expect(readDetachedJws(text)).toEqual({ ok: false, fault: 'syntax' });
});

it.each([
  '["ES256"]',
  '{"alg":"ES256"',
  '{}',
  '{"alg":1}',
  '{"alg":""}',
  '{"alg":"ES256","alg":"none"}',
  '{"alg":"ES256","\\u0061lg":"none"}',
  '{"alg":"ES256","kid":1}',
  '{"alg":"ES256","kid":null}',
  '{"alg":"ES256","jwk":{}}',
  '{"alg":"ES256","jku":"https://example.com"}',
  '{"alg":"ES256","x5c":[]}',
  '{"alg":"ES256","x5u":"https://example.com"}',
  '{"alg":"ES256","crit":[]}',
  '{"alg":"ES256","crit":["exp"],"exp":1}',
  '{"alg":"ES256","crit":["b64","exp"],"b64":true,"exp":1}',
  '{"alg":"ES256","crit":["b64","b64"],"b64":true}',
  '{"alg":"ES256","crit":["b64"]}',
  '{"alg":"ES256","crit":["b64"],"b64":0}',
  '{"alg":"ES256","crit":"b64","b64":false}',
  '{"alg":"ES256","b64":false}',
  '{"alg":"ES256","b64":true}',
])('refuses the header %s', (header) => {
  expect(readDetachedJws(withHeader(header))).toEqual({ ok: false, fault: 'header' });
});

it('reads the header: algorithm, key, and how the content is signed', () => {
  const jws = (text: string) => read(withHeader(text));
  expect(jws('{"alg":"ES256","kid":"a","typ":"JOSE"}')).toMatchObject({
    header: { alg: 'ES256', kid: 'a', typ: 'JOSE' },
    encodesContent: true,
  });
  expect(jws('{"alg":"none"}').header).toEqual({ alg: 'none', kid: null, typ: null });
  expect(jws('{"alg":"ES256","crit":["b64"],"b64":true}').encodesContent).toBe(true);
  expect(jws('{"alg":"ES256","crit":["b64"],"b64":false}').encodesContent).toBe(false);
});
