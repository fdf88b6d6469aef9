/** A client over real TLS: raw bytes in, whole responses out, sessions to resume, half-close. */
import { once } from 'node:events';
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls';
import { type Message, type TakeOptions, takeMessage } from '../http/http.ts';

export interface ClientOptions extends Omit<ConnectionOptions, 'port' | 'host' | 'cert' | 'key'> {
  readonly port: number;
  /** PEM of the CA that the gateway's certificate is verified with. */
  readonly ca: string;
  /** The client's certificate; absent: none is sent. */
  readonly leaf?: { readonly chainPem: string; readonly keyPem: string } | undefined;
  /** Source address; another loopback address is another client address to the gateway. */
  readonly localAddress?: string;
}

export class Client implements AsyncDisposable {
  readonly socket: TLSSocket;
  #bytes: Buffer = Buffer.alloc(0);
  #ended = false;
  #session: Buffer | undefined;
  #error: Error | undefined;
  /** Emits nothing but wake-ups: bytes, the end or a session arrived. */
  readonly #wake = new EventTarget();

  constructor(socket: TLSSocket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => {
      this.#bytes = Buffer.concat([this.#bytes, chunk]);
      this.#notify();
    });
    socket.on('session', (session: Buffer) => {
      this.#session = session;
      this.#notify();
    });
    socket.on('error', (error) => {
      this.#error = error;
    });
    for (const event of ['end', 'close']) {
      socket.on(event, () => {
        this.#ended = true;
        this.#notify();
      });
    }
  }

  /** What ended the connection, if it was an error. */
  get error(): Error | undefined {
    return this.#error;
  }

  write(bytes: string | Uint8Array): this {
    this.socket.write(bytes);
    return this;
  }

  /** Sends a close_notify and a FIN; the other direction stays open. */
  halfClose(): this {
    this.socket.end();
    return this;
  }

  /** The next whole response, 1xx included. Rejects when the connection ends within it or before it. */
  async response(options: TakeOptions = {}): Promise<Message> {
    for (;;) {
      const message = takeMessage(this.#bytes, {
        ...options,
        // A response until close is incomplete after a reset.
        ended: this.#ended && this.#error === undefined,
      });
      if (message !== null) {
        this.#bytes = this.#bytes.subarray(message.raw.length);
        return message;
      }
      if (this.#ended) {
        throw new Error(`the connection ended after ${this.#bytes.length} bytes of a response`, {
          cause: this.#error,
        });
      }
      await this.#woken();
    }
  }

  /** Writes, then reads one whole response. */
  async exchange(bytes: string | Uint8Array, options?: TakeOptions): Promise<Message> {
    return this.write(bytes).response(options);
  }

  /** All bytes that were not read as a response, once the connection has ended. */
  async rest(): Promise<Buffer> {
    while (!this.#ended) await this.#woken();
    return this.#bytes;
  }

  /** A session to resume: TLS 1.3 sends tickets after the handshake, so this waits for one. */
  async session(): Promise<Buffer> {
    while (this.#session === undefined) {
      if (this.#ended) throw new Error('the connection ended without a session', { cause: this.#error });
      await this.#woken();
    }
    return this.#session;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.socket.closed) return;
    const closed = once(this.socket, 'close');
    this.socket.destroy();
    await closed;
  }

  #notify(): void {
    this.#wake.dispatchEvent(new Event('wake'));
  }

  #woken(): Promise<unknown> {
    return once(this.#wake, 'wake');
  }
}

/** Resolves after the handshake; rejects with its error. */
export async function connect(options: ClientOptions): Promise<Client> {
  const { leaf, ...rest } = options;
  const socket = connectTls({
    host: '127.0.0.1',
    // The address is verified all the same: an IP address is no SNI, and none is sent.
    servername: '',
    allowHalfOpen: true,
    ...(leaf === undefined ? {} : { cert: leaf.chainPem, key: leaf.keyPem }),
    ...rest,
  } as ConnectionOptions);
  const client = new Client(socket);
  await once(socket, 'secureConnect');
  return client;
}

/** One connection, one request, one response. */
export async function send(options: ClientOptions, bytes: string | Uint8Array): Promise<Message> {
  await using client = await connect(options);
  return await client.exchange(bytes);
}

/** Bytes of a POST with Content-Length. */
export function post(options: { target?: string; fields?: string[]; body?: string | Buffer } = {}): Buffer {
  const { target = '/', fields = [], body = '{"a":1}' } = options;
  const lines = [
    `POST ${target} HTTP/1.1`,
    'Host: ehi.example',
    'Content-Type: application/json',
    ...fields,
    `Content-Length: ${Buffer.byteLength(body)}`,
    '',
    '',
  ];
  return Buffer.concat([Buffer.from(lines.join('\r\n'), 'latin1'), Buffer.from(body)]);
}
