/** Parses CRLs one at a time: small ones on this thread, others in a worker thread, which frees its memory at its end. */
import { Worker } from 'node:worker_threads';
import { GatewayError } from '../../errors.ts';
import { type CrlFile, readCrlFile } from './file.ts';
import type { CrlParseJob, CrlParseResult, CrlThreadJob } from './job.ts';
import { readCrl } from './reader.ts';

const entry = new URL(import.meta.url.endsWith('.ts') ? './thread.ts' : './thread.js', import.meta.url);

/** Maximum size that is parsed on this thread, octets: that takes milliseconds, the start of a thread a hundred. */
const SMALL = 64 * 1024;

/** Enough for any CRL, whose bytes and table are outside of the heap. Exceeding it ends the thread, not the process. */
const resourceLimits = { maxOldGenerationSizeMb: 256 };

export class CrlParser implements AsyncDisposable {
  readonly #small: number;
  #last: Promise<unknown> = Promise.resolve();
  #worker: Worker | null = null;
  #closed = false;

  /** `small`: maximum size that is parsed on this thread, octets. */
  constructor({ small = SMALL }: { readonly small?: number } = {}) {
    this.#small = small;
  }

  /** Parses one CRL. Rejects with GatewayError CRL_THREAD if its thread ends without a result, and with CLOSED. */
  parse(job: CrlParseJob): Promise<CrlParseResult> {
    const result = this.#last.then(() => this.#read(job));
    this.#last = result.catch(() => {});
    return result;
  }

  /** Ends the thread; rejects the CRL in progress and those that wait. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#worker?.terminate();
    await this.#last;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #read(job: CrlParseJob): Promise<CrlParseResult> {
    const { source, issuers } = job;
    const short = typeof source === 'string' ? await readCrlFile(source, this.#small) : this.#short(source);
    if (this.#closed) throw failure('CLOSED', 'the CRL parser is closed');
    if (short.ok) return readCrl({ bytes: short.bytes, issuers });
    return short.isLong ? this.#readInThread(job) : { ok: false, problem: 'file', detail: short.detail };
  }

  #short(bytes: Uint8Array): CrlFile {
    const isLong = bytes.length > this.#small;
    return isLong ? { ok: false, isLong, detail: `${bytes.length} octets` } : { ok: true, bytes };
  }

  #readInThread({ source, issuers }: CrlParseJob): Promise<CrlParseResult> {
    const bytes = typeof source === 'string' ? null : transferable(source);
    const workerData: CrlThreadJob = { source: bytes ?? source, issuers: issuers.map(({ der }) => der) };
    const transferList = bytes === null ? [] : [bytes.buffer];
    const worker = new Worker(entry, { workerData, transferList, resourceLimits, name: 'crl' });
    this.#worker = worker;
    return new Promise((resolve, reject) => {
      let result: CrlParseResult | null = null;
      let fault: unknown;
      worker.once('message', (message: CrlParseResult) => {
        result = message;
      });
      worker.once('error', (error) => {
        fault = error;
      });
      // Settled on exit only: the next thread starts after the memory of this one is free.
      worker.once('exit', () => {
        this.#worker = null;
        if (result !== null) return resolve(result);
        reject(
          this.#closed
            ? failure('CLOSED', 'the CRL parser was closed while it parsed a CRL')
            : failure('CRL_THREAD', 'the thread that parsed the CRL ended without a result', fault),
        );
      });
    });
  }
}

/** Bytes that may be transferred: a part of a larger buffer is copied, since the buffer may be Node's pool. */
function transferable(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const { buffer } = bytes;
  const isWhole = buffer instanceof ArrayBuffer && bytes.byteLength === buffer.byteLength;
  return isWhole ? (bytes as Uint8Array<ArrayBuffer>) : new Uint8Array(bytes);
}

function failure(code: 'CLOSED' | 'CRL_THREAD', message: string, cause?: unknown): GatewayError {
  return new GatewayError({ code, side: 'internal', message, cause });
}
