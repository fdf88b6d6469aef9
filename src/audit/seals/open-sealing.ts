/** Opens the sealing of the audit: goes on with the chain of the process before, or begins a new one. */
import { type KeyObject, randomBytes } from 'node:crypto';
import type { AuditCounts } from '../../telemetry/audit-counts.ts';
import { type ChainStart, judgeChain, startWithoutSeal } from './chain-continuation.ts';
import { contentOf, findChain, findSeal, type TailPart } from './last-seal.ts';
import { Sealer } from './seal.ts';
import { SealCopy, type SealCopyOptions } from './seal-copy.ts';
import type { ReadSeal } from './seal-reader.ts';
import { Sealing } from './sealing.ts';

export interface SealSettings {
  /** Ed25519; null: seals are not signed. */
  readonly privateKey: KeyObject | null;
  /** The longest time that lines wait for their seal, ms. */
  readonly interval: number;
  /** Where a copy of the last seal is kept, outside the folder of the audit file. Absent: nowhere. */
  readonly copy?: string | undefined;
}

interface OpeningOptions extends Omit<SealCopyOptions, 'file' | 'counts'> {
  /** null: a destination that cannot be read, whose chain begins at each start. */
  readonly path: string | null;
  /** false: stdout or stderr. A path that cannot be read is a pipe or a device. */
  readonly isPath: boolean;
  readonly counts: Pick<AuditCounts, 'sealCopyFailures' | 'sealsMissing'>;
}

/** Goes on with the chain that is found in the file, or else in the newest file that it was renamed to. */
export async function openSealing(settings: SealSettings, options: OpeningOptions): Promise<Sealing> {
  const { privateKey, interval, copy: file = null } = settings;
  const { path, isPath, onEvent } = options;
  const copy = file === null || !isPath ? null : new SealCopy({ ...options, file });
  // The copy is of a file, which was replaced by a pipe.
  const replaced = path === null ? ((await copy?.read()) ?? null) : null;
  if (replaced !== null) reportMissing(options, replaced);
  const common = { interval, copy: path === null ? null : copy, onEvent };
  const earlier = path === null ? null : await resume({ ...options, privateKey, path, copy });
  if (earlier !== null) return new Sealing({ ...common, sealer: earlier, opening: 'resumed' });
  const chain = randomBytes(8).toString('hex');
  onEvent({ type: 'chain_started', chain });
  const sealer = new Sealer({ chain, last: null, privateKey });
  return new Sealing({ ...common, sealer, opening: 'started' });
}

interface ResumeOptions extends OpeningOptions, Pick<SealSettings, 'privateKey'> {
  readonly path: string;
  readonly copy: SealCopy | null;
}

/** null: there is no chain to go on with. A file that cannot be read must not keep the gateway from running. */
async function resume(options: ResumeOptions): Promise<Sealer | null> {
  const { path, privateKey, onEvent } = options;
  const { start, tail } = await findStart(options);
  if (start.missing !== null) reportMissing(options, start.missing);
  if (start.how === 'new') {
    if (start.cause !== null) onEvent({ type: 'seal_refused', cause: start.cause });
    return null;
  }
  const { chain } = start.behind;
  const sealer = new Sealer({ chain, last: start.behind, privateKey });
  try {
    await addTail(sealer, { path, tail });
  } catch (error) {
    onEvent({ type: 'chain_unreadable', error: error as Error });
    return null;
  }
  onEvent({ type: 'chain_resumed', chain, unsealed: sealer.lines + (sealer.hasPart ? 1 : 0) });
  return sealer;
}

async function findStart({
  path,
  privateKey,
  copy,
  onEvent,
}: ResumeOptions): Promise<{ readonly start: ChainStart; readonly tail: readonly TailPart[] }> {
  const remembered = (await copy?.read()) ?? null;
  try {
    const found = await findChain(path);
    const start = await judgeChain({
      ...{ last: found?.last ?? null, isSearched: found !== null, remembered, privateKey },
      find: (seal) => findSeal(path, seal),
    });
    return { start, tail: found?.tail ?? [] };
  } catch (error) {
    onEvent({ type: 'chain_unreadable', error: error as Error });
    return { start: startWithoutSeal(remembered), tail: [] };
  }
}

function reportMissing({ counts, onEvent }: OpeningOptions, { chain, seq, time }: ReadSeal): void {
  counts.sealsMissing++;
  onEvent({ type: 'seals_missing', chain, seq, time });
}

/** A part of a line at the end of a rotated file counts for nothing. The writer ends the one of the current file. */
async function addTail(
  sealer: Sealer,
  { path, tail }: { readonly path: string; readonly tail: readonly TailPart[] },
): Promise<void> {
  for (const part of tail) {
    for await (const bytes of contentOf(part)) sealer.addPart(bytes);
    if (part.path !== path) sealer.dropPart();
  }
}
