/** Recognizes protocols other than TLS by the first bytes of a connection, so that its record can name them. */
import { type Failure, failure } from './failure-reasons.ts';

interface Protocol {
  readonly name: string;
  readonly begins: RegExp;
}

/** Matched against the bytes as latin1. What a client sends may be card data: nothing of it is ever quoted. */
const protocols: readonly Protocol[] = [
  { name: 'SSH', begins: /^SSH-/ },
  { name: 'SMTP', begins: /^(EHLO|HELO|LHLO|MAIL FROM|QUIT)\b/i },
  { name: 'SIP', begins: /^(INVITE|OPTIONS|REGISTER) sips?:/ },
  { name: 'RTSP', begins: /^[A-Z]+ \S+ RTSP\// },
  { name: 'FTP, POP3 or IMAP', begins: /^(USER |AUTH |CAPA\b|\w+ (CAPABILITY|LOGIN|STARTTLS)\b)/ },
  { name: 'Redis', begins: /^(\*\d+\r\n\$|PING\r\n|INFO\r\n)/ },
  { name: 'RDP', begins: /^\x03\x00\x00.\x0e?[\x00-\xff]?\xe0/s },
  { name: 'SMB', begins: /^\x00...[\xfe\xff]SMB/s },
  { name: 'PostgreSQL', begins: /^\x00\x00\x00\x08\x04\xd2\x16[\x2f\x30]/ },
  { name: 'LDAP', begins: /^\x30[\x0c-\x40]\x02\x01/ },
  { name: 'MQTT', begins: /^\x10.\x00[\x04\x06]MQ/s },
  // A message type (0100, 0800, …) behind a length of two or four bytes, perhaps with a header.
  { name: 'ISO 8583', begins: /^([\x00-\x0f].|\d{4})(ISO\d{9})?[0-2][1-8][0-9][0-5]/s },
  { name: 'ISO 8583', begins: /^[\x00-\x0f].(\x60.{4})?[\x01\x02\x04\x08][\x00\x10\x20\x30]/s },
  { name: 'XML', begins: /^\s*<\?xml|^\s*<soap/i },
  { name: 'JSON', begins: /^\s*[{[]\s*"/ },
];

const proxyHeader = /^(PROXY (TCP[46]|UNKNOWN)?|\r\n\r\n\0\r\nQUIT\n)/;
const http2Preface = /^PRI \*/;
const httpRequest = /^[A-Z]{3,20} [/*]\S* ?(HTTP\/|$)|^[A-Z]{3,20} https?:\/\//;

/** Of bytes that are not TLS; null: the protocol is not known. */
export function explainProtocol(bytes: Buffer): Failure | null {
  const text = bytes.toString('latin1', 0, 256);
  if (http2Preface.test(text)) return failure('plain_http2');
  if (proxyHeader.test(text)) return failure('unexpected_proxy_header');
  if (httpRequest.test(text)) return failure('plain_http');
  const name = protocols.find(({ begins }) => begins.test(text))?.name;
  return name === undefined
    ? null
    : failure('other_protocol', `the first bytes are those of ${name} without TLS`);
}

/** A ClientHello in the format of SSL 2.0, which OpenSSL accepts and answers with TLS 1.2 (RFC 5246 appendix E.2). */
export function isSslv2Hello(bytes: Buffer): boolean {
  const [first = 0, , type] = bytes;
  return first >= 0x80 && type === 1;
}
