import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { type ClaimsPolicy, judgeClaims, judgeMessage } from '../../src/bearer/claims-judgement.ts';
import { readClaims } from '../../src/jose/access-token.ts';
import { readCertificates } from '../../src/pki/pem.ts';

const now = Date.UTC(2026, 0, 1);
const seconds = now / 1000;
const own = 'A4DtL2JmUMhAsvJj5tKyn64SqzmuXbMrJa0n761y5v0';
const other = 'bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg0';

const policy: ClaimsPolicy = {
  issuer: 'https://as.example.com',
  audience: ['https://gateway.example.com'],
  scopes: ['ehi'],
  clockSkew: 30_000,
  requireBinding: true,
};

const good = {
  iss: 'https://as.example.com',
  aud: ['https://other.example.com', 'https://gateway.example.com'],
  exp: seconds + 60,
  nbf: seconds - 60,
  iat: seconds - 60,
  scope: 'read ehi',
  client_id: 'client',
  cnf: { 'x5t#S256': own },
};

interface Case {
  readonly claims?: Readonly<Record<string, unknown>>;
  readonly policy?: Partial<ClaimsPolicy>;
  readonly how?: 'jwt' | 'introspection';
  readonly thumbprint?: string | null;
  readonly at?: number;
}

function judge({ claims = {}, policy: changed = {}, how = 'jwt', thumbprint = own, at = now }: Case) {
  const read = readClaims({ ...good, ...claims });
  if (read === null) throw new Error('claims of the wrong type');
  const facts = { clientId: read.clientId, subject: read.subject, keyId: null, how };
  const token = judgeClaims(read, { facts, policy: { ...policy, ...changed } });
  return judgeMessage(token, { now: at, thumbprint });
}

describe('a token', () => {
  it.each<[string, Case]>([
    ['that fulfils every condition', {}],
    ['whose aud is one text', { claims: { aud: 'https://gateway.example.com' } }],
    ['with no scope, where none is demanded', { claims: { scope: null }, policy: { scopes: [] } }],
    ['for another audience, where any is accepted', { claims: { aud: 'x' }, policy: { audience: [] } }],
    ['without nbf and iat', { claims: { nbf: undefined, iat: undefined } }],
    ['in the last moment of the clock skew', { claims: { exp: seconds - 29.999 } }],
    ['in the first moment of the clock skew', { claims: { nbf: seconds + 30 } }],
    [
      'without cnf, where no binding is demanded',
      { claims: { cnf: undefined }, policy: { requireBinding: false } },
    ],
    [
      'of an answer without iss and exp',
      { claims: { iss: undefined, exp: undefined }, how: 'introspection' },
    ],
    ['with a further member in cnf', { claims: { cnf: { 'x5t#S256': own, kid: '1' } } }],
  ])('%s is accepted', (_, options) => {
    expect(judge(options)).toBe(null);
  });

  it.each<[string, string, Case]>([
    ['without iss', 'token_claims', { claims: { iss: undefined } }],
    ['without exp', 'token_claims', { claims: { exp: undefined } }],
    ['of another issuer', 'token_issuer', { claims: { iss: 'https://as.example.com/' } }],
    [
      'of another issuer, in an answer',
      'token_issuer',
      { claims: { iss: 'https://b' }, how: 'introspection' },
    ],
    ['for another audience', 'token_audience', { claims: { aud: 'https://gateway.example.com/' } }],
    ['without aud', 'token_audience', { claims: { aud: undefined } }],
    ['without aud, in an answer', 'token_audience', { claims: { aud: undefined }, how: 'introspection' }],
    ['at the end of exp and clock skew', 'token_expired', { claims: { exp: seconds - 30 } }],
    ['before nbf and clock skew', 'token_not_yet_valid', { claims: { nbf: seconds + 31 } }],
    ['that was issued in the future', 'token_not_yet_valid', { claims: { iat: seconds + 31 } }],
    ['without cnf', 'token_unbound', { claims: { cnf: undefined } }],
    ['with cnf of null', 'token_unbound', { claims: { cnf: null } }],
    ['bound to a DPoP key', 'token_unbound', { claims: { cnf: { jkt: other } } }],
    [
      'bound to a DPoP key, where no binding is demanded',
      'token_unbound',
      { claims: { cnf: { jkt: other } }, policy: { requireBinding: false } },
    ],
    ['bound to another certificate', 'token_binding', { claims: { cnf: { 'x5t#S256': other } } }],
    [
      'bound to another certificate, where no binding is demanded',
      'token_binding',
      { claims: { cnf: { 'x5t#S256': other } }, policy: { requireBinding: false } },
    ],
    ['bound, from a client without a certificate', 'token_binding', { thumbprint: null }],
    [
      'bound to a part of the thumbprint',
      'token_binding',
      { claims: { cnf: { 'x5t#S256': own.slice(0, 42) } } },
    ],
    ['without one of the scopes', 'token_scope', { policy: { scopes: ['ehi', 'write'] } }],
    ['with a scope that only begins so', 'token_scope', { claims: { scope: 'ehi2' } }],
    ['with a scope in another case', 'token_scope', { claims: { scope: 'EHI' } }],
  ])('%s is refused: %s', (_, refusal, options) => {
    expect(judge(options)).toBe(refusal);
  });

  it('that lacks a scope is refused for that only if it is valid and the client’s', () => {
    const claims = { scope: '' };
    expect(judge({ claims })).toBe('token_scope');
    expect(judge({ claims, thumbprint: other })).toBe('token_binding');
    expect(judge({ claims, at: now + 3_600_000 })).toBe('token_expired');
  });
});

describe('the example that Authlete publishes', () => {
  const file = fileURLToPath(new URL('../fixtures/authlete/client.pem', import.meta.url));
  const [certificate] = readCertificates(readFileSync(file));
  const answer = {
    ...{ sub: 'testuser01', scope: null, iss: 'https://as.example.com', active: true },
    cnf: { 'x5t#S256': 'OID_Sc2yReTDx9QS7f1SMUzNxsh7khJYmaIwqXw8Yuw' },
    ...{ token_type: 'Bearer', exp: 1591936228, client_id: '17566160603766' },
  };
  const asIs = { aud: undefined, nbf: undefined, iat: undefined };
  const options: Case = {
    claims: { ...asIs, ...answer },
    policy: { audience: [], scopes: [] },
    how: 'introspection',
    at: 1591936228_000 - 1000,
  };

  it('has the thumbprint of its certificate', () => {
    expect(certificate?.thumbprint).toBe('OID_Sc2yReTDx9QS7f1SMUzNxsh7khJYmaIwqXw8Yuw');
  });

  it('is accepted with that certificate and refused with any other', () => {
    expect(judge({ ...options, thumbprint: certificate?.thumbprint ?? null })).toBe(null);
    expect(judge({ ...options, thumbprint: other })).toBe('token_binding');
    expect(judge({ ...options, thumbprint: null })).toBe('token_binding');
  });

  it('has a JWT whose claims are accepted with that certificate and refused with any other', () => {
    const claims = {
      ...{ ...asIs, sub: 'testuser01', scope: null, iss: 'https://as.example.com', cnf: answer.cnf },
      ...{ exp: 1591939326, iat: 1591852926, client_id: '17566160603766' },
      jti: 'szt5gWFSovFIU5N-wjdLyFD-EiS3rdG2KR311B2F6Fc',
    };
    const jwt: Case = { ...options, claims, how: 'jwt', at: 1591852926_000 };
    expect(judge({ ...jwt, thumbprint: certificate?.thumbprint ?? null })).toBe(null);
    expect(judge({ ...jwt, thumbprint: other })).toBe('token_binding');
  });
});

it('the certificate of RFC 8705, appendix A, has the thumbprint that is printed there', () => {
  const x5c =
    'MIIBBjCBrAIBAjAKBggqhkjOPQQDAjAPMQ0wCwYDVQQDDARtdGxzMB4XDTE4MTAxODEyMzcwOVoXDTIyMDUwMjEyMzcwOVowDzENMAsGA1UEAwwEbXRsczBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABNcnyxwqV6hY8QnhxxzFQ03C7HKW9OylMbnQZjjJ/Au08/coZwxS7LfA4vOLS9WuneIXhbGGWvsDSb0tH6IxLm8wCgYIKoZIzj0EAwIDSQAwRgIhAP0RC1E+vwJD/D1AGHGzuri+hlV/PpQEKTWUVeORWz83AiEA5x2eXZOVbUlJSGQgjwD5vaUaKlLR50Q2DmFfQj1L+SY=';
  const [certificate] = readCertificates(Buffer.from(x5c, 'base64'));
  expect(certificate?.thumbprint).toBe(own);
});
