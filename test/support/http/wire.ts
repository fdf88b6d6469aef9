/** A wire between a client's TLS and the gateway: a test can insert bytes, and change a TLS 1.2 handshake. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { Duplex } from 'node:stream';

/** Handshake messages of TLS 1.2 that a client sends in the clear (RFC 5246 §7.4). */
export const handshakeTypes = {
  clientHello: 1,
  certificate: 11,
  certificateVerify: 15,
  clientKeyExchange: 16,
} as const;

/** Returns the body to send instead of this one; undefined leaves the message unchanged. */
export type Edit = (type: number, body: Buffer) => Buffer | undefined;

const handshakeRecord = 22;
const changeCipherSpec = 20;

/** For `tls.connect({ socket: wire })`. */
export class Wire extends Duplex {
  readonly transport: Socket;
  /** Resolves when the TCP connection is closed, also by a reset, where `once` would reject. */
  readonly disconnected: Promise<void>;
  readonly #edit: Edit | null;
  #bytes: Buffer = Buffer.alloc(0);
  #messages: Buffer = Buffer.alloc(0);
  #clear = true;

  constructor(transport: Socket, edit: Edit | null) {
    super({ allowHalfOpen: true });
    this.transport = transport;
    this.#edit = edit;
    transport.on('data', (bytes: Buffer) => this.push(bytes));
    transport.on('end', () => this.push(null)).on('error', () => {});
    this.disconnected = new Promise((resolve) => transport.once('close', () => resolve()));
    void this.disconnected.then(() => this.destroy());
  }

  /** Sends bytes after the client's own. */
  toGateway(bytes: Uint8Array): void {
    this.transport.write(bytes);
  }

  /** Lets the client read bytes that the gateway did not send. */
  toClient(bytes: Uint8Array): void {
    this.push(bytes);
  }

  override _read(): void {}

  override _write(bytes: Buffer, _encoding: BufferEncoding, done: () => void): void {
    if (this.#edit === null || !this.#clear) this.transport.write(bytes);
    else this.#forward(Buffer.concat([this.#bytes, bytes]), this.#edit);
    done();
  }

  override _final(done: () => void): void {
    this.transport.end();
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.transport.destroy();
    done(error);
  }

  /** Records are parsed until the client encrypts; incomplete ones are buffered. */
  #forward(bytes: Buffer, edit: Edit): void {
    let rest = bytes;
    while (rest.length >= 5 && rest.length >= 5 + rest.readUInt16BE(3)) {
      const record = rest.subarray(0, 5 + rest.readUInt16BE(3));
      rest = rest.subarray(record.length);
      if (record[0] === handshakeRecord && this.#clear) this.#forwardMessages(record.subarray(5), edit);
      else this.transport.write(record);
      if (record[0] === changeCipherSpec) this.#clear = false;
    }
    this.#bytes = rest;
  }

  #forwardMessages(bytes: Buffer, edit: Edit): void {
    let rest = Buffer.concat([this.#messages, bytes]);
    while (rest.length >= 4 && rest.length >= 4 + rest.readUIntBE(1, 3)) {
      const end = 4 + rest.readUIntBE(1, 3);
      const type = rest[0] as number;
      const body = rest.subarray(4, end);
      for (const record of recordsOf(type, edit(type, body) ?? body)) this.transport.write(record);
      rest = rest.subarray(end);
    }
    this.#messages = rest;
  }
}

export async function openWire(
  port: number,
  {
    edit = null,
    localAddress = '127.0.0.1',
  }: { readonly edit?: Edit | null; readonly localAddress?: string } = {},
): Promise<Wire> {
  const transport = connect({ port, host: '127.0.0.1', localAddress, noDelay: true });
  await once(transport, 'connect');
  return new Wire(transport, edit);
}

/** The body of a TLS 1.2 Certificate message (RFC 5246 §7.4.2). */
export function certificateMessage(...certificates: readonly Uint8Array[]): Buffer {
  const list = Buffer.concat(certificates.map((der) => Buffer.concat([uint24(der.length), der])));
  return Buffer.concat([uint24(list.length), list]);
}

/** One handshake message in records of 16,000 octets at most. */
function recordsOf(type: number, body: Buffer): Buffer[] {
  const message = Buffer.concat([Buffer.of(type), uint24(body.length), body]);
  const records: Buffer[] = [];
  for (let at = 0; at < message.length; at += 16_000) {
    const piece = message.subarray(at, at + 16_000);
    const head = Buffer.of(handshakeRecord, 3, type === handshakeTypes.clientHello ? 1 : 3, 0, 0);
    head.writeUInt16BE(piece.length, 3);
    records.push(Buffer.concat([head, piece]));
  }
  return records;
}

function uint24(value: number): Buffer {
  const bytes = Buffer.alloc(3);
  bytes.writeUIntBE(value, 0, 3);
  return bytes;
}
