/** `audit`: where the audit records are written. */
import { choice, file, mapping } from './field-types.ts';

/** `folder`: the absolute one that relative paths start from. */
export function auditSchema(folder: string) {
  return mapping({
    destination: file(folder, 'stdout, stderr or the path of a file', ['stdout', 'stderr'])
      .prefault('stdout')
      .describe('Where audit records are written, as JSON lines.'),
    format: choice('json', 'ecs')
      .prefault('json')
      .describe(
        'The names of the fields: `json` as in docs/audit.md, `ecs` those of the Elastic Common Schema 8 (docs/audit.md, ECS).',
      ),
    onFailure: choice('continue', 'refuse')
      .prefault('continue')
      .describe(
        'What happens while audit records cannot be written. `continue`: messages are relayed, and up to 64 MiB of records are kept in memory. `refuse`: new messages get 503.',
      ),
  })
    .prefault({})
    .describe('Audit records: one for each handshake and each message.');
}
