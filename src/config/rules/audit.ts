/** The rules of `audit`: only a file can be rotated, and the copy of the last seal needs a file of its own. */
import type { Diagnostics } from '../diagnostic.ts';
import { type Fields, fieldsOf } from '../yaml-values.ts';

/** Values that are not valid are skipped: the schema reports them. */
export function checkAudit({ destination = 'stdout', ...audit }: Fields, { problems }: Diagnostics): void {
  const { copy } = fieldsOf(audit.seal);
  if (copy === destination)
    problems.push({
      path: ['audit', 'seal', 'copy'],
      found: `${destination}, which is audit.destination`,
      allowed: 'a file of its own, in another folder',
    });
  if (!('rotate' in audit) || (destination !== 'stdout' && destination !== 'stderr')) return;
  problems.push({
    path: ['audit', 'rotate'],
    found: `the rotation of ${destination}`,
    allowed: 'rotate beside an audit.destination that is a file',
    atKey: true,
  });
}
