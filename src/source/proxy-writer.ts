/** Writes the PROXY protocol header, v2, which states the client of a connection to a host (haproxy.org, proxy-protocol.txt §2.2). */
import { type Address, parseAddress } from './address.ts';

/** Source or destination of the client's connection. */
export interface ProxyEndpoint {
  readonly address: string;
  readonly port: number;
}

interface ProxyFacts {
  /** null: unknown. */
  readonly source: ProxyEndpoint | null;
  /** The address that the client connected to; null: unknown. */
  readonly destination: ProxyEndpoint | null;
  /** Value of PP2_TYPE_UNIQUE_ID, at most 128 bytes. */
  readonly uniqueId: string;
}

const signature = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');
const command = { local: 0x20, proxy: 0x21 } as const;
const family = { unspecified: 0x00, ipv4: 0x11, ipv6: 0x21 } as const;
const uniqueIdType = 0x05;

/** The header for connections of the gateway itself, such as health checks (LOCAL). */
export const localProxyHeader = header(command.local, family.unspecified, Buffer.alloc(0));

/** If one of the addresses is unknown, the header states none (UNSPEC); it never states the gateway's own. */
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

/** Removes the zone of a link-local address, which has a meaning on this machine only. */
export function withoutZone(address: string): string {
  return address.replace(/%.*$/s, '');
}

function header(versionAndCommand: number, familyAndProtocol: number, body: Buffer): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(body.length);
  return Buffer.concat([signature, Buffer.of(versionAndCommand, familyAndProtocol), length, body]);
}

/** Both addresses must have the same family: next to an IPv6 address, an IPv4 address is written as IPv4-mapped (RFC 4291 §2.5.5.2). */
function bytesOf({ family, value }: Address, short: boolean): Buffer {
  if (short) return Buffer.from(Number(value).toString(16).padStart(8, '0'), 'hex');
  const long = family === 4 ? 0xffff_0000_0000n + BigInt(value) : value;
  return Buffer.from(long.toString(16).padStart(32, '0'), 'hex');
}
