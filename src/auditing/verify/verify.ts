/** Verifies audit files: orders them, reads each once, and returns what was found. */
import { UsageError } from '../../errors.ts';
import { printable } from '../../terminal/printable.ts';
import { type AuditFile, orderFiles } from '../reading/audit-files.ts';
import { readLines } from '../reading/lines.ts';
import { newFinding, partialLineFinding } from './finding.ts';
import { separateRepeated } from './repeated-files.ts';
import { Verification, type VerificationOptions } from './verification.ts';

export interface VerifyOptions extends VerificationOptions {
  /** Called now and then with the file that is read. */
  readonly onProgress?: (path: string, lines: number) => void;
}

/** @throws UsageError if a file cannot be read, is no audit file, or no file has a seal. */
export async function verifyFiles(
  paths: readonly string[],
  { onProgress, ...options }: VerifyOptions,
): Promise<Verification> {
  const { used, repeated } = await separateRepeated(await orderFiles([...new Set(paths)], options.keys));
  const verification = new Verification(options);
  for (const { file, sameAs, partial } of repeated) {
    const from = { file: file.path, line: 1, time: null };
    verification.findings.add(newFinding('file_repeated', 'notice', { from, detail: sameAs.path }));
    if (partial !== null) verification.findings.add(partialLineFinding(partial));
  }
  for (const file of used) await addFile(verification, { file, onProgress });
  if (verification.files.every(({ seals }) => seals === 0))
    throw new UsageError(describeNoSeal(used, verification));
  verification.finish();
  return verification;
}

async function addFile(
  verification: Verification,
  { file, onProgress }: { readonly file: AuditFile; readonly onProgress: VerifyOptions['onProgress'] },
): Promise<void> {
  verification.startFile(file);
  for await (const lines of readLines(file.path, file.compression)) {
    verification.addLines(lines);
    onProgress?.(file.path, lines.at(-1)?.number ?? 0);
  }
}

function describeNoSeal(files: readonly AuditFile[], { hasDamagedSeal }: Verification): string {
  const [first] = files;
  const where =
    files.length === 1 && first !== undefined ? printable(first.path) : `the ${files.length} files`;
  const problem = `no seal in ${where}, so that nothing can be verified`;
  return hasDamagedSeal
    ? `${problem}: there are lines that begin as seals, but all were changed, such as by a conversion of line ends`
    : `${problem}; the gateway writes seals if its configuration has audit.seal`;
}
