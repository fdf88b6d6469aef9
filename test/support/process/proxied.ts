/** A forwarder before a test host that removes and records the PROXY header of each connection. */
import { connect as connectTcp, createServer } from 'node:net';
import { type Listening, listenOnLoopback } from './listening.ts';

/** One header, parsed without the gateway's parser. */
export interface Header {
  readonly command: 'LOCAL' | 'PROXY';
  /** `address:port` of the source, in hex for IPv6; null if it states none. */
  readonly source: string | null;
  readonly destination: string | null;
  /** PP2_TYPE_UNIQUE_ID. */
  readonly uniqueId: string | null;
}

export interface Proxied extends Listening {
  /** In the order of connecting. */
  readonly headers: Header[];
}

const signature = '0d0a0d0a000d0a515549540a';

/** A connection without a v2 header is closed, and does not reach the host. */
export async function openProxied(to: { readonly port: number }): Promise<Proxied> {
  const headers: Header[] = [];
  const server = createServer({ noDelay: true }, (socket) => {
    socket.on('error', () => {});
    let bytes: Buffer = Buffer.alloc(0);
    const onData = (chunk: Buffer) => {
      bytes = Buffer.concat([bytes, chunk]);
      if (bytes.length < 16) return;
      const length = 16 + bytes.readUInt16BE(14);
      if (bytes.toString('hex', 0, 12) !== signature || (bytes[12] ?? 0) >> 4 !== 2) return socket.destroy();
      if (bytes.length < length) return;
      socket.off('data', onData);
      headers.push(read(bytes.subarray(0, length)));
      const inner = connectTcp({ port: to.port, host: '127.0.0.1', noDelay: true }).on('error', () => {});
      inner.write(bytes.subarray(length));
      socket.pipe(inner).pipe(socket);
    };
    socket.on('data', onData);
  });
  return { ...(await listenOnLoopback(server)), headers };
}

function read(bytes: Buffer): Header {
  const size = { 17: 4, 33: 16 }[bytes[13] ?? 0] ?? 0;
  const end = (index: number) => {
    if (size === 0) return null;
    const address = bytes.subarray(16 + index * size, 16 + (index + 1) * size);
    const port = bytes.readUInt16BE(16 + 2 * size + 2 * index);
    return `${size === 4 ? address.join('.') : address.toString('hex')}:${port}`;
  };
  const tlv = bytes.subarray(size === 0 ? 16 : 16 + 2 * size + 4);
  return {
    command: ((bytes[12] ?? 0) & 15) === 0 ? 'LOCAL' : 'PROXY',
    source: end(0),
    destination: end(1),
    uniqueId: tlv[0] === 5 ? tlv.toString('latin1', 3, 3 + tlv.readUInt16BE(1)) : null,
  };
}
