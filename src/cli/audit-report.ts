/** `ehi-gateway audit report`: counts of what audit files contain. */
import { UsageError } from '../errors.ts';

export interface AuditReportOptions {
  readonly since?: string;
  readonly until?: string;
  readonly by?: string;
  readonly json: boolean;
  readonly csv: boolean;
  readonly html?: string;
  readonly force: boolean;
}

/** Resolves with the exit code. Throws UsageError. */
export async function auditReport(_files: readonly string[], _options: AuditReportOptions): Promise<number> {
  throw new UsageError('not built yet');
}
