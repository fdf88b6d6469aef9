import { expect, it } from 'vitest';
import { HandshakeCosts } from '../../src/source/handshake-cost.ts';

it('lets an address wait for what took more than ordinary connections, until a twentieth of the time has paid for it', () => {
  const costs = new HandshakeCosts();
  const charge = (spent: number, now: number) => costs.charge('192.0.2.1', { spent, now });
  charge(140, 0);
  expect(costs.mustWait('192.0.2.1', 0)).toBe(false);
  charge(100, 0);
  // 90 and 50 ms beyond 50 ms each.
  expect(costs.mustWait('192.0.2.1', 0)).toBe(true);
  expect(costs.mustWait('192.0.2.1', 799)).toBe(true);
  expect(costs.mustWait('192.0.2.1', 801)).toBe(false);
  charge(75, 801);
  expect(costs.mustWait('192.0.2.1', 801)).toBe(true);
});

it('never lets an address wait for ordinary connections, however many', () => {
  const costs = new HandshakeCosts();
  for (let count = 0; count < 100_000; count++) costs.charge('192.0.2.1', { spent: 50, now: 0 });
  expect([costs.size, costs.mustWait('192.0.2.1', 0)]).toEqual([0, false]);
});

it('counts each IPv4 address by itself, and an IPv6 network of /64 as one', () => {
  const costs = new HandshakeCosts();
  costs.charge('192.0.2.1', { spent: 200, now: 0 });
  costs.charge('2001:db8::1', { spent: 200, now: 0 });
  const waits = (address: string) => costs.mustWait(address, 0);
  expect(['192.0.2.1', '192.0.2.2', '2001:db8::ffff:1', '2001:db8:0:1::1'].map(waits)).toEqual([
    true,
    false,
    true,
    false,
  ]);
});

it('remembers ten thousand addresses, and forgets those that have paid', () => {
  const costs = new HandshakeCosts();
  for (let index = 0; index <= 10_000; index++)
    costs.charge(`10.0.${index >> 8}.${index & 255}`, { spent: 200, now: 0 });
  expect(costs.size).toBe(10_000);
  expect(costs.mustWait('10.0.0.1', 10_000)).toBe(false);
  expect(costs.size).toBe(9_999);
});
