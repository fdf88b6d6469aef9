/** The summary of a verification: what was read, which keys signed, and what is not proven. */
import type { ChainCheck } from './chain-check.ts';
import type { Verification } from './verification.ts';

export interface ChainSummary {
  readonly chain: string;
  readonly firstSeq: number;
  readonly lastSeq: number;
  readonly seals: number;
  readonly sealedLines: number;
  /** Key ids; null: seals without a signature. */
  readonly keys: readonly (string | null)[];
  readonly firstTime: string;
  readonly lastTime: string;
  readonly lastEvent: string;
}

export interface VerifySummary {
  readonly verdict: 'tampered' | 'incomplete' | 'sound';
  readonly lines: number;
  readonly seals: number;
  readonly sealedLines: number;
  readonly keys: readonly (string | null)[];
  readonly firstTime: string | null;
  readonly lastTime: string | null;
  readonly chains: readonly ChainSummary[];
  /** Sentences. */
  readonly notProven: readonly string[];
}

/** `hasPublicKey`: signatures were checked. */
export function summarize(
  { findings, files, chains }: Verification,
  { hasPublicKey }: { readonly hasPublicKey: boolean },
): VerifySummary {
  const chainSummaries = [...chains.values()].flatMap(summarizeChain);
  const keys = [...new Set(chainSummaries.flatMap((chain) => chain.keys))];
  const sum = (counts: readonly number[]) => counts.reduce((total, count) => total + count, 0);
  return {
    verdict: findings.verdict,
    lines: sum(files.map(({ lines }) => lines)),
    seals: sum(files.map(({ seals }) => seals)),
    sealedLines: sum(chainSummaries.map(({ sealedLines }) => sealedLines)),
    keys,
    firstTime: files.find(({ firstTime }) => firstTime !== null)?.firstTime ?? null,
    lastTime: files.findLast(({ lastTime }) => lastTime !== null)?.lastTime ?? null,
    chains: chainSummaries,
    notProven: notProven(chainSummaries, { keys, hasPublicKey }),
  };
}

function summarizeChain({ chain, first, tip, seals, sealedLines, keys }: ChainCheck): ChainSummary[] {
  if (first === null || tip === null) return [];
  const { seal } = tip;
  return [
    {
      ...{ chain, firstSeq: first.seal.seq, lastSeq: tip.seq, seals, sealedLines, keys: [...keys] },
      ...{ firstTime: first.seal.time, lastTime: seal.time, lastEvent: seal.event },
    },
  ];
}

function notProven(
  chains: readonly ChainSummary[],
  { keys, hasPublicKey }: { readonly keys: readonly (string | null)[]; readonly hasPublicKey: boolean },
): string[] {
  const isSigned = keys.some((key) => key !== null);
  const last = chains.at(-1);
  return [
    ...(hasPublicKey
      ? []
      : [
          isSigned
            ? 'Signatures were not checked, because no public key was given (--public-key). Without it the seals prove nothing against a person who makes the whole chain anew.'
            : 'The seals have no signatures. They prove nothing against a person who makes the whole chain anew.',
        ]),
    ...(last === undefined
      ? []
      : [
          `What the gateway wrote after the last seal (${last.lastTime}, number ${last.lastSeq}${last.lastEvent === 'stopped' ? ', an orderly stop' : ''}): lines and seals removed from the end cannot be missed here. Compare this number and time with the gateway's metrics or with a later file.`,
        ]),
    ...(chains.length > 1
      ? ['That no whole chain is missing between two others: each chain proves only its own lines.']
      : []),
    'What happened before the gateway wrote a line, and the clock of its machine.',
  ];
}
