/** Entry of the thread that reads one CRL, so that a large one stalls neither a message nor the admin port. */
import { closeSync, constants as fileConstants, fstatSync, openSync, readSync } from 'node:fs';
import { constants, setPriority } from 'node:os';
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { parseCertificate } from '../pki/certificate.ts';
import { type CrlAnswer, type CrlJob, MAX_CRL } from './crl-job.ts';
import { readCrl } from './crl-reader.ts';

// Messages come first: on Linux, and there alone, this is the priority of this thread, and not of the process.
if (process.platform === 'linux') setPriority(0, constants.priority.PRIORITY_LOW);

function answer({ source, issuers }: CrlJob): CrlAnswer {
  const bytes = typeof source === 'string' ? readFile(source) : source;
  if (typeof bytes === 'string') return { ok: false, problem: 'file', detail: bytes };
  return readCrl({ bytes, issuers: issuers.map(parseCertificate) });
}

/** The contents, or what is wrong with the file; one that grows while it is read is read as large as it was. */
function readFile(path: string): Uint8Array | string {
  try {
    // Opening a pipe would wait for somebody to write to it.
    const file = openSync(path, fileConstants.O_RDONLY | fileConstants.O_NONBLOCK);
    try {
      const status = fstatSync(file);
      if (!status.isFile()) return 'not a file';
      if (status.size > MAX_CRL) return `a file of ${status.size} octets`;
      const bytes = new Uint8Array(status.size);
      let length = 0;
      let read: number;
      do {
        read = readSync(file, bytes, length, bytes.length - length, null);
        length += read;
      } while (read > 0 && length < bytes.length);
      return bytes.subarray(0, length);
    } finally {
      closeSync(file);
    }
  } catch (cause) {
    return cause instanceof Error ? cause.message : 'unknown';
  }
}

(parentPort as MessagePort).postMessage(answer(workerData as CrlJob));
