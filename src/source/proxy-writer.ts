/** Writes the PROXY protocol header, v2, that tells a host whom a connection speaks for (haproxy.org, proxy-protocol.txt §2.2). */
import { type Address, parseAddress } from './address.ts';

/** An end of the client's connection; the address as text. */
export interface ProxyEndpoint {
  readonly address: string;
  readonly port: number;
}

interface ProxyFacts {
  /** null: not known. */
  readonly source: ProxyEndpoint | null;
  /** What the client connected to; null: not known. */
  readonly destination: ProxyEndpoint | null;
  /** For PP2_TYPE_UNIQUE_ID, at most 128 bytes. */
  readonly uniqueId: string;
}

const signature = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');
const command = { local: 0x20, proxy: 0x21 } as const;
const family = { unspecified: 0x00, ipv4: 0x11, ipv6: 0x21 } as const;
const uniqueIdType = 0x05;

/** Before a connection of the gateway's own, as a health check: it speaks for nobody. */
export const localProxyHeader = header(command.local, family.unspecified, Buffer.alloc(0));

/** Where an end is not known the host is told of no addresses, and never of the gateway's own. */
export function formatProxyHeader({ source, destination, uniqueId }: ProxyFacts): Buffer {
  const id = Buffer.from(uniqueId, 'latin1');
  const tlv = Buffer.concat([Buffer.of(uniqueIdType, 0, id.length), id]);
  const [from, to] = [source, destination].map((end) => end && parseAddress(withoutZone(end.address)));
  if (source == null || destination == null || from == null || to == null) {
    return header(command.proxy, family.unspecified, tlv);
  }
  const short = from.family === 4 && to.family === 4;
  const ports = Buffer.alloc(4);
  ports.writeUInt16BE(source.port, 0);
  ports.writeUInt16BE(destination.port, 2);
  const addresses = Buffer.concat([bytesOf(from, short), bytesOf(to, short), ports]);
  return header(command.proxy, short ? family.ipv4 : family.ipv6, Buffer.concat([addresses, tlv]));
}

/** A link-local peer's zone is the gateway's own name for a link. */
export function withoutZone(address: string): string {
  return address.replace(/%.*$/s, '');
}

function header(versionAndCommand: number, familyAndProtocol: number, body: Buffer): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(body.length);
  return Buffer.concat([signature, Buffer.of(versionAndCommand, familyAndProtocol), length, body]);
}

/** Beside an IPv6 address an IPv4 one is written as mapped (RFC 4291 §2.5.5.2): both ends are of one family here. */
function bytesOf({ family, value }: Address, short: boolean): Buffer {
  if (short) return Buffer.from(Number(value).toString(16).padStart(8, '0'), 'hex');
  const long = family === 4 ? 0xffff_0000_0000n + BigInt(value) : value;
  return Buffer.from(long.toString(16).padStart(32, '0'), 'hex');
}
