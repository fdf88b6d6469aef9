/** Node's own HTTP parser (llhttp, as strict as servers and clients have it by default), and the messages that it reads. */
import { createRequire } from 'node:module';

/** What is used of the binding's parser; its callbacks are properties under small numbers. */
interface Binding {
  initialize(type: number, resource: object, maxHeaderSize: number, leniency: number): void;
  /** Bytes read, or the error. */
  execute(bytes: Buffer): number | Error;
  finish(): number | Error | undefined;
  close(): void;
  [callback: number]: (...args: never[]) => unknown;
}

interface BindingClass {
  new (): Binding;
  readonly REQUEST: number;
  readonly RESPONSE: number;
  readonly kOnMessageBegin: number;
  readonly kOnHeaders: number;
  readonly kOnHeadersComplete: number;
  readonly kOnBody: number;
  readonly kOnMessageComplete: number;
  readonly kLenientNone: number;
}

// Not documented, but the parser of every Node server and client: what a host in Node would read.
const { HTTPParser, methods } = createRequire(import.meta.url)('_http_common') as {
  readonly HTTPParser: BindingClass;
  readonly methods: readonly string[];
};

const maxHeaderSize = 1024 * 1024;

/** A message as Node reads it; text is latin1, one character a byte. */
export interface NodeMessage {
  /** HTTP/1.`minor`. */
  minor: number;
  /** Empty in responses, as `target`. */
  method: string;
  target: string;
  /** 0 in requests. */
  status: number;
  reason: string;
  /** Name, value, name, value … as written, without the trailers. */
  fields: string[];
  body: string;
  keepAlive: boolean;
  complete: boolean;
}

interface NodeParserOptions {
  /** The answer is to HEAD. */
  readonly toHead?: boolean;
}

export class NodeParser {
  readonly messages: NodeMessage[] = [];
  /** llhttp's code once it has refused the bytes. */
  error: string | null = null;

  readonly #parser = new HTTPParser();

  constructor(kind: 'request' | 'response', { toHead = false }: NodeParserOptions = {}) {
    const parser = this.#parser;
    const type = kind === 'request' ? HTTPParser.REQUEST : HTTPParser.RESPONSE;
    parser.initialize(type, {}, maxHeaderSize, HTTPParser.kLenientNone);
    let flushed: string[] = [];
    let target = '';
    let message: NodeMessage | null = null;
    parser[HTTPParser.kOnMessageBegin] = () => {
      flushed = [];
      target = '';
      message = null;
    };
    // Called for every 32 fields, and for trailers.
    parser[HTTPParser.kOnHeaders] = (fields: string[], part: string) => {
      flushed.push(...fields);
      target += part;
    };
    parser[HTTPParser.kOnHeadersComplete] = (
      _major: number,
      minor: number,
      fields: string[] | undefined,
      method: number | undefined,
      url: string | undefined,
      status: number | undefined,
      reason: string | undefined,
      _upgrade: boolean,
      keepAlive: boolean,
    ) => {
      message = {
        minor,
        method: method === undefined ? '' : (methods[method] ?? ''),
        target: url ?? target,
        status: status ?? 0,
        reason: reason ?? '',
        fields: fields ?? flushed,
        body: '',
        keepAlive,
        complete: false,
      };
      this.messages.push(message);
      return toHead ? 1 : 0;
    };
    parser[HTTPParser.kOnBody] = (bytes: Buffer) => {
      if (message !== null) message.body += bytes.toString('latin1');
    };
    parser[HTTPParser.kOnMessageComplete] = () => {
      if (message !== null) message.complete = true;
    };
  }

  get completed(): number {
    return this.messages.filter((message) => message.complete).length;
  }

  /** Reads more bytes; ignored after an error. */
  feed(bytes: Buffer): void {
    let rest = bytes;
    while (this.error === null && rest.length > 0) {
      const read = this.#parser.execute(rest);
      if (typeof read === 'number') rest = rest.subarray(read);
      else this.error = codeOf(read);
      // It stops after a message that requests an upgrade; a server that ignores the request reads on.
      if (read === 0) this.error = 'STANDSTILL';
    }
  }

  /** The connection has ended. */
  finish(): void {
    if (this.error !== null) return;
    const error = this.#parser.finish();
    if (error instanceof Error) this.error = codeOf(error);
  }

  [Symbol.dispose](): void {
    this.#parser.close();
  }
}

function codeOf(error: Error): string {
  return (error as Error & { code?: string }).code ?? error.message;
}
