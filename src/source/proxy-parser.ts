/** Parses the PROXY protocol header, v1 and v2, which a trusted load balancer sends before the client's bytes (haproxy.org, proxy-protocol.txt). */
import { type Address, canonicalNumber, formatAddress, parseAddress } from './address.ts';

/** The client's address that the header states. */
export interface ProxySource {
  readonly address: string;
  readonly port: number;
}

export type ProxyHeader =
  /** The beginning of a header: more bytes are needed. */
  | { readonly kind: 'incomplete' }
  | { readonly kind: 'invalid'; readonly why: string }
  /** `length`: bytes of the header. `source`: null if the header states no client and the socket's peer counts (LOCAL, UNKNOWN, UNSPEC). */
  | { readonly kind: 'header'; readonly length: number; readonly source: ProxySource | null };

/** §2.1: "PROXY UNKNOWN" with two full-length addresses, ports and CRLF. */
const maxV1Bytes = 107;
/** §2.2: length of the fixed part. */
const v2HeadBytes = 16;
/** Limit for addresses and TLVs. The protocol allows 64 KiB; real load balancers send some dozens of bytes. */
const maxV2BodyBytes = 4096;

const v1Start = Buffer.from('PROXY ', 'latin1');
const v2Signature = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');

const incomplete: ProxyHeader = { kind: 'incomplete' };

/** Parses the bytes received so far. Reports an invalid header as early as possible; never throws. */
export function parseProxyHeader(bytes: Buffer): ProxyHeader {
  if (startsLike(bytes, v2Signature)) return bytes.length < v2HeadBytes ? incomplete : parseV2(bytes);
  if (startsLike(bytes, v1Start)) return bytes.length < v1Start.length ? incomplete : parseV1(bytes);
  return invalid('no PROXY signature');
}

/** §2.1: one line of text, single spaces, canonical decimal ports, CRLF. */
function parseV1(bytes: Buffer): ProxyHeader {
  const end = bytes.subarray(0, maxV1Bytes).indexOf('\r\n');
  if (end < 0) return bytes.length < maxV1Bytes ? incomplete : invalid('v1 line without CRLF in 107 bytes');
  const length = end + 2;
  const fields = bytes.toString('latin1', v1Start.length, end).split(' ');
  const [protocol, source = '', destination = '', sourcePort = '', destinationPort = ''] = fields;
  // §2.1: everything between UNKNOWN and CRLF must be ignored.
  if (protocol === 'UNKNOWN') return { kind: 'header', length, source: null };
  if (protocol !== 'TCP4' && protocol !== 'TCP6')
    return invalid('v1 protocol other than TCP4, TCP6, UNKNOWN');
  if (fields.length !== 5) return invalid('v1 line without exactly two addresses and two ports');
  const address = v1Address(source, protocol);
  if (address === null || v1Address(destination, protocol) === null)
    return invalid(`v1 address not ${protocol}`);
  const port = canonicalNumber(sourcePort, 65_535);
  if (port < 0 || canonicalNumber(destinationPort, 65_535) < 0) return invalid('v1 port');
  return { kind: 'header', length, source: { address: formatAddress(address), port } };
}

/** §2.2: signature, version and command, family and protocol, length, addresses, TLVs. TLVs are ignored. */
function parseV2(bytes: Buffer): ProxyHeader {
  const versionAndCommand = bytes.readUInt8(12);
  if (versionAndCommand !== 0x20 && versionAndCommand !== 0x21) return invalid('v2 version or command');
  const family = bytes.readUInt8(13);
  const bodyLength = bytes.readUInt16BE(14);
  if (bodyLength > maxV2BodyBytes) return invalid('v2 header beyond 4096 bytes');
  // LOCAL: a connection of the load balancer itself; its family is ignored. UNSPEC: the addresses are unknown.
  const addressBytes = versionAndCommand === 0x20 ? 0 : v2AddressBytes[family];
  if (addressBytes === undefined) return invalid('v2 family other than UNSPEC, TCP over IPv4, TCP over IPv6');
  if (bodyLength < addressBytes * 2 + (addressBytes === 0 ? 0 : 4))
    return invalid('v2 length below its addresses');
  const length = v2HeadBytes + bodyLength;
  if (bytes.length < length) return incomplete;
  if (addressBytes === 0) return { kind: 'header', length, source: null };
  const port = bytes.readUInt16BE(v2HeadBytes + addressBytes * 2);
  return { kind: 'header', length, source: { address: v2Address(bytes, addressBytes), port } };
}

/** Family and protocol byte → bytes of one address. UDP and UNIX sockets cannot occur with a TLS listener. */
const v2AddressBytes: Readonly<Record<number, number>> = { 0: 0, 17: 4, 33: 16 };

function v1Address(text: string, protocol: 'TCP4' | 'TCP6'): Address | null {
  return (protocol === 'TCP6') === text.includes(':') ? parseAddress(text) : null;
}

/** Parsed from its text form, so that an IPv4-mapped address becomes IPv4. */
function v2Address(bytes: Buffer, addressBytes: number): string {
  const raw = bytes.subarray(v2HeadBytes, v2HeadBytes + addressBytes);
  const text = addressBytes === 4 ? raw.join('.') : (raw.toString('hex').match(/.{4}/g) ?? []).join(':');
  const address = parseAddress(text);
  return address === null ? text : formatAddress(address);
}

function startsLike(bytes: Buffer, start: Buffer): boolean {
  const length = Math.min(bytes.length, start.length);
  return bytes.compare(start, 0, length, 0, length) === 0;
}

function invalid(why: string): ProxyHeader {
  return { kind: 'invalid', why };
}
