import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type AddressShare, AddressShares } from '../../src/source/address-counts.ts';

const limits = { connections: 3, unfinished: 2 };

it('refuses a connection over either limit, without effect on other addresses', () => {
  const shares = new AddressShares();
  const reserve = (address: string) => shares.reserve(address, limits);
  const [first, second] = [reserve('192.0.2.1'), reserve('192.0.2.1')] as AddressShare[];
  expect(reserve('192.0.2.1')).toBe('unfinished');
  expect(reserve('192.0.2.2')).toBeTypeOf('object');
  first?.handshakeDone();
  const third = reserve('192.0.2.1') as AddressShare;
  second?.handshakeDone();
  third.handshakeDone();
  expect(reserve('192.0.2.1')).toBe('connections');
  second?.release();
  expect(reserve('192.0.2.1')).toBeTypeOf('object');
});

it('counts an IPv6 /64 as one address', () => {
  const shares = new AddressShares();
  const one = { connections: 1, unfinished: 1 };
  expect(shares.reserve('2001:db8::1', one)).toBeTypeOf('object');
  expect(shares.reserve('2001:db8::ffff:0:0:2', one)).toBe('connections');
  expect(shares.reserve('2001:db8:0:1::1', one)).toBeTypeOf('object');
});

it('counts exactly the open connections, in whatever order and however often they are released', () => {
  const step = fc.record({
    address: fc.constantFrom('192.0.2.1', '192.0.2.2', '2001:db8::1'),
    end: fc.nat(20),
    how: fc.constantFrom('reserve', 'handshakeDone', 'release'),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
      const shares = new AddressShares();
      const open = new Map<AddressShare, string>();
      const ever: AddressShare[] = [];
      for (const { address, end, how } of steps) {
        if (how === 'reserve') {
          const count = [...open.values()].filter((other) => other === address).length;
          const share = shares.reserve(address, { connections: 4, unfinished: 100 });
          expect(share === 'connections').toBe(count === 4);
          if (typeof share === 'string') continue;
          open.set(share, address);
          ever.push(share);
        } else {
          const share = ever[end];
          share?.[how]();
          if (share !== undefined && how === 'release') open.delete(share);
        }
        expect(shares.size).toBe(new Set(open.values()).size);
      }
    }),
  );
});
