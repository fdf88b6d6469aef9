/** `audit`: where the audit records are written. */
import type { z } from 'zod';
import { choice, count, duration, file, mapping, size } from './field-types.ts';

/** After parsing: the path absolute, `interval` in milliseconds, `size` in bytes. */
export type AuditConfig = z.output<ReturnType<typeof auditSchema>>;

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
    seal: mapping({
      key: file(folder)
        .exactOptional()
        .describe(
          'PEM file with an Ed25519 private key that signs the seals; `ehi-gateway certs audit-key` makes one. Only the gateway may be able to read it. Absent: seals are not signed.',
        ),
      interval: duration('10ms', '1h')
        .prefault('1s')
        .describe('How long records wait for their seal at most.'),
      copy: file(folder)
        .exactOptional()
        .describe(
          'File for a copy of the last seal, which shows at a start whether seals were removed from the audit files. Choose a folder that those who can write to the audit files cannot write to. Absent: in `audit` below `trust.cacheDir`, under a name made of the name of the host and `audit.destination`. Not used with stdout or stderr.',
        ),
    })
      .exactOptional()
      .describe(
        'Writes seals between the records, which chain the records so that a later change is found: docs/audit.md, Seals. `{}`: seals without a signature. Absent: no seals.',
      ),
    rotate: mapping({
      size: size('1024MiB', '64KiB').prefault('100MiB').describe('The largest size of a file.'),
      keep: count(1, 100_000)
        .prefault(10)
        .describe('How many rotated files are kept: `audit.log.1` is the newest one. The oldest is removed.'),
    })
      .exactOptional()
      .describe(
        'The gateway rotates the audit file itself. Only with a file as destination. Absent: it does not, and another program may.',
      ),
  })
    .prefault({})
    .describe('Audit records: one for each handshake and each message.');
}
