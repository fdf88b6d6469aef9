/** The written header, parsed by the parser of received headers. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatAddress, parseAddress } from '../../src/source/address.ts';
import { parseProxyHeader } from '../../src/source/proxy-parser.ts';
import { formatProxyHeader, localProxyHeader } from '../../src/source/proxy-writer.ts';

const end = (address: string, port: number) => ({ address, port });
const uniqueId = 'a-1';
const tlv = `050003${Buffer.from(uniqueId).toString('hex')}`;
const signature = '0d0a0d0a000d0a515549540a';

describe('a header has', () => {
  it.each([
    [
      'the addresses and ports of IPv4',
      end('203.0.113.7', 40001),
      end('192.0.2.1', 443),
      '2111' + '0012' + 'cb007107' + 'c0000201' + '9c41' + '01bb',
    ],
    [
      'the addresses and ports of IPv6',
      end('2001:db8::9', 1),
      end('::1', 65535),
      '2121' +
        '002a' +
        '20010db8000000000000000000000009' +
        '00000000000000000000000000000001' +
        '0001' +
        'ffff',
    ],
    [
      'a mapped address where only the other is of IPv6',
      end('2001:db8::9', 1),
      end('192.0.2.1', 2),
      '2121' +
        '002a' +
        '20010db8000000000000000000000009' +
        '00000000000000000000ffffc0000201' +
        '0001' +
        '0002',
    ],
    [
      'IPv4 where a dual-stack socket names a mapped address',
      end('203.0.113.7', 1),
      end('::ffff:192.0.2.1', 2),
      '2111' + '0012' + 'cb007107' + 'c0000201' + '0001' + '0002',
    ],
    [
      'no zone',
      end('fe80::1%eth0', 1),
      end('fe80::2%eth0', 2),
      '2121' +
        '002a' +
        'fe800000000000000000000000000001' +
        'fe800000000000000000000000000002' +
        '0001' +
        '0002',
    ],
    ['no address where the source is not known', null, end('192.0.2.1', 2), '21000006'],
    ['no address where the destination is not known', end('192.0.2.1', 2), null, '21000006'],
    ['no address where the source is none', end('', 1), end('192.0.2.1', 2), '21000006'],
  ])('%s, followed by the unique id', (_what, source, destination, hex) => {
    expect(formatProxyHeader({ source, destination, uniqueId }).toString('hex')).toBe(signature + hex + tlv);
  });
});

it('states no addresses with the command LOCAL', () => {
  expect(localProxyHeader.toString('hex')).toBe(`${signature}20000000`);
  expect(parseProxyHeader(localProxyHeader)).toEqual({ kind: 'header', length: 16, source: null });
});

it('is parsed to the source that it was written with, for any two addresses', () => {
  const address = fc.oneof(
    fc.ipV4(),
    fc.ipV6().filter((text) => parseAddress(text) !== null),
  );
  const ends = fc.record({ address, port: fc.integer({ min: 0, max: 65_535 }) });
  fc.assert(
    fc.property(ends, ends, (source, destination) => {
      const bytes = formatProxyHeader({ source, destination, uniqueId: 'x'.repeat(100) });
      const canonical = parseAddress(source.address);
      expect(parseProxyHeader(bytes)).toEqual({
        kind: 'header',
        length: bytes.length,
        source: { address: canonical && formatAddress(canonical), port: source.port },
      });
    }),
  );
});
