/** Matches leaves against `clients.match`: values are compared exactly and case-sensitively. */
import type { Certificate } from '../pki/certificate.ts';
import type { MatchRule } from '../policy/snapshot.ts';

/** Whether any rule matches. A rule matches if all of its fields do; a rule without fields matches no leaf. */
export function matchesAny(leaf: Certificate, rules: readonly MatchRule[]): boolean {
  return rules.some((rule) => matches(leaf, rule));
}

/** For rules that do not match: how the leaf differs from the rule with the fewest differences. */
export function explainMismatch(leaf: Certificate, rules: readonly MatchRule[]): string {
  const differences = rules.map((rule) =>
    fieldsOf(rule).filter((field) => !hasValue(leaf, field, rule[field])),
  );
  const fewest = Math.min(...differences.map(({ length }) => length));
  const index = differences.findIndex(({ length }) => length === fewest);
  const rule = rules[index];
  const fields = differences[index];
  if (rule === undefined || fields === undefined || fields.length === 0)
    return 'clients.match has no mapping with a field, so it matches no certificate';
  const differing = fields.map((field) => {
    const found = valuesOf(leaf, field).slice(0, MAX_VALUES);
    const has = found.length === 0 ? 'none' : found.map(quote).join(' and ');
    return `${field} is ${has}, not ${quote(rule[field] ?? '')}`;
  });
  const nearest =
    rules.length === 1
      ? 'clients.match'
      : `clients.match: mapping ${index + 1} of ${rules.length} is nearest`;
  return `${nearest}: the leaf’s ${differing.join('; ')}`;
}

/** Limits for the detail: a certificate may have thousands of long names. */
const MAX_VALUES = 3;
const MAX_LENGTH = 80;

function quote(value: string): string {
  return JSON.stringify(value.length > MAX_LENGTH ? `${value.slice(0, MAX_LENGTH)}…` : value);
}

function matches(leaf: Certificate, rule: MatchRule): boolean {
  const fields = fieldsOf(rule);
  return fields.length > 0 && fields.every((field) => hasValue(leaf, field, rule[field]));
}

function fieldsOf(rule: MatchRule): (keyof MatchRule)[] {
  return Object.keys(rule) as (keyof MatchRule)[];
}

function hasValue(leaf: Certificate, field: keyof MatchRule, wanted: string | undefined): boolean {
  if (wanted === undefined) return false;
  if (field === 'thumbprint' && leaf.sha256 === wanted.replaceAll(':', '').toLowerCase()) return true;
  return valuesOf(leaf, field).includes(wanted);
}

function valuesOf(leaf: Certificate, field: keyof MatchRule): readonly string[] {
  switch (field) {
    case 'organizationalUnit':
      return leaf.organizationalUnits;
    case 'commonName':
      return leaf.commonNames;
    case 'issuer':
      return [leaf.issuer];
    case 'san':
      return leaf.sans;
    case 'thumbprint':
      return [leaf.thumbprint];
    default:
      return field satisfies never;
  }
}
