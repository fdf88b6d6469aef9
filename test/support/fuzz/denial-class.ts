/**
 * Finds the class of a denial that only the gateway makes. If OpenSSL may have used another certificate than the one that
 * is denied, both judge the leaf again without that choice, so that the class is proved.
 */
import type { X509Certificate } from 'node:crypto';
import type { CompiledPolicy } from '../../../src/gateway/compiled-policy.ts';
import type { Denial } from '../../../src/identity/verdict.ts';
import type { AnchorMaterial } from '../../../src/policy/snapshot.ts';
import type { OpensslVerdict } from '../pki/openssl-verdict.ts';
import type { Chain } from './chains.ts';
import { type Disagreement, stricter } from './disagreements.ts';
import type { Outcome } from './outcome.ts';
import { base, policyOf, present, textOf, verdictOn } from './verdicts.ts';

interface Denied {
  readonly denial: Denial;
  readonly chain: Chain;
  readonly anchors: readonly AnchorMaterial[];
  /** The policy that denied. */
  readonly policy: CompiledPolicy;
}

export async function classifyDenial(denied: Denied, openssl: OpensslVerdict): Promise<Outcome> {
  const { denial, anchors, chain, policy } = denied;
  const listed = findListed(denied);
  // The fault of one CA must not hide that another one of its name is denied for a reason that is not listed.
  if (listed !== undefined && findNamesakes(policy).length === 0) return okOf(listed);
  const outcome = await judgeHeld(chain, anchors, openssl);
  if (outcome !== null && 'failed' in outcome) return outcome;
  if (listed !== undefined) return okOf(listed);
  if (outcome !== null) return outcomeOf('namesakes', denial);
  return chain.along.every((der) => holds(anchors, der))
    ? { failed: 'OpenSSL did not accept the leaf again' }
    : outcomeOf('sent along', denial);
}

/** Whether the gateway finds a path to the leaf only if the anchors lack another CA with the name of one on the path. */
export function missesPath(
  leaf: X509Certificate,
  policy: CompiledPolicy,
  anchors: Denied['anchors'],
): boolean {
  const now = Date.now();
  if (policy.identity.paths.validate(leaf, now).allow) return false;
  return findNamesakes(policy).some((der) => {
    const { identity } = policyOf({ ...base, anchors: without(anchors, der) }, null);
    return identity.paths.validate(leaf, now).allow;
  });
}

function findListed({ denial, policy }: Omit<Denied, 'chain' | 'anchors'>): Disagreement | undefined {
  const selfIssued = policy.identity.paths.anchors.some(({ certificates: [, ...below] }) =>
    below.some((ca) => ca.isSelfIssued),
  );
  return stricter.find(
    ({ reasons, detail, belowSelfIssued, proof }) =>
      proof === undefined &&
      reasons.includes(denial.reason) &&
      detail.test(denial.detail) &&
      (belowSelfIssued !== true || selfIssued),
  );
}

function outcomeOf(proof: Disagreement['proof'], denial: Denial): Outcome {
  const known = stricter.find((each) => each.proof === proof && each.reasons.includes(denial.reason));
  return known === undefined ? { failed: `only the gateway denies: ${textOf(denial)}` } : okOf(known);
}

function okOf({ what }: Disagreement): Outcome {
  return { ok: `only the gateway denies: ${what}` };
}

/**
 * Judges the leaf with these anchors and with no other certificates. null: OpenSSL rejects it. `ok`: only the gateway
 * denies it, for a reason that is listed for every certificate that OpenSSL may have used.
 */
async function judgeHeld(
  chain: Chain,
  anchors: readonly AnchorMaterial[],
  openssl: OpensslVerdict,
): Promise<Outcome | null> {
  const along = chain.along.filter((der) => holds(anchors, der));
  const snapshot = { ...base, anchors };
  openssl.use(snapshot);
  const handshakes = await openssl.judge(present({ ...chain, along }));
  if (handshakes === null) return { failed: 'no handshake with fewer certificates' };
  if (handshakes.full.opensslCode !== null) return null;
  const policy = policyOf(snapshot, null);
  const denial = verdictOn(handshakes.full, policy);
  if (denial.allow) return { failed: 'only the gateway denies, but not with fewer CAs' };
  // A recursion, since several certificates may have the name. The order of the anchors stays.
  const outcomes: Outcome[] = [];
  for (const der of findNamesakes(policy)) {
    const fewer = without(anchors, der);
    const outcome = fewer.length === 0 ? null : await judgeHeld(chain, fewer, openssl);
    if (outcome !== null) outcomes.push(outcome);
  }
  const failed = outcomes.find((outcome) => 'failed' in outcome);
  if (failed !== undefined) return failed;
  if (findListed({ denial, policy }) !== undefined) return { ok: 'listed' };
  return outcomes[0] ?? { failed: `only the gateway denies: ${textOf(denial)}` };
}

function holds(anchors: readonly AnchorMaterial[], der: Buffer): boolean {
  return anchors.some(({ root, issuing }) => [root, ...issuing].some((each) => der.equals(each)));
}

/** DER of the anchors' certificates that share their subject with another one. */
function findNamesakes({ identity: { paths } }: CompiledPolicy): Uint8Array[] {
  const cas = new Map(
    paths.anchors.flatMap(({ certificates }) => certificates).map((ca) => [ca.sha256, ca] as const),
  );
  return [...cas.values()]
    .filter((ca) =>
      [...cas.values()].some((other) => other !== ca && other.canonicalSubject === ca.canonicalSubject),
    )
    .map(({ der }) => der);
}

function without(anchors: readonly AnchorMaterial[], der: Uint8Array): AnchorMaterial[] {
  const isOther = (each: Uint8Array) => Buffer.compare(each, der) !== 0;
  return anchors
    .filter(({ root }) => isOther(root))
    .map((anchor) => ({ ...anchor, issuing: anchor.issuing.filter(isOther) }));
}
