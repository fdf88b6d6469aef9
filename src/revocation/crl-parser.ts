/** Has CRLs read one at a time, each in a thread of its own that gives back all of its memory when it is done. */
import { Worker } from 'node:worker_threads';
import { GatewayError } from '../errors.ts';
import type { CrlAnswer, CrlJob } from './crl-job.ts';

const entry = new URL(
  import.meta.url.endsWith('.ts') ? './crl-thread.ts' : './crl-thread.js',
  import.meta.url,
);

/** Beside the CRL and its table a thread needs little: what makes it need more ends the thread, and not the process. */
const resourceLimits = { maxOldGenerationSizeMb: 256 };

export class CrlParser implements AsyncDisposable {
  #last: Promise<unknown> = Promise.resolve();
  #worker: Worker | null = null;
  #closed = false;

  /**
   * Reads one CRL; its bytes are transferred where they are the whole of their memory, and gone afterwards.
   * Rejects with GatewayError CRL_THREAD when the thread dies of it, and with CLOSED.
   */
  parse(job: CrlJob): Promise<CrlAnswer> {
    const answer = this.#last.then(() => this.#run(job));
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

  #run({ source, issuers }: CrlJob): Promise<CrlAnswer> {
    if (this.#closed) throw failure('CLOSED', 'no CRL is read any more');
    const bytes = typeof source === 'string' ? null : whole(source);
    const workerData: CrlJob = { source: bytes ?? source, issuers };
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
  return new GatewayError({ code, side: 'internal', message, cause });
}
