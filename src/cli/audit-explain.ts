/** `ehi-gateway audit explain`: what happened to one connection or request. */
import { explanationDocument, notFoundDocument } from '../auditing/explain/json.ts';
import { findConnection } from '../auditing/explain/record-search.ts';
import { storyOf } from '../auditing/explain/steps.ts';
import { describeConnection, describeNotFound } from '../auditing/explain/text.ts';
import { exitCodes } from '../errors.ts';
import { jsonLine } from '../terminal/json.ts';
import { printable } from '../terminal/printable.ts';
import { openProgress } from '../terminal/progress.ts';
import { parseBudget } from './audit-budget.ts';

export interface AuditExplainOptions {
  readonly budget: string;
  readonly json: boolean;
}

/** Prints on stdout. Resolves with the exit code: 0, or 1 if no record has the id. Throws UsageError. */
export async function auditExplain(
  id: string,
  paths: readonly string[],
  { budget, json }: AuditExplainOptions,
): Promise<number> {
  const budgetMs = parseBudget(budget);
  const progress = openProgress();
  const onProgress = (path: string, lines: number) => progress.show(printable(`${path}: ${lines} lines`));
  const explained = await findConnection(id, { paths, onProgress }).finally(() => progress.end());
  const { found } = explained;
  if (found === null) {
    if (json) process.stdout.write(jsonLine(notFoundDocument(id, explained)));
    else process.stderr.write(describeNotFound(id, explained));
    return exitCodes.failed;
  }
  const story = storyOf(found, { budgetMs });
  process.stdout.write(
    json
      ? jsonLine(explanationDocument(found, story, { ...explained, id, budgetMs }))
      : describeConnection(found, story, explained),
  );
  return exitCodes.drained;
}
