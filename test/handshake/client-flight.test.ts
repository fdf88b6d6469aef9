/** Arbitrary bytes. test/gateway/costly-handshake.test.ts tests real handshakes. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ClientFlight } from '../../src/handshake/client-flight.ts';

const maxBytes = 2_000;

/** Records of any type, some with a wrong length in their header, and bytes that are not records. */
const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 300 }),
  fc
    .tuple(
      fc.constantFrom(20, 21, 22, 23, 24),
      fc.uint8Array({ maxLength: 200 }),
      fc.integer({ min: -3, max: 3 }),
    )
    .map(([type, content, error]) => {
      const length = Math.max(0, content.length + error);
      return Uint8Array.of(type, 3, 3, length >> 8, length & 255, ...content);
    }),
);

describe('what a client sends during its handshake', () => {
  it('is passed on unchanged in whole records, in whatever pieces it arrives, and never beyond the limit', () => {
    const pieces = fc.array(bytes, { maxLength: 20 });
    const cuts = fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(pieces, cuts, (parts, lengths) => {
        const all = Buffer.concat(parts);
        const flight = new ClientFlight({ maxBytes });
        const passed: Buffer[] = [];
        for (let at = 0, cut = 0; at < all.length; cut++) {
          const end = Math.min(all.length, at + (lengths[cut % lengths.length] as number));
          flight.add(all.subarray(at, end));
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

  it('is read without an exception for any lines of the key log', () => {
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
        flight.add(Buffer.concat(parts));
        while (flight.next() !== null);
        flight.alert();
      }),
    );
  });
});
