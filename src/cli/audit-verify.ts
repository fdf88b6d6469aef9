/** `ehi-gateway audit verify`: whether audit files are as the gateway wrote them. */
import type { KeyObject } from 'node:crypto';
import { verificationJson } from '../auditing/verify/json.ts';
import { readPublicKeys } from '../auditing/verify/public-keys.ts';
import { summarize, type VerifySummary } from '../auditing/verify/summary.ts';
import { describeVerification } from '../auditing/verify/text.ts';
import { verifyFiles } from '../auditing/verify/verify.ts';
import { UsageError } from '../errors.ts';
import { readInput } from '../terminal/input-file.ts';
import { jsonLine } from '../terminal/json.ts';
import { printable } from '../terminal/printable.ts';
import { openProgress } from '../terminal/progress.ts';

export interface AuditVerifyOptions {
  readonly publicKey?: string;
  readonly acceptConfirmed: boolean;
  readonly json: boolean;
}

const codes: Record<VerifySummary['verdict'], number> = { sound: 0, tampered: 1, incomplete: 2 };

/** Prints the result on stdout. Resolves with the exit code: 0 sound, 1 tampered, 2 sound with gaps. Throws UsageError. */
export async function auditVerify(
  files: readonly string[],
  { publicKey, acceptConfirmed: acceptsConfirmed, json }: AuditVerifyOptions,
): Promise<number> {
  if (acceptsConfirmed && publicKey === undefined)
    throw new UsageError('--accept-confirmed: without --public-key no signature is checked; give both');
  const keys = publicKey === undefined ? null : await readKeys(publicKey);
  const hasPublicKey = keys !== null;
  const progress = openProgress();
  const onProgress = (path: string, lines: number) => progress.show(printable(`${path}: ${lines} lines`));
  const verification = await verifyFiles(files, { keys, acceptsConfirmed, onProgress }).finally(() =>
    progress.end(),
  );
  const summary = summarize(verification, { hasPublicKey });
  process.stdout.write(
    json
      ? jsonLine(verificationJson(verification, { summary, hasPublicKey }))
      : describeVerification(verification, summary),
  );
  return codes[summary.verdict];
}

async function readKeys(file: string): Promise<ReadonlyMap<string, KeyObject>> {
  const option = '--public-key';
  const keys = readPublicKeys((await readInput(file, { option })).toString('latin1'));
  if (typeof keys === 'string') throw new UsageError(`${option} ${printable(file)}: ${keys}`);
  return keys;
}
