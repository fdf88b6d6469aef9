/** Gives the HTTP parser the head of the first request of a connection, and nothing after it. */
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';

/** This much after the head, such as a body, is read and discarded, so that the response is not lost to a TCP reset. */
const maxDiscarded = 64 * 1024;

/**
 * Node parses everything that one read returns: 64 KiB of short requests would become thousands of messages, each with
 * its objects and response, before the gateway could refuse them.
 */
export class OneRequest extends Duplex {
  readonly #socket: Socket;
  readonly #maxHead: number;
  #head = Buffer.alloc(0);
  #isComplete = false;
  #discarded = 0;

  /** A head longer than `maxHead` bytes is passed on as received, and the parser refuses it. */
  constructor(socket: Socket, { maxHead }: { readonly maxHead: number }) {
    super();
    this.#socket = socket;
    this.#maxHead = maxHead;
    socket.on('data', (bytes: Buffer) => this.#receive(bytes));
    socket.on('end', () => {
      // Node's server would not respond to a client that half-closes after its request, so the end is not passed on.
      if (this.#isComplete) return;
      this.#complete(this.#head.length);
      this.push(null);
    });
    // 'close' follows and ends this stream.
    socket.on('error', () => {});
    socket.on('close', () => this.destroy());
  }

  override _read(): void {}

  override _write(bytes: Buffer, _encoding: unknown, done: (error?: Error | null) => void): void {
    this.#socket.write(bytes, done);
  }

  override _final(done: () => void): void {
    this.#socket.end(done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#socket.destroy();
    done(error);
  }

  #receive(bytes: Buffer): void {
    if (this.#isComplete) return this.#discard(bytes.length);
    this.#head = Buffer.concat([this.#head, bytes]);
    const end = headEnd(this.#head);
    if (end >= 0) this.#complete(end);
    else if (this.#head.length > this.#maxHead) this.#complete(this.#head.length);
  }

  #complete(end: number): void {
    this.#isComplete = true;
    if (end > 0) this.push(this.#head.subarray(0, end));
    this.#discard(this.#head.length - end);
    this.#head = Buffer.alloc(0);
  }

  #discard(length: number): void {
    this.#discarded += length;
    if (this.#discarded > maxDiscarded) this.#socket.pause();
  }
}

const CR = 13;
const LF = 10;

/**
 * The index after the empty line that ends the head; -1 if it has not arrived. Empty lines before the request line belong to
 * the head: clients send them, and a server ignores them (RFC 9112 §2.2).
 */
function headEnd(bytes: Buffer): number {
  let begin = 0;
  while (bytes[begin] === CR || bytes[begin] === LF) begin++;
  for (let at = bytes.indexOf(LF, begin); at >= 0; at = bytes.indexOf(LF, at + 1)) {
    if (bytes[at + 1] === LF) return at + 2;
    if (bytes[at + 1] === CR && bytes[at + 2] === LF) return at + 3;
  }
  return -1;
}
