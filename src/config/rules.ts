/** The rules between fields. They read the raw values, so that they speak up beside the schema's own problems. */
import { parseRange } from '../source/address.ts';
import type { Finding, Path } from './document.ts';

export const callerSentence =
  'The chain alone proves only that the CA issued the certificate, and that CA serves every customer';

export interface RuleFindings {
  readonly problems: Finding[];
  readonly warnings: Finding[];
}

/** `config`: whatever the YAML says; what is not of the right shape is passed over, for the schema has named it. */
export function checkRules(config: unknown): RuleFindings {
  const findings: RuleFindings = { problems: [], warnings: [] };
  const { trust, clients, routes } = fieldsOf(config);
  checkAnchors(fieldsOf(trust), findings);
  checkCallers(fieldsOf(clients), findings);
  findings.problems.push(
    ...duplicates(itemsOf(routes), (route) => fieldsOf(route).path).map((index) => ({
      path: ['routes', index, 'path'],
      allowed: 'a path that no other route has',
    })),
  );
  return findings;
}

function checkAnchors(trust: Fields, { problems, warnings }: RuleFindings): void {
  const anchors = itemsOf(trust.anchors).map(fieldsOf);
  anchors.forEach((anchor, index) => {
    const path: Path = ['trust', 'anchors', index];
    const sources = (['preset', 'files', 'urls'] as const).filter((source) => source in anchor);
    if (sources.length !== 1) {
      const found = sources.length === 0 ? 'none of preset, files, urls' : sources.join(' and ');
      problems.push({ path, found, allowed: 'exactly one of preset, files, urls' });
    }
    if ('tls' in anchor && !('urls' in anchor)) {
      problems.push({
        path: [...path, 'tls'],
        found: 'tls without urls',
        allowed: 'tls beside urls',
        atKey: true,
      });
    }
    if (!('rootSha256' in anchor) && ('preset' in anchor || 'urls' in anchor)) {
      const found = 'no rootSha256: the first root that is fetched is trusted';
      const finding = { path, found, allowed: 'rootSha256, the SHA-256 of the root’s DER in hex' };
      if (trust.requirePin === true) problems.push(finding);
      else warnings.push(finding);
    }
  });
  for (const index of duplicates(anchors, ({ name }) => lowerCase(name))) {
    problems.push({ path: ['trust', 'anchors', index, 'name'], allowed: 'a name that no other anchor has' });
  }
  const presets = anchors.map(({ preset }) => preset);
  if (presets.includes('sandbox') && presets.includes('production')) {
    const second = Math.max(presets.indexOf('sandbox'), presets.indexOf('production'));
    problems.push({
      path: ['trust', 'anchors', second, 'preset'],
      found: 'the presets sandbox and production in one configuration',
      allowed: 'one of them: test certificates must never open production',
    });
  }
}

/** Whether the allowlist, and whether the matches, of `clients` name a caller; pins are judged with the anchors. */
export function namesCaller(clients: Fields): { readonly byAddress: boolean; readonly byMatch: boolean } {
  return {
    byAddress: 'allowlist' in clients && !itemsOf(clients.allowlist).some(isEveryAddress),
    // Any one object of a list lets a caller in: one that names only the issuer undoes the others.
    byMatch: 'match' in clients && !itemsOf(clients.match).some(namesOnlyIssuer),
  };
}

/** Wrong values count as naming a caller here: their own problem stands already. */
function checkCallers(clients: Fields, { problems, warnings }: RuleFindings): void {
  const { byAddress, byMatch } = namesCaller(clients);
  const byCertificate = 'pins' in clients || byMatch;
  const allowed = `a match, pin or allowlist that names the caller, or anyCertificateOfAnchor: true. ${callerSentence}`;
  if (!byAddress && !byCertificate && clients.anyCertificateOfAnchor !== true) {
    problems.push({ path: ['clients'], found: 'nothing that names a caller', allowed, atKey: true });
  }
  if (!byAddress) {
    const hasAllowlist = 'allowlist' in clients;
    const path = hasAllowlist ? ['clients', 'allowlist'] : ['clients'];
    const found = hasAllowlist
      ? 'a range of length /0: every address of its family may connect'
      : 'no allowlist: any address may connect';
    warnings.push({ path, found, allowed: 'an allowlist of the networks that call', atKey: true });
  } else if (!byCertificate && clients.anyCertificateOfAnchor !== true) {
    warnings.push({ path: ['clients', 'allowlist'], found: 'an allowlist alone', allowed, atKey: true });
  }
}

function isEveryAddress(range: unknown): boolean {
  return typeof range === 'string' && parseRange(range)?.prefix === 0;
}

function namesOnlyIssuer(match: unknown): boolean {
  return Object.keys(fieldsOf(match)).every((key) => key === 'issuer') && 'issuer' in fieldsOf(match);
}

/** The indices of items whose text another one before them has; what is no text is passed over. */
function duplicates<T>(items: readonly T[], keyOf: (item: T) => unknown): number[] {
  const seen = new Set<unknown>();
  return items.flatMap((item, index) => {
    const key = keyOf(item);
    if (typeof key !== 'string') return [];
    if (seen.has(key)) return [index];
    seen.add(key);
    return [];
  });
}

/** Anchor names are file names too, and some systems see no case in those. */
function lowerCase(name: unknown): unknown {
  return typeof name === 'string' ? name.toLowerCase() : name;
}

type Fields = Readonly<Record<string, unknown>>;

function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {};
}

function itemsOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : value === undefined ? [] : [value];
}
