/** Reads handshake messages, which may be cut into records anywhere, and several may be in one (RFC 8446 §5.1). */

const HEADER_BYTES = 4;

interface MessageListener {
  /** A header is complete; true: the body is wanted. */
  readonly begin: (type: number, length: number) => boolean;
  /** A message is complete; null: its body was not wanted. */
  readonly end: (type: number, body: Buffer | null) => void;
  /** No more is to be read. */
  readonly stopped: () => boolean;
}

export class HandshakeMessages {
  readonly #listener: MessageListener;
  #header = Buffer.alloc(0);
  #body: Buffer | null = null;
  /** Of the message's body, still to come. */
  #missing = 0;

  constructor(listener: MessageListener) {
    this.#listener = listener;
  }

  /** The content of one more record. */
  read(bytes: Buffer): void {
    let at = 0;
    while (at < bytes.length && !this.#listener.stopped()) {
      if (this.#missing === 0) {
        const taken = Math.min(HEADER_BYTES - this.#header.length, bytes.length - at);
        this.#header = Buffer.concat([this.#header, bytes.subarray(at, at + taken)]);
        at += taken;
        if (this.#header.length < HEADER_BYTES || !this.#begin()) return;
      }
      const taken = Math.min(this.#missing, bytes.length - at);
      this.#body?.set(bytes.subarray(at, at + taken), this.#body.length - this.#missing);
      this.#missing -= taken;
      at += taken;
      if (this.#missing === 0) this.#end();
    }
  }

  /** What has begun is forgotten. */
  reset(): void {
    this.#header = Buffer.alloc(0);
    this.#body = null;
    this.#missing = 0;
  }

  #begin(): boolean {
    this.#missing = this.#header.readUIntBE(1, 3);
    const wanted = this.#listener.begin(this.#header[0] as number, this.#missing);
    if (wanted) this.#body = Buffer.alloc(this.#missing);
    return !this.#listener.stopped();
  }

  #end(): void {
    const [type, body] = [this.#header[0] as number, this.#body];
    this.reset();
    this.#listener.end(type, body);
  }
}
