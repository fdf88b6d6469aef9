/** Assembles handshake messages from records: a message may span records, and a record may contain several (RFC 8446 §5.1). */

const HEADER_BYTES = 4;

interface MessageListener {
  /** A message header is complete; returns whether to collect the body. */
  readonly begin: (type: number, length: number) => boolean;
  /** A message is complete; null: its body was not collected. */
  readonly end: (type: number, body: Buffer | null) => void;
  /** Whether to stop reading. */
  readonly stopped: () => boolean;
}

export class HandshakeMessages {
  readonly #listener: MessageListener;
  #header = Buffer.alloc(0);
  #body: Buffer | null = null;
  /** Bytes of the body that have not arrived. */
  #missing = 0;

  constructor(listener: MessageListener) {
    this.#listener = listener;
  }

  /** Reads the content of the next record. */
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

  /** Discards a message that is not complete. */
  reset(): void {
    this.#header = Buffer.alloc(0);
    this.#body = null;
    this.#missing = 0;
  }

  #begin(): boolean {
    this.#missing = this.#header.readUIntBE(1, 3);
    const collect = this.#listener.begin(this.#header[0] as number, this.#missing);
    if (collect) this.#body = Buffer.alloc(this.#missing);
    return !this.#listener.stopped();
  }

  #end(): void {
    const [type, body] = [this.#header[0] as number, this.#body];
    this.reset();
    this.#listener.end(type, body);
  }
}
