import fc from 'fast-check';
import ipaddr from 'ipaddr.js';
import { describe, expect, it } from 'vitest';
import { formatAddress, parseAddress } from '../../src/source/address.ts';
import { compileAllowlist } from '../../src/source/allowlist.ts';

describe('an allowlist', () => {
  it.each([
    ['names an address in a range', ['203.0.113.0/24'], '203.0.113.255', true],
    ['does not name the address behind a range', ['203.0.113.0/24'], '203.0.114.0', false],
    ['names a bare address', ['203.0.113.7'], '203.0.113.7', true],
    ['does not name the neighbour of a bare address', ['203.0.113.7'], '203.0.113.6', false],
    ['names a mapped caller by its IPv4 range', ['203.0.113.0/24'], '::ffff:203.0.113.7', true],
    ['names an IPv4 caller by a mapped range', ['::ffff:203.0.113.0/120'], '203.0.113.7', true],
    ['names no IPv4 caller by an IPv6 range of all', ['::/0'], '203.0.113.7', false],
    ['names no mapped caller by an IPv6 range of all', ['::/0'], '::ffff:203.0.113.7', false],
    ['names no IPv6 caller by an IPv4 range of all', ['0.0.0.0/0'], '2001:db8::1', false],
    ['names every IPv4 caller by a range of all', ['0.0.0.0/0'], '255.255.255.255', true],
    ['names every IPv6 caller by a range of all', ['::/0'], '2001:db8::1', true],
    ['names an address above 2^31', ['192.0.0.0/2'], '255.0.0.1', true],
    ['names an IPv6 address in a range', ['2001:db8::/48'], '2001:db8:0:ffff::1', true],
    ['does not name the IPv6 address behind a range', ['2001:db8::/48'], '2001:db8:1::', false],
    ['contains no address when empty', [], '203.0.113.7', false],
    ['does not name a caller in octal', ['203.0.113.0/24'], '0313.0.113.7', false],
    ['does not name a link-local caller with a zone', ['fe80::/10'], 'fe80::1%eth0', false],
    ['does not name what is no address', ['0.0.0.0/0', '::/0'], 'unknown', false],
    ['does not name nothing', ['0.0.0.0/0', '::/0'], '', false],
  ])('%s', (_title, ranges, address, contained) => {
    expect(compileAllowlist(ranges).contains(address)).toBe(contained);
  });

  it('throws for an invalid range', () => {
    expect(() => compileAllowlist(['203.0.113.0/24', '10.0.0.1/8'])).toThrow(
      expect.objectContaining({ code: 'RANGE' }),
    );
  });

  it('agrees with ipaddr.js on any list and address', () => {
    // Few distinct bits, so that addresses fall inside the ranges often.
    const byte = fc.constantFrom(0, 1, 127, 128, 254, 255);
    const ipv4 = fc.array(byte, { minLength: 4, maxLength: 4 });
    const ipv6 = fc.array(byte, { minLength: 16, maxLength: 16 });
    const range = fc
      .oneof(fc.tuple(ipv4, fc.nat(32)), fc.tuple(ipv6, fc.nat(128)))
      .map(([bytes, prefix]) => [network(bytes, prefix), prefix] as const)
      .map(([bytes, prefix]) => `${print(bytes)}/${prefix}`);
    let inside = 0;
    fc.assert(
      fc.property(fc.array(range, { maxLength: 12 }), fc.oneof(ipv4, ipv6), (ranges, bytes) => {
        const address = ipaddr.fromByteArray(bytes);
        const expected = ranges.some((text) => {
          const [base, prefix] = ipaddr.parseCIDR(text);
          return base.kind() === address.kind() && address.match(base, prefix);
        });
        inside += expected ? 1 : 0;
        expect(compileAllowlist(ranges).contains(print(bytes))).toBe(expected);
      }),
      { numRuns: 3_000 },
    );
    expect(inside).toBeGreaterThan(300);
  });

  it('contains each of thousands of ranges and no address between them', () => {
    const hosts = Array.from({ length: 4_000 }, (_, index) =>
      formatAddress({ family: 4, value: index * 2 + 2 ** 31 }),
    );
    const sites = Array.from({ length: 4_000 }, (_, index) => `2001:db8:${(index * 2).toString(16)}::/48`);
    const list = compileAllowlist([...hosts, ...sites]);
    for (const host of hosts) {
      expect(list.contains(host)).toBe(true);
      const value = Number(parseAddress(host)?.value) + 1;
      expect(list.contains(formatAddress({ family: 4, value }))).toBe(false);
    }
    for (let index = 0; index < 4_000; index++) {
      expect(list.contains(`2001:db8:${(index * 2).toString(16)}:9::1`)).toBe(true);
      expect(list.contains(`2001:db8:${(index * 2 + 1).toString(16)}:9::1`)).toBe(false);
    }
  });
});

function network(bytes: readonly number[], prefix: number): number[] {
  return bytes.map((byte, index) => byte & (0xff00 >> Math.min(8, Math.max(0, prefix - index * 8))) & 0xff);
}

function print(bytes: readonly number[]): string {
  return bytes.length === 4 ? bytes.join('.') : ipaddr.fromByteArray([...bytes]).toString();
}
