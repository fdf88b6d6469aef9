import { expect, it } from 'vitest';
import { classifyOpensslCode } from '../../src/identity/openssl-codes.ts';

it.each([
  ['UNABLE_TO_GET_ISSUER_CERT', 'path'],
  ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'path'],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'path'],
  ['UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY', 'path'],
  ['UNABLE_TO_DECRYPT_CERT_SIGNATURE', 'path'],
  ['CERT_SIGNATURE_FAILURE', 'path'],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', 'path'],
  ['SELF_SIGNED_CERT_IN_CHAIN', 'path'],
  ['CERT_CHAIN_TOO_LONG', 'path'],
  ['CERT_NOT_YET_VALID', 'time'],
  ['CERT_HAS_EXPIRED', 'time'],
  ['INVALID_PURPOSE', 'property'],
  ['INVALID_CA', 'property'],
  ['PATH_LENGTH_EXCEEDED', 'property'],
  ['CERT_UNTRUSTED', 'property'],
  ['CERT_REJECTED', 'property'],
  ['CERT_REVOKED', 'property'],
  ['ERROR_IN_CERT_NOT_AFTER_FIELD', 'property'],
  ['OUT_OF_MEM', 'property'],
])('%s is a code of the kind %s', (code, meaning) => {
  expect(classifyOpensslCode(code)).toBe(meaning);
});

it('a code that is not in the table is a property, so that it denies', () => {
  // Node's name for all errors of OpenSSL that it does not map, such as name constraints and weak keys.
  expect(classifyOpensslCode('UNSPECIFIED')).toBe('property');
  expect(classifyOpensslCode('')).toBe('property');
  expect(classifyOpensslCode('toString')).toBe('property');
});
