import { describe, expect, it } from 'vitest';
import { readClaims } from '../../src/jose/access-token.ts';

const nothing = {
  ...{ issuer: null, audience: [], scopes: [], expires: null, notBefore: null, issuedAt: null },
  ...{ clientId: null, subject: null, confirmation: null },
};

describe('readClaims', () => {
  it('reads the example of RFC 8705 §3.1', () => {
    const claims = {
      iss: 'https://server.example.com',
      sub: 'ty.webb@example.com',
      exp: 1493726400,
      nbf: 1493722800,
      cnf: { 'x5t#S256': 'bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2' },
    };
    expect(readClaims(claims)).toEqual({
      ...nothing,
      issuer: 'https://server.example.com',
      subject: 'ty.webb@example.com',
      expires: 1493726400_000,
      notBefore: 1493722800_000,
      confirmation: { thumbprint: 'bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2' },
    });
  });

  it('reads the example of RFC 9068 §3', () => {
    const claims = {
      iss: 'https://authorization-server.example.com/',
      sub: '5ba552d67',
      aud: 'https://rs.example.com/',
      exp: 1639528912,
      iat: 1618354090,
      jti: 'dbe39bf3a3ba4238a513f51d6e1691c4',
      client_id: 's6BhdRkqt3',
      scope: 'openid profile reademail',
    };
    expect(readClaims(claims)).toEqual({
      ...nothing,
      issuer: 'https://authorization-server.example.com/',
      subject: '5ba552d67',
      audience: ['https://rs.example.com/'],
      expires: 1639528912_000,
      issuedAt: 1618354090_000,
      clientId: 's6BhdRkqt3',
      scopes: ['openid', 'profile', 'reademail'],
    });
  });

  it('reads a scope that is null, as Authlete writes it, as none', () => {
    expect(readClaims({ scope: null, client_id: 17566160603766 })).toEqual({
      ...nothing,
      clientId: '17566160603766',
    });
  });

  it('reads scp as a text and as a list, where there is no scope', () => {
    expect(readClaims({ scp: 'a b' })?.scopes).toEqual(['a', 'b']);
    expect(readClaims({ scp: ['a', 'b'] })?.scopes).toEqual(['a', 'b']);
    expect(readClaims({ scope: 'c', scp: 'a b' })?.scopes).toEqual(['c']);
  });

  it.each([
    ['no object', null],
    ['a list', []],
    ['a text', 'claims'],
    ['an iss that is no text', { iss: 1 }],
    ['an empty iss', { iss: '' }],
    ['an aud that is a number', { aud: 1 }],
    ['an aud with a number in it', { aud: ['a', 1] }],
    ['an exp that is a text', { exp: '1493726400' }],
    ['an exp beyond every date', { exp: 1e300 }],
    ['an nbf that is true', { nbf: true }],
    ['an iat that is a list', { iat: [1] }],
    ['a scope that is a list', { scope: ['a'] }],
    ['an scp that is a number', { scp: 1 }],
    ['an scp with null in it', { scp: [null] }],
    ['a client_id that is an object', { client_id: {} }],
    ['a sub that is a number', { sub: 1 }],
    ['a cnf that is a text', { cnf: 'x5t#S256' }],
    ['a cnf that is a list', { cnf: [] }],
    ['an x5t#S256 that is a number', { cnf: { 'x5t#S256': 1 } }],
  ])('refuses %s', (_, claims) => {
    expect(readClaims(claims)).toBe(null);
  });
});
