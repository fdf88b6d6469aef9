import fc from 'fast-check';
import ipaddr from 'ipaddr.js';
import { describe, expect, it } from 'vitest';
import { formatAddress, ipv4Value, parseAddress, parseRange } from '../../src/source/address.ts';

describe('an address', () => {
  it.each([
    ['192.0.2.1', '192.0.2.1'],
    ['0.0.0.0', '0.0.0.0'],
    ['255.255.255.255', '255.255.255.255'],
    ['2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
    ['::', '::'],
    ['::1', '::1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::FFFF:c000:201', '192.0.2.1'],
    ['0:0:0:0:0:ffff:192.0.2.1', '192.0.2.1'],
    ['64:ff9b::192.0.2.1', '64:ff9b::c000:201'],
  ])('%s is formatted as %s', (text, printed) => {
    const address = parseAddress(text);
    expect(address && formatAddress(address)).toBe(printed);
  });

  it.each([
    ['', 'empty'],
    ['192.0.2', 'short'],
    ['3221225985', 'one number'],
    ['192.0.513', 'three parts'],
    ['0300.0.2.1', 'octal'],
    ['192.0.2.01', 'leading zero'],
    ['192.0.2.00', 'leading zero'],
    ['0xc0.0.2.1', 'hex'],
    ['192.0.2.256', 'octet out of range'],
    ['192.0.2.1.', 'trailing dot'],
    ['192.0.2.1.5', 'five parts'],
    ['192..2.1', 'empty part'],
    ['.192.0.2.1', 'leading dot'],
    [' 192.0.2.1', 'space before'],
    ['192.0.2.1 ', 'space behind'],
    ['192.0.2.1\n', 'newline behind'],
    ['+1.0.2.1', 'sign'],
    ['١.0.2.1', 'digits of another script'],
    ['fe80::1%eth0', 'zone'],
    ['::192.0.2.1', 'IPv4-compatible'],
    ['::ffff:192.0.2.010', 'octal within a mapped address'],
    ['::ffff:192.0.2', 'short within a mapped address'],
    ['1::2::3', 'two compressions'],
    ['2001:db8:::1', 'three colons'],
    ['1:2:3:4:5:6:7', 'seven groups'],
    ['1:2:3:4:5:6:7:8:9', 'nine groups'],
    ['2001:db8::12345', 'five digits in a group'],
    ['[::1]', 'brackets'],
    ['::1/128', 'prefix'],
    ['example.com', 'name'],
  ])('%j is invalid: %s', (text) => {
    expect(parseAddress(text)).toBeNull();
  });

  it('is unchanged by formatting and parsing, and has the bytes that ipaddr.js parses', () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (text) => {
        const address = parseAddress(text);
        // What fast-check writes as `::a.b.c.d` is refused on purpose.
        if (address === null) return /^::\d+\./.test(text);
        const printed = formatAddress(address);
        expect(parseAddress(printed)).toEqual(address);
        expect(printed).toBe(
          ipaddr.process(text).kind() === 'ipv4'
            ? ipaddr.process(text).toString()
            : ipaddr.IPv6.parse(text).toRFC5952String(),
        );
        return true;
      }),
    );
  });

  it('is parsed from any text without an exception, and IPv4 only in its canonical spelling', () => {
    const near = fc.string({ unit: fc.constantFrom(...'0123456789.:abcfx%/ -'), maxLength: 24 });
    fc.assert(
      fc.property(near, (text) => {
        parseAddress(text);
        parseRange(text);
        expect(ipv4Value(text) >= 0).toBe(ipaddr.IPv4.isValidFourPartDecimal(text));
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('a range', () => {
  it.each([
    ['203.0.113.7', 4, '203.0.113.7', 32],
    ['203.0.113.0/24', 4, '203.0.113.0', 24],
    ['0.0.0.0/0', 4, '0.0.0.0', 0],
    ['128.0.0.0/1', 4, '128.0.0.0', 1],
    ['2001:db8::/48', 6, '2001:db8::', 48],
    ['2001:db8::1', 6, '2001:db8::1', 128],
    ['::/0', 6, '::', 0],
    ['::ffff:203.0.113.0/120', 4, '203.0.113.0', 24],
    ['::ffff:203.0.113.7', 4, '203.0.113.7', 32],
    ['::ffff:0:0/96', 4, '0.0.0.0', 0],
  ])('%s is an IPv%i range from %s with prefix %i', (text, family, first, prefix) => {
    const range = parseRange(text);
    expect(range).toMatchObject({ family, prefix });
    expect(range && formatAddress(range)).toBe(first);
  });

  it.each([
    ['203.0.113.7/24', 'bits after the prefix'],
    ['1.2.3.4/0', 'bits after an empty prefix'],
    ['2001:db8::1/48', 'bits after the prefix'],
    ['::ffff:203.0.113.7/120', 'bits after the prefix of a mapped range'],
    ['203.0.113.0/33', 'prefix out of range'],
    ['2001:db8::/129', 'prefix out of range'],
    ['203.0.113.0/024', 'leading zero in the prefix'],
    ['203.0.113.0/-1', 'negative prefix'],
    ['203.0.113.0/+24', 'signed prefix'],
    ['203.0.113.0/', 'empty prefix'],
    ['203.0.113.0/24/24', 'two prefixes'],
    ['203.0.113.0/2.4', 'fraction'],
    ['203.0.113.0/255.255.255.0', 'netmask'],
    ['203.0.113/24', 'short form'],
    ['010.0.0.0/8', 'octal'],
    ['::ffff:0:0/95', 'reaches beyond the mapped addresses'],
    ['::ffff:0:0/0', 'reaches beyond the mapped addresses'],
    ['fe80::%eth0/64', 'zone'],
    ['', 'empty'],
    ['/0', 'no address'],
    ['any', 'word'],
  ])('%j is invalid: %s', (text) => {
    expect(parseRange(text)).toBeNull();
  });
});
