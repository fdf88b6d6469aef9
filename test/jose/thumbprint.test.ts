import { createPublicKey } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { publicMembersOf, thumbprintOf } from '../../src/jose/thumbprint.ts';
import { makeKey } from '../../src/pki/key.ts';

/** RFC 7638 §3.1. */
const rfcKey = {
  kty: 'RSA',
  n: '0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw',
  e: 'AQAB',
  alg: 'RS256',
  kid: '2011-04-29',
};

describe('thumbprintOf', () => {
  it('gives the thumbprint of the example in RFC 7638, whatever other members the key has', () => {
    expect(thumbprintOf(rfcKey)).toBe('NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs');
  });

  it('gives the thumbprint of the example in RFC 8037, appendix A.3', () => {
    const jwk = { kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' };
    expect(thumbprintOf(jwk)).toBe('kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k');
  });

  it('does not invent one for a type of key without a definition', () => {
    expect(() => thumbprintOf({ kty: 'oct', k: 'AAAA' })).toThrow(TypeError);
    expect(() => thumbprintOf({ kty: 'toString' })).toThrow(TypeError);
  });
});

describe('publicMembersOf', () => {
  it('leaves the private members of a key out', () => {
    const key = makeKey('P-256');
    expect(Object.keys(publicMembersOf(key) ?? {})).toEqual(['crv', 'kty', 'x', 'y']);
    expect(publicMembersOf(createPublicKey(key))).toEqual(publicMembersOf(key));
  });

  it('knows no members of a DSA key', () => {
    expect(publicMembersOf(makeKey('dsa-1024'))).toBeNull();
  });
});
