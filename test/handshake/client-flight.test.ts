/** What real handshakes hold is tried in test/gateway/costly-handshake.test.ts; here: whatever bytes come. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ClientFlight } from '../../src/handshake/client-flight.ts';
import { judgeCertificates } from '../../src/handshake/costly-certificates.ts';
import { costlyChain } from '../support/pki/costly-chain.ts';

const maxBytes = 2_000;

/** Records of any type, headers that lie, and bytes that are none. */
const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 300 }),
  fc
    .tuple(
      fc.constantFrom(20, 21, 22, 23, 24),
      fc.uint8Array({ maxLength: 200 }),
      fc.integer({ min: -3, max: 3 }),
    )
    .map(([type, content, lie]) => {
      const length = Math.max(0, content.length + lie);
      return Uint8Array.of(type, 3, 3, length >> 8, length & 255, ...content);
    }),
);

describe('the client’s part of a handshake', () => {
  it('is passed on as it came, in whole records, however it is cut, and never beyond its limit', () => {
    const pieces = fc.array(bytes, { maxLength: 20 });
    const cuts = fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(pieces, cuts, (parts, lengths) => {
        const all = Buffer.concat(parts);
        const flight = new ClientFlight({ maxBytes });
        const passed: Buffer[] = [];
        for (let at = 0, cut = 0; at < all.length; cut++) {
          const end = Math.min(all.length, at + (lengths[cut % lengths.length] as number));
          flight.offer(all.subarray(at, end));
          at = end;
          for (let next = flight.next(); next !== null; next = flight.next()) passed.push(next);
        }
        const out = Buffer.concat(passed);
        expect(all.subarray(0, out.length).equals(out)).toBe(true);
        if (all[0] === 22 && all[1] === 3) expect(out.length).toBeLessThanOrEqual(maxBytes);
        flight.end();
        if (flight.refusal !== null) return;
        const rest = flight.next() ?? Buffer.alloc(0);
        expect(Buffer.concat([out, rest]).equals(all)).toBe(true);
      }),
    );
  });

  it('is read whatever the lines of the key log are', () => {
    fc.assert(
      fc.property(fc.array(bytes, { maxLength: 5 }), fc.string({ maxLength: 200 }), (parts, text) => {
        const flight = new ClientFlight({ maxBytes });
        for (const line of [
          text,
          `CLIENT_HANDSHAKE_TRAFFIC_SECRET ${text}`,
          `SERVER_TRAFFIC_SECRET_0 ${text}`,
        ])
          flight.keyLog(Buffer.from(line), { cipher: 'TLS_AES_128_GCM_SHA256', resumed: false });
        flight.keyLog(Buffer.from(`CLIENT_HANDSHAKE_TRAFFIC_SECRET 00 ${'5a'.repeat(32)}\n`), {
          cipher: 'TLS_AES_128_GCM_SHA256',
          resumed: false,
        });
        flight.offer(Buffer.concat(parts));
        while (flight.next() !== null);
        flight.alert();
      }),
    );
  });
});

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

  it('is refused for an exponent, and without it is not', () => {
    expect(judgeCertificates(message(ders), { tls13: true })).toMatch(
      /^an RSA exponent .+ in certificate 2 of 2$/,
    );
    expect(judgeCertificates(message(ders.slice(0, 1)), { tls13: true })).toBeNull();
    expect(judgeCertificates(message([]), { tls13: true })).toBeNull();
  });

  it('is refused where a certificate cannot be read', () => {
    const [leaf = Buffer.alloc(0)] = ders;
    // An indefinite length (X.690 §8.1.3.6), which OpenSSL reads.
    const indefinite = Buffer.concat([Buffer.of(0x30, 0x80), leaf.subarray(4), Buffer.of(0, 0)]);
    for (const der of [indefinite, leaf.subarray(0, 100), Buffer.of(0x30, 0)])
      expect(judgeCertificates(message([der]), { tls13: true })).toMatch(/^what cannot be read as DER/);
  });

  it('never makes an error of its own, whatever it is', () => {
    const whole = message(ders);
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { maxLength: 8 }),
        fc.nat(whole.length),
        fc.boolean(),
        (changes, length, tls13) => {
          const mutated = Buffer.from(whole);
          for (const [at, value] of changes) mutated[at] = value;
          judgeCertificates(mutated.subarray(0, length), { tls13 });
        },
      ),
    );
  });
});
