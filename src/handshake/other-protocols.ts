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
  // A request for TLS or GSSAPI, to cancel a query, or to start a session without TLS.
  { name: 'PostgreSQL', begins: /^0000000804d216(2[ef]|30)|^0000....00030000/ },
  { name: 'MQTT', begins: /^10([89a-f].)?..000[46]4d51/ },
  // A sequence that begins with the message ID and an operation, or with the version and a community.
  { name: 'LDAP', begins: /^30([0-7].|81..|82.{4}|84.{8})02(01..|02.{4})[4-7]/ },
  { name: 'SNMP', begins: /^30([0-7].|81..|82.{4})0201(0[01]04|0330)/ },
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
  const name = known?.name ?? (isDns(bytes) ? 'DNS' : isIso8583(bytes) ? 'ISO 8583' : null);
  return name === null ? null : failure('other_protocol', `the first bytes are those of ${name} without TLS`);
}

/** A query over TCP (RFC 1035 §4.1.1, §4.2.2), whose ID can look like the type of an ISO 8583 message. */
function isDns(bytes: Buffer): boolean {
  if (bytes.length < 14 || !fitsLength(bytes.readUInt16BE(0), bytes.length - 2)) return false;
  const [flags, questions, answers, authorities, additional] = [4, 6, 8, 10, 12].map((at) =>
    bytes.readUInt16BE(at),
  ) as [number, number, number, number, number];
  // A query, or a status request, which has no question: the bits of a response and the reserved one are 0.
  return (flags & 0x80cf) === 0 && questions <= 1 && answers === 0 && authorities <= 1 && additional <= 2;
}

/** Such as `0800822000000000`: the type, and the bit map of the fields that follow. */
const headers = {
  digits: /^(?:ISO\d{9})?[0-2][1-8][0-4][0-5]([\dA-Fa-f]{16}|(?![\dA-Fa-f]{8})[\s\S]{8})/,
  packed: /^(?:60.{8})?[0-2][1-8][0-4][0-5](.{16})/,
} as const;

/** A message of ISO 8583 behind its length (two bytes, four bytes, or four digits), and perhaps a header (ISO…, TPDU). */
function isIso8583(bytes: Buffer): boolean {
  const digits = /^\d{4}/.exec(bytes.toString('latin1', 0, 4))?.[0];
  const lengths: [size: number, length: number][] = [
    [2, bytes.length < 2 ? 0 : bytes.readUInt16BE(0)],
    [4, bytes.length < 4 ? 0 : bytes.readUInt32BE(0)],
    [4, Number(digits ?? 0)],
  ];
  return lengths.some(([size, length]) => {
    const rest = bytes.subarray(size);
    // A length may include itself.
    return (fitsLength(length, rest.length) || length === bytes.length) && isMessage(rest);
  });
}

/** Message of at least a type, a bit map and a number, and of 9,999 digits at most. */
function fitsLength(length: number, received: number): boolean {
  return length >= 12 && length <= 9_999 && length >= received;
}

/** With the field 11 (system trace audit number), which every message that begins an exchange has. */
function isMessage(bytes: Buffer): boolean {
  const bitmap = headers.digits.exec(bytes.toString('latin1', 0, 64))?.[1];
  const packed = headers.packed.exec(bytes.toString('hex', 0, 32))?.[1];
  const maps = [
    bitmap?.length === 16 ? Buffer.from(bitmap, 'hex') : Buffer.from(bitmap ?? '', 'latin1'),
    Buffer.from(packed ?? '', 'hex'),
  ];
  return maps.some((map) => ((map[1] ?? 0) & 0x20) !== 0);
}

/** A ClientHello in the format of SSL 2.0, which OpenSSL accepts and answers with TLS 1.2 (RFC 5246 appendix E.2). */
export function isSslv2Hello(bytes: Buffer): boolean {
  const [first = 0, , type] = bytes;
  return first >= 0x80 && type === 1;
}
