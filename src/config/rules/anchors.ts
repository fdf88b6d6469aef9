/** The rules of `trust`: one source for each anchor, no contradictions between anchors, and safe revocation checks. */
import type { Diagnostic, Diagnostics, Path } from '../diagnostic.ts';
import { duplicates, type Fields, fieldsOf, itemsOf } from '../yaml-values.ts';

interface Entry {
  readonly anchor: Fields;
  readonly path: Path;
}

export function checkAnchors(trust: Fields, { problems, warnings }: Diagnostics): void {
  // The rules hold for candidates too: each is meant to become an anchor unchanged.
  const entries = (['anchors', 'candidates'] as const).flatMap((list) =>
    itemsOf(trust[list]).map((value, index): Entry => {
      return { anchor: fieldsOf(value), path: ['trust', list, index] };
    }),
  );
  for (const entry of entries) {
    problems.push(...sourceProblems(entry));
    (trust.requirePin === true ? problems : warnings).push(...missingPin(entry));
    warnings.push(...revocationWarnings(entry));
  }
  problems.push(...repeatedNames(entries));
  problems.push(...mixedPresets(entries));
}

function sourceProblems({ anchor, path }: Entry): Diagnostic[] {
  const problems: Diagnostic[] = [];
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

/** A candidate may have the name of the anchor that it will replace. */
function repeatedNames(entries: readonly Entry[]): Diagnostic[] {
  const keyOf = ({ anchor: { name }, path }: Entry) => {
    // Names are also file names, which some file systems compare without case.
    return typeof name === 'string' ? `${String(path[1])} ${name.toLowerCase()}` : undefined;
  };
  return duplicates(entries, keyOf).map((index) => {
    const { path = [] } = entries[index] ?? {};
    return { path: [...path, 'name'], allowed: 'a name that no other anchor has' };
  });
}

function missingPin({ anchor, path }: Entry): Diagnostic[] {
  if ('rootSha256' in anchor || !('preset' in anchor || 'urls' in anchor)) return [];
  const found = 'no rootSha256: the first root that is fetched is trusted';
  return [{ path, found, allowed: 'rootSha256, the SHA-256 of the root’s DER in hex' }];
}

function revocationWarnings({ anchor, path }: Entry): Diagnostic[] {
  const { crl, ocsp, onUnknown } = fieldsOf(anchor.revocation);
  if (crl === 'off' && ocsp === 'off') {
    const found = 'crl: off and ocsp: off: a revoked certificate is accepted until it expires';
    const allowed = 'CRLs, OCSP or both';
    return [{ path: [...path, 'revocation'], found, allowed, atKey: true }];
  }
  if (onUnknown !== 'allow') return [];
  const found =
    'soft-fail: a revoked certificate is accepted while the gateway cannot reach the revocation sources';
  return [{ path: [...path, 'revocation', 'onUnknown'], found, allowed: 'deny' }];
}

function mixedPresets(entries: readonly Entry[]): Diagnostic[] {
  const presets = entries.map(({ anchor }) => anchor.preset);
  if (!presets.includes('sandbox') || !presets.includes('production')) return [];
  const second = Math.max(presets.indexOf('sandbox'), presets.indexOf('production'));
  const found = 'the presets sandbox and production in one configuration';
  const allowed = 'one of them: production must not accept test certificates';
  return [{ path: [...(entries[second]?.path ?? []), 'preset'], found, allowed }];
}
