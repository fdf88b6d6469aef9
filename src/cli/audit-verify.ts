/** `ehi-gateway audit verify`: whether audit files are as the gateway wrote them. */
import { UsageError } from '../errors.ts';

export interface AuditVerifyOptions {
  readonly publicKey?: string;
  readonly json: boolean;
}

/** Resolves with the exit code. Throws UsageError. */
export async function auditVerify(_files: readonly string[], _options: AuditVerifyOptions): Promise<number> {
  throw new UsageError('not built yet');
}
