/** Recognizes protocols other than TLS by the first bytes of a connection, so that its record can name them. */
import { type Failure, failure } from './failure-reasons.ts';

interface Protocol {
  readonly name: string;
  readonly begins: RegExp;
}

/** Matched against the bytes as latin1. What a client sends may be card data: nothing of it is ever quoted. */
const textProtocols: readonly Protocol[] = [
  { name: 'SSH', begins: /^SSH-/ },
  { name: 'SMTP', begins: /^(EHLO|HELO|LHLO|MAIL FROM|QUIT)\b/i },
  { name: 'SIP', begins: /^(INVITE|OPTIONS|REGISTER) sips?:/ },
  { name: 'RTSP', begins: /^[A-Z]+ \S+ RTSP\// },
  { name: 'FTP, POP3 or IMAP', begins: /^(USER |AUTH |CAPA\b|\w+ (CAPABILITY|LOGIN|STARTTLS)\b)/ },
  { name: 'Redis', begins: /^(\*\d+\r\n\$|PING\r\n|INFO\r\n)/ },
  { name: 'XML', begins: /^\s*<(\?xml|soap)/i },
  { name: 'JSON', begins: /^\s*[{[]\s*"/ },
];

/** Matched against the bytes as hex digits. */
const binaryProtocols: readonly Protocol[] = [
  // TPKT with a connection request of X.224.
  { name: 'RDP', begins: /^0300.{6}e0/ },
  { name: 'SMB', begins: /^00.{6}f[ef]534d42/ },
  { name: 'PostgreSQL', begins: /^0000000804d216[23][0f]/ },
  { name: 'MQTT', begins: /^10..000[46]4d51/ },
  { name: 'LDAP', begins: /^30[0-7].0201/ },
  // A message type such as 0100 or 0800, in ASCII or packed digits, behind a length, and perhaps a header (ISO…, TPDU).
  { name: 'ISO 8583', begins: /^(0...|(3\d){4})(49534f(3\d){9})?3[01]3[1-8]3[0-3]3[0-5]/ },
  { name: 'ISO 8583', begins: /^0...(60.{8})?[01][1-8][0-3][0-5]/ },
];

const http2Preface = /^PRI \*/;
const httpRequest = /^[A-Z]{3,20} [/*]\S* ?(HTTP\/|$)|^[A-Z]{3,20} https?:\/\//;
const proxyHeader1 = /^PROXY (TCP[46]|UNKNOWN|$)/;
const proxyHeader2 = Buffer.from('0d0a0d0a000d0a515549540a', 'hex');

/** Of bytes that are not TLS; null: the protocol is not known. */
export function explainProtocol(bytes: Buffer): Failure | null {
  const text = bytes.toString('latin1', 0, 256);
  if (http2Preface.test(text)) return failure('plain_http2');
  if (proxyHeader1.test(text) || bytes.indexOf(proxyHeader2) === 0) return failure('unexpected_proxy_header');
  if (httpRequest.test(text)) return failure('plain_http');
  const hex = bytes.toString('hex', 0, 32);
  const known =
    textProtocols.find(({ begins }) => begins.test(text)) ??
    binaryProtocols.find(({ begins }) => begins.test(hex));
  return known === undefined
    ? null
    : failure('other_protocol', `the first bytes are those of ${known.name} without TLS`);
}

/** A ClientHello in the format of SSL 2.0, which OpenSSL accepts and answers with TLS 1.2 (RFC 5246 appendix E.2). */
export function isSslv2Hello(bytes: Buffer): boolean {
  const [first = 0, , type] = bytes;
  return first >= 0x80 && type === 1;
}
