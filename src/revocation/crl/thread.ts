/** Entry of the thread that reads one CRL, so that a large one stalls neither a message nor the admin port. */
import { constants, setPriority } from 'node:os';
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { parseCertificate } from '../../pki/certificate.ts';
import { readCrlFile } from './file.ts';
import { type CrlAnswer, type CrlThreadJob, MAX_CRL } from './job.ts';
import { readCrl } from './reader.ts';

// Messages come first: on Linux, and there alone, this is the priority of this thread, and not of the process.
if (process.platform === 'linux') setPriority(0, constants.priority.PRIORITY_LOW);

async function answer({ source, issuers }: CrlThreadJob): Promise<CrlAnswer> {
  const file = typeof source === 'string' ? await readCrlFile(source, MAX_CRL) : null;
  if (file?.ok === false) return { ok: false, problem: 'file', detail: file.detail };
  const bytes = file?.bytes ?? (source as Uint8Array);
  return readCrl({ bytes, issuers: issuers.map(parseCertificate) });
}

(parentPort as MessagePort).postMessage(await answer(workerData as CrlThreadJob));
