import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findCostlyCertificate } from '../../src/handshake/costly-certificates.ts';
import { costlyChain } from '../support/pki/costly-chain.ts';

describe('a Certificate message', () => {
  const ders = [...costlyChain({ length: 1 }).chainPem.matchAll(/CERTIFICATE-----([^-]+)-----END/g)].map(
    ([, base64 = '']) => Buffer.from(base64, 'base64'),
  );
  const uint24 = (value: number) => Buffer.of(value >> 16, (value >> 8) & 255, value & 255);
  const list = (certificates: readonly Buffer[]) =>
    Buffer.concat(certificates.flatMap((der) => [uint24(der.length), der, Buffer.of(0, 0)]));
  const message = (certificates: readonly Buffer[]) => {
    const content = list(certificates);
    return Buffer.concat([Buffer.of(0), uint24(content.length), content]);
  };

  it('is costly with an RSA exponent over 32 bits, and not without one', () => {
    expect(findCostlyCertificate(message(ders), { tls13: true })).toMatch(
      /^an RSA exponent .+ in its certificate number 2 of 2$/,
    );
    expect(findCostlyCertificate(message(ders.slice(0, 1)), { tls13: true })).toBeNull();
    expect(findCostlyCertificate(message([]), { tls13: true })).toBeNull();
  });

  it('is costly if a certificate cannot be parsed', () => {
    const [leaf = Buffer.alloc(0)] = ders;
    // An indefinite length (X.690 §8.1.3.6), which OpenSSL accepts.
    const indefinite = Buffer.concat([Buffer.of(0x30, 0x80), leaf.subarray(4), Buffer.of(0, 0)]);
    for (const der of [indefinite, leaf.subarray(0, 100), Buffer.of(0x30, 0)])
      expect(findCostlyCertificate(message([der]), { tls13: true })).toMatch(
        /^content that cannot be parsed as DER/,
      );
  });

  it('never causes an exception, whatever it contains', () => {
    const whole = message(ders);
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { maxLength: 8 }),
        fc.nat(whole.length),
        fc.boolean(),
        (changes, length, tls13) => {
          const mutated = Buffer.from(whole);
          for (const [at, value] of changes) mutated[at] = value;
          findCostlyCertificate(mutated.subarray(0, length), { tls13 });
        },
      ),
    );
  });
});
