/**
 * Compares the gateway's path validation with OpenSSL's over generated chains: real handshakes, full and resumed, with TLS
 * 1.2 and 1.3, with and without CA names. `EHI_FUZZ_CHAINS` sets their number and `EHI_FUZZ_SEED` the first seed. A failure
 * names its seed; `EHI_FUZZ_CHAINS=8` with that seed repeats it.
 */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { stricter } from '../support/fuzz/disagreements.ts';
import { Judge } from '../support/fuzz/judge.ts';

const chains = Number(process.env.EHI_FUZZ_CHAINS ?? 20_000);
const firstSeed = Number(process.env.EHI_FUZZ_SEED ?? 1);

it(
  `authorizes none of ${chains} chains that OpenSSL rejects for the contents of a certificate, seed ${firstSeed}`,
  async () => {
    await using judge = await Judge.open();
    const outcomes = new Map<string, number>();
    const failures: string[] = [];
    let judged = 0;
    for (let seed = firstSeed; judged < chains; seed++) {
      for (const [index, outcome] of ((await judge.judge(seed)) ?? []).entries()) {
        judged++;
        if ('failed' in outcome) failures.push(`EHI_FUZZ_SEED=${seed}, leaf ${index}: ${outcome.failed}`);
        else outcomes.set(outcome.ok, (outcomes.get(outcome.ok) ?? 0) + 1);
      }
      if (failures.length >= 20) break;
    }
    const table = [...outcomes].sort(([, one], [, other]) => other - one);
    console.info(
      `${judged} chains from seed ${firstSeed}:\n${table.map(([what, count]) => `${count} ${what}`).join('\n')}`,
    );
    expect(failures).toEqual([]);
    // If nearly every chain is denied, or most handshakes fail, the comparison proves nothing.
    if (judged >= 5000) {
      const share = (what: string) => (outcomes.get(what) ?? 0) / judged;
      expect(share('both allow')).toBeGreaterThan(0.15);
      expect(share('no handshake') + share('no certificate was sent')).toBeLessThan(0.1);
      for (const reason of [
        'wrong_purpose',
        'name_constraints',
        'unsupported_extension',
        'weak_key',
        'expired',
      ])
        expect(outcomes.get(`both deny: ${reason}`), reason).toBeGreaterThan(0);
    }
  },
  120_000 + chains * 100,
);

it('has the classes of disagreement that docs/conformance.md lists, and no others', () => {
  const page = readFileSync(new URL('../../docs/conformance.md', import.meta.url), 'utf8');
  const rows = [...page.matchAll(/^\| (`\w+`(?:, `\w+`)*) \| ([^|]+?) \| [^|]+ \|$/gm)].map(
    ([, reasons, what]) => ({ reasons, what }),
  );
  expect(rows).toEqual(
    stricter.map(({ reasons, what }) => ({
      reasons: reasons.map((reason) => `\`${reason}\``).join(', '),
      what,
    })),
  );
});
