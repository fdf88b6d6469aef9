/** `clients.match`: which leaves are meant, compared exactly and case-sensitively. */
import type { Certificate } from '../pki/certificate.ts';
import type { MatchRule } from '../policy/snapshot.ts';

/** One rule fits when all of its fields do; a rule without fields fits nobody. */
export function matchesAny(leaf: Certificate, rules: readonly MatchRule[]): boolean {
  return rules.some((rule) => matches(leaf, rule));
}

function matches(leaf: Certificate, rule: MatchRule): boolean {
  const fields = Object.keys(rule) as (keyof MatchRule)[];
  return fields.length > 0 && fields.every((field) => fits(leaf, field, rule[field]));
}

function fits(leaf: Certificate, field: keyof MatchRule, wanted: string | undefined): boolean {
  if (wanted === undefined) return false;
  switch (field) {
    case 'organizationalUnit':
      return leaf.organizationalUnits.includes(wanted);
    case 'commonName':
      return leaf.commonNames.includes(wanted);
    case 'issuer':
      return leaf.issuer === wanted;
    case 'san':
      return leaf.sans.includes(wanted);
    case 'thumbprint':
      return leaf.thumbprint === wanted || leaf.sha256 === wanted.replaceAll(':', '').toLowerCase();
    default:
      return field satisfies never;
  }
}
