/** A connection as the HTTP parser sees it: the head of its first request, and nothing that follows. */
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';

/** So much that follows the head, a body that is not wanted for instance, is read, so that the answer is not reset. */
const maxDiscarded = 64 * 1024;

/**
 * Node parses all that a read brings at once: 64 KiB of short requests would be thousands of messages, each with its
 * objects and its answer, before anything could be said against it.
 */
export class OneRequest extends Duplex {
  readonly #socket: Socket;
  readonly #maxHead: number;
  #head = Buffer.alloc(0);
  #isComplete = false;
  #discarded = 0;

  /** A head that is longer than `maxHead` is passed on as far as it came: the parser refuses it. */
  constructor(socket: Socket, { maxHead }: { readonly maxHead: number }) {
    super();
    this.#socket = socket;
    this.#maxHead = maxHead;
    socket.on('data', (bytes: Buffer) => this.#receive(bytes));
    socket.on('end', () => {
      // A client that closes its half behind its request still wants the answer, and Node's server would give it none.
      if (this.#isComplete) return;
      this.#complete(this.#head.length);
      this.push(null);
    });
    // Followed by close; who has left needs no answer.
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

/** The index after the empty line that ends the head; -1: there is none yet. */
function headEnd(bytes: Buffer): number {
  const ends = ['\r\n\r\n', '\n\n'].flatMap((line) => {
    const at = bytes.indexOf(line, 0, 'latin1');
    return at < 0 ? [] : [at + line.length];
  });
  return ends.length === 0 ? -1 : Math.min(...ends);
}
