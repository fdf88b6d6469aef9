/**
 * One part of the comparison of the gateway's path validation with OpenSSL's over generated chains. The parts are files of
 * their own, so that several cores run them at once; part N of 4 takes every fourth seed, from the N-th on.
 * `EHI_FUZZ_CHAINS` sets the number of all chains and `EHI_FUZZ_SEED` the first seed. A failure names its seed; with it as
 * the first, `EHI_FUZZ_CHAINS=8` and part 1 repeat it.
 */
import { expect, it } from 'vitest';
import { Judge } from './judge.ts';

const parts = 4;
const allChains = Number(process.env.EHI_FUZZ_CHAINS ?? 20_000);
const firstSeed = Number(process.env.EHI_FUZZ_SEED ?? 1);

export function compareWithOpenssl(part: 1 | 2 | 3 | 4): void {
  const chains = Math.ceil(allChains / parts);
  const first = firstSeed + part - 1;
  it(
    `authorizes none of ${chains} chains that OpenSSL rejects for the contents of a certificate, each ${parts}th seed from ${first}`,
    async () => {
      const { judged, outcomes, failures } = await judgeChains(chains, first);
      expect(failures).toEqual([]);
      // If nearly every chain is denied, or most handshakes fail, the comparison proves nothing.
      if (judged >= 5000) expectVariety(outcomes, judged);
    },
    120_000 + chains * 100,
  );
}

async function judgeChains(chains: number, first: number) {
  await using judge = await Judge.open();
  const outcomes = new Map<string, number>();
  const failures: string[] = [];
  let judged = 0;
  for (let seed = first; judged < chains; seed += parts) {
    for (const [index, outcome] of ((await judge.judge(seed)) ?? []).entries()) {
      judged++;
      if ('failed' in outcome) failures.push(`EHI_FUZZ_SEED=${seed}, leaf ${index}: ${outcome.failed}`);
      else outcomes.set(outcome.ok, (outcomes.get(outcome.ok) ?? 0) + 1);
    }
    if (failures.length >= 20) break;
  }
  const table = [...outcomes].sort(([, one], [, other]) => other - one);
  console.info(
    `${judged} chains from seed ${first}:\n${table.map(([what, count]) => `${count} ${what}`).join('\n')}`,
  );
  return { judged, outcomes, failures };
}

function expectVariety(outcomes: ReadonlyMap<string, number>, judged: number): void {
  const share = (what: string) => (outcomes.get(what) ?? 0) / judged;
  expect(share('both allow')).toBeGreaterThan(0.15);
  expect(share('no handshake') + share('no certificate was sent')).toBeLessThan(0.1);
  for (const reason of ['wrong_purpose', 'name_constraints', 'unsupported_extension', 'weak_key', 'expired'])
    expect(outcomes.get(`both deny: ${reason}`), reason).toBeGreaterThan(0);
}
