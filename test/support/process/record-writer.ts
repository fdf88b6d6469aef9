/** A TLS 1.3 client that builds its records itself after the handshake, for records that Node's client cannot send. */
import { once } from 'node:events';
import { connect as connectTcp, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import { nextSecret, RecordProtection, suites } from '../../../src/handshake/record-protection.ts';
import type { ClientOptions } from './client.ts';

const suite = suites.TLS_AES_128_GCM_SHA256;
/** KeyUpdate (RFC 8446 §4.6.3), update_not_requested. */
const keyUpdate = { type: 22, bytes: Buffer.from([24, 0, 0, 1, 0]) };

export class RecordWriter implements AsyncDisposable {
  readonly socket: Socket;
  #secret: Buffer;
  #protection: RecordProtection;

  constructor(socket: Socket, secret: Buffer) {
    this.socket = socket;
    this.#secret = secret;
    this.#protection = new RecordProtection(suite, secret);
  }

  /** So many KeyUpdates, ready to be written. */
  keyUpdates(count: number): Buffer {
    return Buffer.concat(
      Array.from({ length: count }, () => {
        const record = this.#protection.seal(keyUpdate);
        this.#secret = nextSecret(suite, this.#secret);
        this.#protection = new RecordProtection(suite, this.#secret);
        return record;
      }),
    );
  }

  /** One record of application data for each of the pieces, ready to be written. */
  data(pieces: Iterable<Buffer>): Buffer {
    return Buffer.concat(Array.from(pieces, (bytes) => this.#protection.seal({ type: 23, bytes })));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.socket.closed) return;
    const closed = once(this.socket, 'close');
    this.socket.destroy();
    await closed;
  }
}

/** Resolves after the handshake. */
export async function openRecordWriter(options: ClientOptions): Promise<RecordWriter> {
  const { leaf, port, localAddress, ca } = options;
  const tcp = connectTcp({
    host: '127.0.0.1',
    port,
    ...(localAddress === undefined ? {} : { localAddress }),
  });
  const socket = connectTls({
    socket: tcp,
    ca,
    servername: '',
    checkServerIdentity: () => undefined,
    minVersion: 'TLSv1.3',
    ciphers: 'TLS_AES_128_GCM_SHA256',
    ...(leaf === undefined ? {} : { cert: leaf.chainPem, key: leaf.keyPem }),
  } as ConnectionOptions);
  let secret = Buffer.alloc(0);
  socket.on('keylog', (line: Buffer) => {
    const [name, , value = ''] = line.toString('latin1').trim().split(' ');
    if (name === 'CLIENT_TRAFFIC_SECRET_0') secret = Buffer.from(value, 'hex');
  });
  tcp.on('error', () => {});
  socket.on('error', () => {}).resume();
  // The ticket arrives after the client's Finished: no part of the handshake is pending.
  await once(socket, 'session');
  return new RecordWriter(tcp, secret);
}
