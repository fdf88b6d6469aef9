import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseProxyHeader } from '../../src/source/proxy-parser.ts';

const signature = Buffer.from('0d0a0d0a000d0a515549540a', 'hex');
const tcp4 = Buffer.from('cb007107c6336401d8a420fb', 'hex');
const tcp6 = Buffer.concat([
  Buffer.from('20010db8000000000000000000000001', 'hex'),
  Buffer.from('20010db8000000000000000000000002', 'hex'),
  Buffer.from('d8a420fb', 'hex'),
]);

function v1(line: string): Buffer {
  return Buffer.from(line, 'latin1');
}

function v2(versionAndCommand: number, family: number, body: Buffer, stated = body.length): Buffer {
  const head = Buffer.from([versionAndCommand, family, stated >> 8, stated & 255]);
  return Buffer.concat([signature, head, body]);
}

describe('a PROXY v1 header', () => {
  it.each([
    ['PROXY TCP4 203.0.113.7 198.51.100.1 55460 8443\r\n', { address: '203.0.113.7', port: 55460 }],
    ['PROXY TCP4 0.0.0.0 255.255.255.255 0 65535\r\n', { address: '0.0.0.0', port: 0 }],
    ['PROXY TCP6 2001:DB8::1 2001:db8::2 1 2\r\n', { address: '2001:db8::1', port: 1 }],
    ['PROXY TCP6 ::ffff:203.0.113.7 ::ffff:198.51.100.1 1 2\r\n', { address: '203.0.113.7', port: 1 }],
    ['PROXY UNKNOWN\r\n', null],
    ['PROXY UNKNOWN whatever the balancer says\r\n', null],
    [`PROXY UNKNOWN ${'f'.repeat(91)}\r\n`, null],
  ])('%j states the source %j', (line, source) => {
    expect(parseProxyHeader(v1(line))).toEqual({ kind: 'header', length: line.length, source });
  });

  it.each([
    ['PROXY  TCP4 203.0.113.7 198.51.100.1 1 2\r\n', 'two spaces'],
    ['PROXY TCP4 203.0.113.7 198.51.100.1 1 2 \r\n', 'space at the end'],
    ['PROXY\tTCP4 203.0.113.7 198.51.100.1 1 2\r\n', 'tab'],
    ['PROXY TCP4 203.0.113.7 198.51.100.1 1\r\n', 'one port'],
    ['PROXY TCP4 203.0.113.7 198.51.100.1 1 2 3\r\n', 'three ports'],
    ['PROXY TCP4\r\n', 'no addresses'],
    ['PROXY TCP4 203.0.113.7 198.51.100.1 01 2\r\n', 'leading zero in a port'],
    ['PROXY TCP4 203.0.113.7 198.51.100.1 65536 2\r\n', 'port out of range'],
    ['PROXY TCP4 203.0.113.7 198.51.100.1 1 -2\r\n', 'signed port'],
    ['PROXY TCP4 203.0.113.07 198.51.100.1 1 2\r\n', 'leading zero in an address'],
    ['PROXY TCP4 2001:db8::1 2001:db8::2 1 2\r\n', 'IPv6 in TCP4'],
    ['PROXY TCP4 ::ffff:203.0.113.7 198.51.100.1 1 2\r\n', 'mapped address in TCP4'],
    ['PROXY TCP6 203.0.113.7 198.51.100.1 1 2\r\n', 'IPv4 in TCP6'],
    ['PROXY TCP6 fe80::1%eth0 fe80::2 1 2\r\n', 'zone'],
    ['PROXY TCP4 203.0.113.7 nowhere 1 2\r\n', 'destination that is no address'],
    ['PROXY UDP4 203.0.113.7 198.51.100.1 1 2\r\n', 'UDP'],
    ['PROXY UNKNOWNX\r\n', 'another protocol'],
    ['PROXY \r\n', 'nothing'],
    ['proxy UNKNOWN\r\n', 'lower case'],
    ['PROXX', 'another word'],
    ['GET / HTTP/1.1\r\n', 'HTTP'],
    ['\x16\x03\x01', 'TLS'],
    ['\r\n\r\n\r', 'a v2 signature that goes wrong'],
    ['PROXY TCP4 203.0.113.7 198.51.100.1 1 2\n\r\n', 'bare LF'],
    [`PROXY UNKNOWN ${'f'.repeat(92)}\r\n`, '108 bytes'],
    [`PROXY UNKNOWN ${'f'.repeat(4_000)}`, 'no end'],
  ])('%j is invalid: %s', (line) => {
    expect(parseProxyHeader(v1(line))).toMatchObject({ kind: 'invalid' });
  });
});

describe('a PROXY v2 header', () => {
  it.each([
    ['TCP over IPv4', v2(0x21, 0x11, tcp4), { address: '203.0.113.7', port: 55460 }],
    ['TCP over IPv6', v2(0x21, 0x21, tcp6), { address: '2001:db8::1', port: 55460 }],
    [
      'TLVs behind the addresses',
      v2(0x21, 0x11, Buffer.concat([tcp4, Buffer.alloc(300, 4)])),
      { address: '203.0.113.7', port: 55460 },
    ],
    [
      '4096 bytes',
      v2(0x21, 0x11, Buffer.concat([tcp4, Buffer.alloc(4084)])),
      { address: '203.0.113.7', port: 55460 },
    ],
    [
      'a mapped address',
      v2(0x21, 0x21, Buffer.from(`${'0'.repeat(20)}ffffcb007107${'0'.repeat(32)}00010002`, 'hex')),
      { address: '203.0.113.7', port: 1 },
    ],
    ['LOCAL', v2(0x20, 0x00, Buffer.alloc(0)), null],
    ['LOCAL with a family and addresses', v2(0x20, 0x11, tcp4), null],
    ['LOCAL with a family that PROXY may not have', v2(0x20, 0x31, Buffer.alloc(216)), null],
    ['UNSPEC', v2(0x21, 0x00, Buffer.alloc(0)), null],
    ['UNSPEC with bytes to skip', v2(0x21, 0x00, Buffer.alloc(36)), null],
  ])('with %s is valid', (_title, bytes, source) => {
    expect(parseProxyHeader(bytes)).toEqual({ kind: 'header', length: bytes.length, source });
  });

  it.each([
    ['version 1', v2(0x11, 0x11, tcp4)],
    ['version 3', v2(0x31, 0x11, tcp4)],
    ['an unknown command', v2(0x22, 0x11, tcp4)],
    ['UDP over IPv4', v2(0x21, 0x12, tcp4)],
    ['UDP over IPv6', v2(0x21, 0x22, tcp6)],
    ['a UNIX stream', v2(0x21, 0x31, Buffer.alloc(216))],
    ['an unknown family', v2(0x21, 0x41, tcp4)],
    ['IPv4 without a transport', v2(0x21, 0x10, tcp4)],
    ['UNSPEC with a transport', v2(0x21, 0x01, tcp4)],
    ['a length below its IPv4 addresses', v2(0x21, 0x11, tcp4, 11)],
    ['a length below its IPv6 addresses', v2(0x21, 0x21, tcp6, 35)],
    ['more than 4096 bytes', v2(0x21, 0x11, tcp4, 4097)],
    ['a length of 64 KiB for LOCAL', v2(0x20, 0x00, Buffer.alloc(0), 65_535)],
  ])('with %s is invalid', (_title, bytes) => {
    expect(parseProxyHeader(bytes)).toMatchObject({ kind: 'invalid' });
  });
});

describe('any PROXY header', () => {
  const headers = [
    v1('PROXY TCP4 203.0.113.7 198.51.100.1 55460 8443\r\n'),
    v1('PROXY UNKNOWN\r\n'),
    v2(0x21, 0x11, tcp4),
    v2(0x21, 0x21, Buffer.concat([tcp6, Buffer.alloc(50)])),
    v2(0x20, 0x00, Buffer.alloc(0)),
  ];

  it('is incomplete when cut anywhere, and complete with any bytes after it', () => {
    for (const header of headers) {
      const whole = parseProxyHeader(header);
      expect(whole).toMatchObject({ kind: 'header', length: header.length });
      for (let length = 0; length < header.length; length++) {
        expect(parseProxyHeader(header.subarray(0, length))).toEqual({ kind: 'incomplete' });
      }
      fc.assert(
        fc.property(fc.uint8Array(), (rest) => {
          expect(parseProxyHeader(Buffer.concat([header, rest]))).toEqual(whole);
        }),
      );
    }
  });

  it('is decided within 4112 bytes, whatever they are', () => {
    const start = fc.constantFrom(Buffer.alloc(0), v1('PROXY '), signature, ...headers);
    const rest = fc.uint8Array({ minLength: 4112, maxLength: 4112 });
    fc.assert(
      fc.property(start, rest, (first, then) => {
        expect(parseProxyHeader(Buffer.concat([first, then])).kind).not.toBe('incomplete');
      }),
    );
  });
});
