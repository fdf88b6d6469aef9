/** Verifies a set of audit files that a test made, and finds places in it. */
import type { KeyObject } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { keyIdOf } from '../../../src/audit/seals/seal.ts';
import type { Compression } from '../../../src/auditing/reading/lines.ts';
import type { Finding } from '../../../src/auditing/verify/finding.ts';
import type { Verification } from '../../../src/auditing/verify/verification.ts';
import { verifyFiles } from '../../../src/auditing/verify/verify.ts';
import { type AuditSet, keyPair, writeSet } from './audit-set.ts';

export interface Verified {
  readonly verification: Verification;
  readonly verdict: 'sound' | 'incomplete' | 'tampered';
  /** `kind` of each finding that is no notice. */
  readonly kinds: readonly string[];
  /** Of the files, oldest first. */
  readonly paths: readonly string[];
}

export interface VerifySetOptions {
  readonly compressions?: readonly Compression[];
  /** null: signatures are not checked. */
  readonly publicKeys?: readonly KeyObject[] | null;
  readonly acceptsConfirmed?: boolean;
  readonly maxChains?: number;
  /** The order in which the files are given; default reversed. */
  readonly order?: (paths: readonly string[]) => readonly string[];
}

export const allCompressions = ['gzip', 'none', 'zstd'] as const;

export async function verifySet(
  set: AuditSet,
  {
    compressions = ['none'],
    publicKeys = [keyPair.publicKey],
    acceptsConfirmed = false,
    maxChains,
    order = (paths) => paths.toReversed(),
  }: VerifySetOptions = {},
): Promise<Verified> {
  const folder = await mkdtemp(join(tmpdir(), 'ehi-gateway-audit-'));
  try {
    const paths = writeSet(set, { folder, compressions });
    const keys = publicKeys === null ? null : new Map(publicKeys.map((key) => [keyIdOf(key), key]));
    const verification = await verifyFiles(order(paths), { keys, acceptsConfirmed, maxChains });
    const { sorted, verdict } = verification.findings;
    const kinds = sorted.filter(({ severity }) => severity !== 'notice').map(({ kind }) => kind);
    return { verification, verdict, kinds, paths };
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** A line by the index of its file and its number from 1. */
export interface At {
  readonly file: number;
  readonly line: number;
}

/** Whether the finding lies around the place, and no further than the next seals: both ends are given. */
export function includes(
  { from, to }: Finding,
  { paths, at }: { readonly paths: readonly string[]; readonly at: At },
): boolean {
  const before = (a: At, b: At) => a.file < b.file || (a.file === b.file && a.line <= b.line);
  const place = (found: Finding['from']) =>
    found === null ? null : { file: paths.indexOf(found.file), line: found.line };
  const [begin, end] = [place(from), place(to)];
  return (begin === null || before(begin, at)) && (end === null || before(at, end));
}
