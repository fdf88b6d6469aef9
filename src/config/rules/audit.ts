/** The rule of `audit.rotate`: only a file can be rotated. */
import type { Diagnostics } from '../diagnostic.ts';
import type { Fields } from '../yaml-values.ts';

/** Values that are not valid are skipped: the schema reports them. */
export function checkAudit({ destination = 'stdout', ...audit }: Fields, { problems }: Diagnostics): void {
  if (!('rotate' in audit) || (destination !== 'stdout' && destination !== 'stderr')) return;
  problems.push({
    path: ['audit', 'rotate'],
    found: `the rotation of ${destination}`,
    allowed: 'rotate beside an audit.destination that is a file',
    atKey: true,
  });
}
