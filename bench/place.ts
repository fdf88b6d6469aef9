/** One place of the load: a connection to a gateway, or one after the other, with every response checked. */
import { connect as connectPlain, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls, TLSSocket } from 'node:tls';
import type { Mode } from './modes.ts';

export interface Target {
  readonly mode: Mode;
  readonly message: Buffer;
  readonly connection: ConnectionOptions & { readonly host: string; readonly port: number };
  /** Without TLS: directly to the host. */
  readonly plain: boolean;
}

/** Receives what happens at a place. */
export interface Witness {
  opened(socket: Socket): void;
  answered(): void;
  failed(reason: string): void;
}

export class Place {
  readonly #target: Target;
  readonly #witness: Witness;
  readonly #input = Buffer.allocUnsafe(16_384);
  #socket: Socket | null = null;
  /** The newest ticket, with which the next connection resumes. */
  #session: Buffer | undefined;
  /** The beginning of a response that is not complete. */
  #partial: Buffer | null = null;
  #answered: (() => void) | null = null;
  /** Nothing was sent. */
  #silent = true;

  constructor(target: Target, witness: Witness) {
    this.#target = target;
    this.#witness = witness;
  }

  /** Opens the connection that the mode keeps open, or fetches the ticket with which it resumes. */
  async prepare({ silent }: { silent: boolean }): Promise<void> {
    await this.#open(undefined);
    if (!silent) await this.#exchange();
    if (this.#target.mode.handshake !== 'none') await this.close();
  }

  /** One message, with a handshake of the mode's kind if the mode has one for each message; `rest` must follow. */
  async send(): Promise<void> {
    const { handshake } = this.#target.mode;
    if (handshake !== 'none') await this.#open(handshake === 'resumed' ? this.#session : undefined);
    await this.#exchange();
  }

  /** Resolves when the place is ready for the next message. */
  async rest(): Promise<void> {
    if (this.#target.mode.handshake !== 'none') await this.close();
  }

  /** Resolves when the gateway has closed too. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      const socket = this.#socket;
      if (socket === null || socket.destroyed) return resolve();
      socket.once('close', () => resolve());
      // Some gateways answer 400 to the end of a connection without a message.
      if (this.#silent) socket.destroy();
      else socket.end();
    });
  }

  #open(session: Buffer | undefined): Promise<void> {
    return new Promise((resolve) => {
      const callback = (length: number) => {
        this.#receive(this.#input.subarray(0, length));
        return true;
      };
      const { connection, plain } = this.#target;
      const options = { ...connection, noDelay: true, onread: { buffer: this.#input, callback } };
      const socket = plain
        ? connectPlain(options)
        : connectTls({ ...options, ...(session === undefined ? {} : { session }) });
      this.#socket = socket;
      socket.on('session', (ticket: Buffer) => {
        this.#session = ticket;
      });
      socket.on('error', (error: Error) => this.#witness.failed(`connection: ${error.message}`));
      socket.on('close', () => {
        if (this.#answered !== null) this.#witness.failed('connection closed before the answer was complete');
      });
      socket.once(plain ? 'connect' : 'secureConnect', () => {
        this.#witness.opened(socket);
        resolve();
      });
    });
  }

  #exchange(): Promise<void> {
    return new Promise((resolve) => {
      this.#answered = resolve;
      this.#silent = false;
      this.#socket?.write(this.#target.message);
    });
  }

  #receive(chunk: Buffer): void {
    const bytes = this.#partial === null ? chunk : Buffer.concat([this.#partial, chunk]);
    this.#partial = null;
    const body = bytes.indexOf('\r\n\r\n') + 4;
    const head = bytes.toString('latin1', 0, body);
    const end = body + Number(/\r\ncontent-length: *(\d+)\r\n/i.exec(head)?.[1] ?? Number.NaN);
    if (body < 4 || bytes.length < end) {
      // The input buffer is used again by the next read.
      this.#partial = Buffer.from(bytes);
      return;
    }
    const correct = head.startsWith('HTTP/1.1 200 ') && bytes.includes('"Acknowledgement":"1"', body);
    const answered = this.#answered;
    if (!correct || bytes.length !== end || answered === null) {
      this.#witness.failed(`unexpected answer:\n${bytes.toString('latin1', 0, 400)}`);
      return;
    }
    this.#answered = null;
    this.#witness.answered();
    answered();
  }
}

/** Version, cipher suite and group of a connection. */
export function describe(socket: Socket): string {
  if (!(socket instanceof TLSSocket)) return 'no TLS';
  const group = socket.getEphemeralKeyInfo() as { name?: string; type?: string } | null;
  return `${socket.getProtocol()} ${socket.getCipher().standardName} ${group?.name ?? group?.type ?? ''}`.trim();
}
