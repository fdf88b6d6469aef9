/** Compares the verdicts of OpenSSL and the gateway on the leaves of one generated hierarchy. */
import type { CompiledPolicy } from '../../../src/gateway/compiled-policy.ts';
import type { Peer } from '../../../src/handshake/tls-parameters.ts';
import { classifyOpensslCode } from '../../../src/identity/openssl-codes.ts';
import type { Certificate } from '../../../src/pki/certificate.ts';
import { readKeyIdentifiers } from '../../../src/pki/key-identifier.ts';
import type { AnchorMaterial, PolicySnapshot } from '../../../src/policy/snapshot.ts';
import { OpensslVerdict, type Presented } from '../pki/openssl-verdict.ts';
import { Random } from '../random.ts';
import { type Chain, makeChain, makeHierarchy } from './chains.ts';
import { classifyDenial, missesPath } from './denial-class.ts';
import type { Outcome } from './outcome.ts';
import { anchorOf, anchorsOf, base, policyOf, present, textOf, verdictOn } from './verdicts.ts';

/** Leaves for each hierarchy, whose certificates OpenSSL loads once. */
const LEAVES = 8;

export class Judge implements AsyncDisposable {
  /** OpenSSL with the anchors of the hierarchy, without CA names, and with the CAs of a single path. */
  readonly #named: OpensslVerdict;
  readonly #unnamed: OpensslVerdict;
  readonly #single: OpensslVerdict;

  private constructor(named: OpensslVerdict, unnamed: OpensslVerdict, single: OpensslVerdict) {
    this.#named = named;
    this.#unnamed = unnamed;
    this.#single = single;
  }

  static async open(): Promise<Judge> {
    const nameless = { ...base, advertiseCaNames: false };
    return new Judge(
      await OpensslVerdict.open(base),
      await OpensslVerdict.open(nameless),
      await OpensslVerdict.open(base),
    );
  }

  /** One outcome for each leaf of the hierarchy of this seed; null: no anchor's root can be parsed. */
  async judge(seed: number): Promise<Outcome[] | null> {
    const random = new Random(seed);
    const now = Date.now();
    const hierarchy = makeHierarchy(random, now);
    const chains = Array.from({ length: LEAVES }, () => makeChain(random, hierarchy, now));
    const anchors = anchorsOf(hierarchy);
    if (anchors.length === 0) return null;
    const snapshot: PolicySnapshot = { ...base, anchors };
    const named = policyOf(snapshot, null);
    const unnamed = policyOf({ ...snapshot, advertiseCaNames: false }, named);
    this.#named.use(snapshot);
    const outcomes: Outcome[] = [];
    for (const [index, chain] of chains.entries()) {
      const presented = present(chain);
      const handshakes = await this.#named.judge(presented);
      if (handshakes === null) outcomes.push({ ok: 'no handshake' });
      else if (handshakes.full.leaf === null) outcomes.push({ ok: 'no certificate was sent' });
      else {
        // Without CA names OpenSSL has no anchors: its result does not depend on the hierarchy, and one leaf is enough.
        const without = index === 0 ? await this.#unnamed.judge(presented) : null;
        outcomes.push(
          await this.#compare({ ...handshakes, without, named, unnamed, presented, chain, anchors }),
        );
      }
    }
    return outcomes;
  }

  async #compare(judged: Judged): Promise<Outcome> {
    const { full, resumed, without, named, unnamed, presented, chain, anchors } = judged;
    if (!resumed.resumed) return { failed: 'the session was not resumed' };
    if (full.opensslCode !== resumed.opensslCode)
      return { failed: `OpenSSL: full ${full.opensslCode}, resumed ${resumed.opensslCode}` };
    if (!full.leaf || !resumed.leaf || !full.leaf.raw.equals(resumed.leaf.raw))
      return { failed: 'another leaf was resumed' };
    // The verdict is a function of leaf, code and policy (identity/authorize.ts); leaf and code are equal here.
    const verdict = verdictOn(full, named);
    const verdicts = [
      verdict,
      // Without anchors OpenSSL's code must not matter, even if it is about certificates that the client sent along.
      verdictOn({ leaf: full.leaf, opensslCode: 'INVALID_PURPOSE' }, unnamed),
      ...(without === null
        ? []
        : [verdictOn(without.full, unnamed), verdictOn(without.resumed, unnamed), verdictOn(resumed, named)]),
    ];
    const texts = verdicts.map(textOf);
    if (new Set(texts).size > 1) return { failed: `not one verdict: ${texts.join(' | ')}` };
    const code = full.opensslCode;
    if (!verdict.allow) {
      if (missesPath(full.leaf, named, anchors))
        return { failed: `a valid path is missed: ${textOf(verdict)}` };
      if (code !== null) return { ok: `both deny: ${verdict.reason}` };
      return classifyDenial({ denial: verdict, chain, anchors, policy: named }, this.#single);
    }
    if (code === null) return { ok: 'both allow' };
    return this.#provePath(full, { code, named, presented });
  }

  /** OpenSSL may reject what the gateway accepts only if it built another path, or did not recognize the end of this one. */
  async #provePath(
    { leaf }: Peer,
    { code, named, presented }: { code: string; named: CompiledPolicy; presented: Presented },
  ): Promise<Outcome> {
    const verdict = leaf && named.identity.paths.validate(leaf, Date.now());
    if (!verdict?.allow) return { failed: `allowed, and no path now: ${code}` };
    const { certificates, hasNamesakes } = verdict.permit;
    if (!isTrue(certificates)) return { failed: `allowed over a path that does not hold: ${code}` };
    const [root, ...below] = certificates.slice(1).toReversed() as [Certificate, ...Certificate[]];
    this.#single.use({
      ...base,
      anchors: [
        anchorOf(
          root.der,
          below.map(({ der }) => der),
        ),
      ],
    });
    const alone = await this.#single.judge({
      ...presented,
      chain: presented.chain.split(/(?<=END CERTIFICATE-----\n)/)[0] ?? '',
    });
    if (alone?.full.opensslCode === null)
      return hasNamesakes
        ? { ok: anotherOfTheName }
        : { failed: `allowed against ${code}, though OpenSSL had no choice` };
    // A CA and its certificate for its own new key, both on the path.
    if (hasTwo(certificates) && classifyOpensslCode(alone?.full.opensslCode ?? '') === 'path')
      return { ok: anotherOfTheName };
    if (certificates[0].isSelfIssued && alone?.full.opensslCode === 'DEPTH_ZERO_SELF_SIGNED_CERT')
      return { ok: 'OpenSSL took a leaf with its CA’s name for self-signed' };
    if (!root.x509.checkIssued(root.x509) && classifyOpensslCode(alone?.full.opensslCode ?? '') === 'path')
      return { ok: 'OpenSSL did not take the root for self-signed' };
    if (namesAnotherSerial(certificates) && classifyOpensslCode(alone?.full.opensslCode ?? '') === 'path')
      return { ok: 'OpenSSL looked for the certificate of the CA whose serial is named' };
    return { failed: `allowed against ${code}, alone ${alone?.full.opensslCode}` };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const each of [this.#named, this.#unnamed, this.#single]) await each[Symbol.asyncDispose]();
  }
}

interface Judged {
  readonly full: Peer;
  readonly resumed: Peer;
  readonly without: { readonly full: Peer; readonly resumed: Peer } | null;
  readonly named: CompiledPolicy;
  readonly unnamed: CompiledPolicy;
  readonly presented: Presented;
  readonly chain: Chain;
  readonly anchors: readonly AnchorMaterial[];
}

const anotherOfTheName = 'OpenSSL took another certificate of the same name';

/** Whether two CAs of the path have one name. */
function hasTwo([, ...cas]: readonly Certificate[]): boolean {
  return new Set(cas.map(({ canonicalSubject }) => canonicalSubject)).size < cas.length;
}

/** Whether a certificate of the path names its CA by the serial of another of the CA's certificates. */
function namesAnotherSerial(certificates: readonly Certificate[]): boolean {
  return certificates.some((child, index) => {
    const issuer = certificates[index + 1];
    return issuer && readKeyIdentifiers(child).namesSerial && !child.x509.checkIssued(issuer.x509);
  });
}

/** Verifies names and signatures from the leaf to the root without the code under test; trust/ checks the root's own. */
function isTrue(certificates: readonly Certificate[]): boolean {
  return certificates.every(({ x509 }, index) => {
    const issuer = certificates[index + 1]?.x509;
    return (
      issuer === undefined || (x509.verify(issuer.publicKey) && x509.issuer === issuer.subject && issuer.ca)
    );
  });
}
