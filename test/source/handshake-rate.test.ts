import fc from 'fast-check';
import { expect, it } from 'vitest';
import { HandshakeRate } from '../../src/source/handshake-rate.ts';

const perSecond = 5;

it('allows a burst of as many handshakes as per second, and then the rate', () => {
  const rate = new HandshakeRate();
  const take = (now: number) => rate.take('192.0.2.1', { perSecond, now });
  expect(Array.from({ length: 7 }, () => take(0))).toEqual([...Array(5).fill(true), false, false]);
  expect([take(199), take(200), take(201)]).toEqual([false, true, false]);
  expect(Array.from({ length: 6 }, () => take(10_000))).toEqual([...Array(5).fill(true), false]);
});

it('limits each IPv4 address separately, and an IPv6 /64 as one address', () => {
  const rate = new HandshakeRate();
  const once = { perSecond: 1, now: 0 };
  expect(rate.take('192.0.2.1', once)).toBe(true);
  expect(rate.take('192.0.2.2', once)).toBe(true);
  expect(rate.take('2001:db8::1', once)).toBe(true);
  expect(rate.take('2001:db8::ffff:0:0:2', once)).toBe(false);
  expect(rate.take('2001:db8:0:1::1', once)).toBe(true);
});

it('keeps at most ten thousand addresses, and evicts the least recently seen', () => {
  const rate = new HandshakeRate();
  const address = (index: number) => `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`;
  const once = { perSecond: 1, now: 0 };
  for (let index = 0; index < 10_000; index++) rate.take(address(index), once);
  rate.take(address(0), once);
  rate.take(address(10_000), once);
  expect(rate.size).toBe(10_000);
  expect(rate.take(address(0), once)).toBe(false);
  expect(rate.take(address(1), once)).toBe(true);
});

it('never allows more than the rate and one burst, whatever the timing', () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat(400), { maxLength: 200 }),
      fc.integer({ min: 1, max: 20 }),
      (pauses, perSecond) => {
        const rate = new HandshakeRate();
        let now = 0;
        let taken = 0;
        for (const pause of pauses) {
          now += pause;
          if (rate.take('192.0.2.1', { perSecond, now })) taken++;
        }
        expect(taken).toBeLessThanOrEqual(perSecond + (now / 1000) * perSecond + 1e-6);
      },
    ),
  );
});
