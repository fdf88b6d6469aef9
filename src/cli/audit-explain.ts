/** `ehi-gateway audit explain`: what happened to one connection or request. */
import { UsageError } from '../errors.ts';

export interface AuditExplainOptions {
  readonly json: boolean;
}

/** Resolves with the exit code. Throws UsageError. */
export async function auditExplain(
  _id: string,
  _files: readonly string[],
  _options: AuditExplainOptions,
): Promise<number> {
  throw new UsageError('not built yet');
}
