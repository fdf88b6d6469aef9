/** Judges at a start how the chain of seals goes on: behind the last seal of the files, behind the remembered one, or anew. */
import { createPublicKey, type KeyObject } from 'node:crypto';
import type { FoundSeal } from './last-seal.ts';
import { keyIdOf } from './seal.ts';
import { checkSignature, type ReadSeal } from './seal-reader.ts';

/** A seal each millisecond for 30 years: a number beyond was not counted by a gateway. */
const maxSeq = 1_000_000_000_000;

export type ChainStart =
  /** `cause`: why the last seal of the files is not continued; null: they have none. */
  | { readonly how: 'new'; readonly cause: string | null; readonly missing: ReadSeal | null }
  /** `missing`: the remembered seal, which the files do not have. The chain goes on behind it all the same: the gap in its numbers shows what is missing. */
  | { readonly how: 'continued'; readonly behind: ReadSeal; readonly missing: ReadSeal | null };

export interface ChainFacts {
  /** The last seal of the files; null: they have none. */
  readonly last: FoundSeal | null;
  /** false: the files have too many bytes without a seal to read them all. */
  readonly isSearched: boolean;
  /** The copy of the last seal that this gateway wrote; null: there is none. */
  readonly remembered: ReadSeal | null;
  /** null: seals are not signed. */
  readonly privateKey: KeyObject | null;
  /** Whether the files have the remembered seal; `older`: they only have later ones of its chain. */
  readonly find: (seal: ReadSeal) => Promise<'found' | 'older' | 'absent'>;
}

export async function judgeChain({
  last,
  isSearched,
  privateKey,
  find,
  ...facts
}: ChainFacts): Promise<ChainStart> {
  const remembered = facts.remembered !== null && facts.remembered.seq <= maxSeq ? facts.remembered : null;
  if (!isSearched) return { how: 'new', cause: null, missing: remembered };
  if (last === null) return startWithoutSeal(remembered);
  const { seal } = last;
  const resumed = { how: 'continued', behind: seal, missing: null } as const;
  // Also after a change of the key.
  if (seal.hash === remembered?.hash) return resumed;
  const fault = faultOf(last, privateKey);
  if (remembered === null) return fault === null ? resumed : { how: 'new', cause: fault, missing: null };
  const isOwn = fault === null && seal.key !== null;
  if (!(await hasRemembered(remembered, { seal, isOwn, find })))
    return { how: 'continued', behind: remembered, missing: remembered };
  const cause =
    fault ?? (seal.chain === remembered.chain ? null : 'it is of another chain than the remembered one');
  return cause === null ? resumed : { how: 'new', cause, missing: null };
}

/**
 * If no seal can be read. Nothing is written behind `stopped`. Behind another seal there may have been lines, which the next seal would have to
 * cover: a new chain claims nothing about them.
 */
export function startWithoutSeal(remembered: ReadSeal | null): ChainStart {
  if (remembered?.event === 'stopped') return { how: 'continued', behind: remembered, missing: remembered };
  return { how: 'new', cause: null, missing: remembered };
}

/** Whether the files have the remembered seal, or have only lost it by rotation. `seal`: the last one of the files. */
async function hasRemembered(
  remembered: ReadSeal,
  { seal, isOwn, find }: Pick<ChainFacts, 'find'> & { readonly seal: ReadSeal; readonly isOwn: boolean },
): Promise<boolean> {
  // A gateway with the same key can have written it: its time proves nothing.
  if (seal.chain !== remembered.chain) return (await find(remembered)) === 'found';
  // The files end before it, even if it stands somewhere in them.
  if (seal.seq <= remembered.seq) return false;
  // Only this gateway can have written it, and it has done so behind the remembered one.
  return isOwn || (await find(remembered)) !== 'absent';
}

/** Why the seal is not one of this gateway, as far as that can be known; null: nothing speaks against it. */
function faultOf({ seal, line }: FoundSeal, privateKey: KeyObject | null): string | null {
  if (seal.seq > maxSeq) return `its number ${seal.seq} is too large`;
  if (privateKey === null)
    return seal.key === null ? null : `it is signed with the key ${seal.key}, and audit.seal has none`;
  const publicKey = createPublicKey(privateKey);
  const signature = checkSignature(seal, { line, keys: new Map([[keyIdOf(publicKey), publicKey]]) });
  switch (signature) {
    case 'valid':
      return null;
    case 'unsigned':
      return 'it is not signed';
    case 'unknown':
      return `it is signed with another key, ${seal.key}`;
    case 'invalid':
      return 'its signature is wrong';
    default:
      return signature satisfies never;
  }
}
