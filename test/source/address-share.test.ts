import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type AddressShare, AddressShares } from '../../src/source/address-share.ts';

const limits = { connections: 3, unfinished: 2 };

it('refuses what is beyond either limit, and another address is not concerned', () => {
  const shares = new AddressShares();
  const enter = (address: string) => shares.reserve(address, limits);
  const [first, second] = [enter('192.0.2.1'), enter('192.0.2.1')] as AddressShare[];
  expect(enter('192.0.2.1')).toBe('unfinished');
  expect(enter('192.0.2.2')).toBeTypeOf('object');
  first?.handshakeDone();
  const third = enter('192.0.2.1') as AddressShare;
  second?.handshakeDone();
  third.handshakeDone();
  expect(enter('192.0.2.1')).toBe('connections');
  second?.release();
  expect(enter('192.0.2.1')).toBeTypeOf('object');
});

it('counts an IPv6 network of /64 as one address', () => {
  const shares = new AddressShares();
  const one = { connections: 1, unfinished: 1 };
  expect(shares.reserve('2001:db8::1', one)).toBeTypeOf('object');
  expect(shares.reserve('2001:db8::ffff:0:0:2', one)).toBe('connections');
  expect(shares.reserve('2001:db8:0:1::1', one)).toBeTypeOf('object');
});

it('holds what is open and nothing more, whatever ends in which order, and however often', () => {
  const step = fc.record({
    address: fc.constantFrom('192.0.2.1', '192.0.2.2', '2001:db8::1'),
    end: fc.nat(20),
    how: fc.constantFrom('enter', 'handshakeDone', 'release'),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
      const shares = new AddressShares();
      const open = new Map<AddressShare, string>();
      const ever: AddressShare[] = [];
      for (const { address, end, how } of steps) {
        if (how === 'enter') {
          const held = [...open.values()].filter((other) => other === address).length;
          const share = shares.reserve(address, { connections: 4, unfinished: 100 });
          expect(share === 'connections').toBe(held === 4);
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
