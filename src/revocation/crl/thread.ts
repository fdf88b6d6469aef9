/** Entry point of the worker thread that parses one CRL, so that a large CRL does not block the control thread. */
import { constants, setPriority } from 'node:os';
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { parseCertificate } from '../../pki/certificate.ts';
import { readCrlFile } from './file.ts';
import { type CrlParseResult, type CrlThreadJob, MAX_CRL } from './job.ts';
import { readCrl } from './reader.ts';

// Lower priority than the relay threads. Only on Linux does the call apply to this thread and not to the process.
if (process.platform === 'linux') setPriority(0, constants.priority.PRIORITY_LOW);

async function parse({ source, issuers }: CrlThreadJob): Promise<CrlParseResult> {
  const file = typeof source === 'string' ? await readCrlFile(source, MAX_CRL) : null;
  if (file?.ok === false) return { ok: false, problem: 'file', detail: file.detail };
  const bytes = file?.bytes ?? (source as Uint8Array);
  return readCrl({ bytes, issuers: issuers.map(parseCertificate) });
}

(parentPort as MessagePort).postMessage(await parse(workerData as CrlThreadJob));
