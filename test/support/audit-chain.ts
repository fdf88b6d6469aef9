/** Follows the seals in audit files, independently of `audit verify`. */
import { createHash, type KeyObject, verify } from 'node:crypto';
import { readFileSync } from 'node:fs';

export interface ChainReport {
  /** What does not fit, as `file:line what`. Empty: sound. */
  readonly problems: readonly string[];
  readonly events: readonly string[];
  readonly chains: readonly string[];
  /** Records, without seals. */
  readonly records: readonly string[];
  /** Records after the last seal. */
  readonly tail: number;
  /** The sum over all seals. */
  readonly lost: number;
}

interface State {
  hash: string[];
  last: { readonly chain: string; readonly seq: number; readonly line: string } | null;
}

/** `files`: in the order in which they were written. */
export function followSeals(files: readonly string[], publicKey: KeyObject | null = null): ChainReport {
  const report = { problems: [] as string[], events: [] as string[], records: [] as string[], lost: 0 };
  const chains = new Set<string>();
  const state: State = { hash: [], last: null };
  for (const file of files) {
    // What follows the last newline is no line.
    const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1);
    for (const [index, line] of lines.entries()) {
      const seal = sealOf(line);
      if (seal === null) {
        report.records.push(line);
        state.hash.push(line);
        continue;
      }
      const fail = (what: string) => report.problems.push(`${file}:${index + 1} ${what}`);
      checkSeal({ seal, line, state, publicKey, fail });
      report.events.push(seal.event);
      report.lost += seal.lost;
      chains.add(seal.chain);
      state.hash = [];
      state.last = { chain: seal.chain, seq: seal.seq, line };
    }
  }
  return { ...report, chains: [...chains], tail: state.hash.length };
}

// biome-ignore lint/suspicious/noExplicitAny: looked into field by field
function sealOf(line: string): any {
  if (!line.startsWith('{"type":"seal",')) return null;
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}

function checkSeal(options: {
  // biome-ignore lint/suspicious/noExplicitAny: as above
  readonly seal: any;
  readonly line: string;
  readonly state: State;
  readonly publicKey: KeyObject | null;
  readonly fail: (what: string) => void;
}): void {
  const { seal, line, state, publicKey, fail } = options;
  const { last, hash } = state;
  if (last !== null && seal.chain === last.chain) {
    if (seal.seq !== last.seq + 1) fail(`seq ${seal.seq} after ${last.seq}`);
    if (seal.previous !== sha256(last.line)) fail('previous');
  }
  if (seal.event !== 'truncated' && (last !== null || seal.seq === 0)) {
    const expected = seal.event === 'started' ? [] : hash;
    if (seal.lines !== expected.length)
      fail(`${seal.event} of ${seal.lines} lines, found ${expected.length}`);
    else if (seal.sha256 !== sha256(expected.map((each) => `${each}\n`).join(''))) fail('sha256');
  }
  if (publicKey === null) return;
  const signed = Buffer.from(line.slice(0, line.lastIndexOf(',"signature":')));
  if (!verify(null, signed, publicKey, Buffer.from(seal.signature, 'base64'))) fail('signature');
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
