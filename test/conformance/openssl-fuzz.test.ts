/**
 * Compares the gateway's path validation with OpenSSL's over generated chains: real handshakes, full and resumed, with TLS
 * 1.2 and 1.3, with and without CA names. This is the first of four parts; test/support/fuzz/comparison.ts says how to
 * choose their chains.
 */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { compareWithOpenssl } from '../support/fuzz/comparison.ts';
import { stricter } from '../support/fuzz/disagreements.ts';

compareWithOpenssl(1);

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
