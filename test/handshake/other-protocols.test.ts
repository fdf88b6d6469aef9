import { describe, expect, it } from 'vitest';
import { explainProtocol, isSslv2Hello } from '../../src/handshake/other-protocols.ts';

const hex = (text: string) => Buffer.from(text, 'hex');
const latin1 = (text: string) => Buffer.from(text, 'latin1');

describe('the first bytes of another protocol', () => {
  it.each<[string, Buffer, string]>([
    ['an HTTP/2 preface', latin1('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), 'plain_http2'],
    [
      'an HTTP request of a method that OpenSSL does not know',
      latin1('TRACE / HTTP/1.1\r\n\r\n'),
      'plain_http',
    ],
    ['an HTTP request of a proxy’s client', latin1('FETCH http://a/ HTTP/1.1\r\n\r\n'), 'plain_http'],
    ['a PROXY header', latin1('PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n'), 'unexpected_proxy_header'],
    ['a PROXY header of an unknown peer', latin1('PROXY UNKNOWN\r\n'), 'unexpected_proxy_header'],
    ['a PROXY header of version 2', hex('0d0a0d0a000d0a515549540a20000000'), 'unexpected_proxy_header'],
  ])('has a reason of its own: %s', (_what, bytes, reason) => {
    expect(explainProtocol(bytes)?.reason).toBe(reason);
  });

  it.each<[string, Buffer]>([
    ['SSH', latin1('SSH-2.0-Go\r\n')],
    ['SMTP', latin1('EHLO a\r\n')],
    ['SIP', latin1('OPTIONS sip:a SIP/2.0\r\n')],
    ['RTSP', latin1('DESCRIBE rtsp://a RTSP/1.0\r\n')],
    ['FTP, POP3 or IMAP', latin1('a1 CAPABILITY\r\n')],
    ['Redis', latin1('*1\r\n$4\r\nPING\r\n')],
    ['XML', latin1('<?xml version="1.0"?>')],
    ['JSON', latin1('{"pan":"4111111111111111"}')],
    ['RDP', hex('030000130ee000000000000100080003000000')],
    ['SMB', hex('00000045ff534d4272000000')],
    ['PostgreSQL', hex('0000000804d2162f')],
    ['MQTT', hex('101000044d51545404020')],
    ['LDAP', hex('300c020101600702010304008000')],
    ['LDAP', hex('3084000000300201016084000000270201030400a38400')],
    ['SNMP', hex('302902010104067075626c6963a01c')],
    ['PostgreSQL', hex('000000540003000075736572')],
    ['ISO 8583', Buffer.concat([hex('0014'), latin1('08008220000000000000')])],
    ['ISO 8583', Buffer.concat([hex('00000014'), latin1('0800'), hex('8220000000000000')])],
    ['ISO 8583', latin1('0044ISO0234000700800822000000000000004000000')],
    ['ISO 8583', hex('0020600001000001007234054808c00000')],
    ['ISO 8583', hex('000c0100723405480000000000')],
    // dig +tcp, whose ID is the type of a network message, and sets the bit that a trace number has.
    ['DNS', hex('001d08000120000100000000000007657861')],
    [
      'DNS',
      Buffer.concat([hex('001d010001000001000000000000'), latin1('\x07example\x03com\x00'), hex('00010001')]),
    ],
    // Nmap's version.bind and status request.
    ['DNS', hex('001e000601000001000000000000')],
    ['DNS', hex('000c000010000000000000000000')],
  ])('is named: %s', (name, bytes) => {
    const { reason, detail } = explainProtocol(bytes) ?? {};
    expect(reason).toBe('other_protocol');
    expect(detail).toMatch(`those of ${name} without TLS. `);
    expect(detail).not.toMatch(/\d{6}/);
  });

  it.each([
    ['garbage', Buffer.alloc(64, 0xff)],
    ['zeros', Buffer.alloc(64)],
    ['a TLS record', hex('1603010200010001fc0303')],
    // Their lengths look like types of ISO 8583.
    ['Diameter', hex('0100011080000101000000000000000100000002')],
    ['Kafka', hex('00000110001200030000000100076d79617070')],
    ['a length before digits', latin1('0018010000000000000000')],
    ['a message type alone', hex('00200100')],
    ['more bytes than the length', Buffer.concat([hex('000c08008220000000000000'), Buffer.alloc(64)])],
    ['one byte', hex('47')],
    ['nothing', hex('')],
  ])('is not guessed: %s', (_what, bytes) => {
    expect(explainProtocol(bytes)).toBe(null);
  });

  it('of SSL 2.0 is a ClientHello only with the type of one', () => {
    expect(isSslv2Hello(hex('802e0100020015'))).toBe(true);
    expect(isSslv2Hello(hex('802e0200020015'))).toBe(false);
    expect(isSslv2Hello(hex('1603010200'))).toBe(false);
  });
});
