/** Has CRLs read one at a time: a small one here, any other in a thread that gives back all of its memory when it is done. */
import { Worker } from 'node:worker_threads';
import { GatewayError } from '../../errors.ts';
import { type CrlFile, readCrlFile } from './file.ts';
import type { CrlAnswer, CrlJob, CrlThreadJob } from './job.ts';
import { readCrl } from './reader.ts';

const entry = new URL(import.meta.url.endsWith('.ts') ? './thread.ts' : './thread.js', import.meta.url);

/** Octets that are read within milliseconds; a thread takes a hundred to start. */
const SMALL = 64 * 1024;

/** Beside the CRL and its table a thread needs little: what makes it need more ends the thread, and not the process. */
const resourceLimits = { maxOldGenerationSizeMb: 256 };

export class CrlParser implements AsyncDisposable {
  readonly #small: number;
  #last: Promise<unknown> = Promise.resolve();
  #worker: Worker | null = null;
  #closed = false;

  /** `small`: octets that do not take a thread. */
  constructor({ small = SMALL }: { readonly small?: number } = {}) {
    this.#small = small;
  }

  /** Reads one CRL. Rejects with GatewayError CRL_THREAD when its thread dies of it, and with CLOSED. */
  parse(job: CrlJob): Promise<CrlAnswer> {
    const answer = this.#last.then(() => this.#read(job));
    this.#last = answer.catch(() => {});
    return answer;
  }

  /** Ends the thread, whatever it is at; what waits is rejected. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#worker?.terminate();
    await this.#last;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #read(job: CrlJob): Promise<CrlAnswer> {
    const { source, issuers } = job;
    const short = typeof source === 'string' ? await readCrlFile(source, this.#small) : this.#short(source);
    if (this.#closed) throw failure('CLOSED', 'no CRL is read any more');
    if (short.ok) return readCrl({ bytes: short.bytes, issuers });
    return short.isLong ? this.#readInThread(job) : { ok: false, problem: 'file', detail: short.detail };
  }

  #short(bytes: Uint8Array): CrlFile {
    const isLong = bytes.length > this.#small;
    return isLong ? { ok: false, isLong, detail: `${bytes.length} octets` } : { ok: true, bytes };
  }

  #readInThread({ source, issuers }: CrlJob): Promise<CrlAnswer> {
    const bytes = typeof source === 'string' ? null : whole(source);
    const workerData: CrlThreadJob = { source: bytes ?? source, issuers: issuers.map(({ der }) => der) };
    const transferList = bytes === null ? [] : [bytes.buffer];
    const worker = new Worker(entry, { workerData, transferList, resourceLimits, name: 'crl' });
    this.#worker = worker;
    return new Promise((resolve, reject) => {
      let answer: CrlAnswer | null = null;
      let fault: unknown;
      worker.once('message', (message: CrlAnswer) => {
        answer = message;
      });
      worker.once('error', (error) => {
        fault = error;
      });
      // Not before the end: the next thread starts when the memory of this one is free.
      worker.once('exit', () => {
        this.#worker = null;
        if (answer !== null) return resolve(answer);
        reject(
          this.#closed
            ? failure('CLOSED', 'the reading of a CRL was ended')
            : failure('CRL_THREAD', 'the thread that read a CRL died', fault),
        );
      });
    });
  }
}

/** Transferring takes the whole memory along, so a part of some is copied: it may be Node's pool. */
function whole(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const { buffer } = bytes;
  const isWhole = buffer instanceof ArrayBuffer && bytes.byteLength === buffer.byteLength;
  return isWhole ? (bytes as Uint8Array<ArrayBuffer>) : new Uint8Array(bytes);
}

function failure(code: 'CLOSED' | 'CRL_THREAD', message: string, cause?: unknown): GatewayError {
  return new GatewayError({ code, message, cause });
}
