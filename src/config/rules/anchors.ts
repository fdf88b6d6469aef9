/** The rules of `trust`: where an anchor comes from, which ones go together, and how its revocation is checked. */
import type { Finding, Path } from '../document.ts';
import { duplicates, type Fields, fieldsOf, itemsOf } from '../yaml-values.ts';
import type { RuleFindings } from './rules.ts';

interface Entry {
  readonly anchor: Fields;
  readonly path: Path;
}

export function checkAnchors(trust: Fields, { problems, warnings }: RuleFindings): void {
  // Candidates keep the rules of the anchors, for they are to become anchors as they stand.
  const entries = (['anchors', 'candidates'] as const).flatMap((list) =>
    itemsOf(trust[list]).map((value, index): Entry => {
      return { anchor: fieldsOf(value), path: ['trust', list, index] };
    }),
  );
  for (const entry of entries) {
    problems.push(...sourceProblems(entry));
    (trust.requirePin === true ? problems : warnings).push(...missingPin(entry));
    warnings.push(...revocationDoubts(entry));
  }
  problems.push(...repeatedNames(entries));
  problems.push(...mixedPresets(entries));
}

function sourceProblems({ anchor, path }: Entry): Finding[] {
  const problems: Finding[] = [];
  const sources = (['preset', 'files', 'urls'] as const).filter((source) => source in anchor);
  if (sources.length !== 1) {
    const found = sources.length === 0 ? 'none of preset, files, urls' : sources.join(' and ');
    problems.push({ path, found, allowed: 'exactly one of preset, files, urls' });
  }
  if ('tls' in anchor && !('urls' in anchor)) {
    const found = 'tls without urls';
    problems.push({ path: [...path, 'tls'], found, allowed: 'tls beside urls', atKey: true });
  }
  return problems;
}

/** A candidate may have the name of the anchor that it is to replace. */
function repeatedNames(entries: readonly Entry[]): Finding[] {
  const keyOf = ({ anchor: { name }, path }: Entry) => {
    // Names are file names too, and some systems see no case in those.
    return typeof name === 'string' ? `${String(path[1])} ${name.toLowerCase()}` : undefined;
  };
  return duplicates(entries, keyOf).map((index) => {
    const { path = [] } = entries[index] ?? {};
    return { path: [...path, 'name'], allowed: 'a name that no other anchor has' };
  });
}

function missingPin({ anchor, path }: Entry): Finding[] {
  if ('rootSha256' in anchor || !('preset' in anchor || 'urls' in anchor)) return [];
  const found = 'no rootSha256: the first root that is fetched is trusted';
  return [{ path, found, allowed: 'rootSha256, the SHA-256 of the root’s DER in hex' }];
}

function revocationDoubts({ anchor, path }: Entry): Finding[] {
  const { crl, ocsp, onUnknown } = fieldsOf(anchor.revocation);
  if (crl === 'off' && ocsp === 'off') {
    const found = 'crl: off and ocsp: off: a revoked certificate opens the gateway until it expires';
    const allowed = 'revocation lists, OCSP or both';
    return [{ path: [...path, 'revocation'], found, allowed, atKey: true }];
  }
  if (onUnknown !== 'allow') return [];
  const found =
    'soft-fail: whoever keeps the revocation sources away from the gateway opens it to the revoked';
  return [{ path: [...path, 'revocation', 'onUnknown'], found, allowed: 'deny' }];
}

function mixedPresets(entries: readonly Entry[]): Finding[] {
  const presets = entries.map(({ anchor }) => anchor.preset);
  if (!presets.includes('sandbox') || !presets.includes('production')) return [];
  const second = Math.max(presets.indexOf('sandbox'), presets.indexOf('production'));
  const found = 'the presets sandbox and production in one configuration';
  const allowed = 'one of them: test certificates must never open production';
  return [{ path: [...(entries[second]?.path ?? []), 'preset'], found, allowed }];
}
