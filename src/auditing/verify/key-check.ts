/** Follows with which keys the seals of a chain are signed. */

import type { ReadSeal, SignatureState } from '../reading/seal-line.ts';
import { type Finding, type FindingKind, newFinding, type Place } from './finding.ts';
import type { Findings } from './findings.ts';

export interface SignedSeal {
  readonly seal: ReadSeal;
  /** null: no public key was given. */
  readonly signature: SignatureState | null;
  readonly place: Place;
  /** The seal before it in the chain; null: it is the first. */
  readonly before: Place | null;
  /** It has the hash of the seal before it. */
  readonly isLinked: boolean;
  /** It was reported as altered already. */
  readonly isSuspect: boolean;
}

const kinds: Record<Exclude<SignatureState, 'valid'>, FindingKind> = {
  unsigned: 'seal_unsigned',
  unknown: 'key_unknown',
  invalid: 'signature_invalid',
};

export class KeyCheck {
  readonly #findings: Findings;
  /** Findings about the seals just before, one after another. */
  #open: Finding | null = null;
  #hasValid = false;
  #key: string | null | undefined;

  constructor(findings: Findings) {
    this.#findings = findings;
  }

  /** The finding that this seal is part of; null: there is none. */
  check(signed: SignedSeal): Finding | null {
    const { seal, signature } = signed;
    const formerKey = this.#key;
    this.#key = seal.key;
    if (signature === null) {
      if (formerKey !== undefined && formerKey !== seal.key) this.#noteChange(signed, formerKey);
      return null;
    }
    if (signature === 'valid') {
      this.#noteValid(signed);
      return null;
    }
    // One report of an altered seal is enough.
    if (signature === 'invalid' && signed.isSuspect) return null;
    return this.#note(signed, kinds[signature]);
  }

  /** A signed seal confirms all seals before it, because it has the hash of the last one. */
  #noteValid({ isLinked }: SignedSeal): void {
    const isFirst = !this.#hasValid;
    this.#hasValid = true;
    const open = this.#open;
    this.#open = null;
    if (open === null || open.isConfirmed || open.kind === 'signature_invalid') return;
    if (isFirst && isLinked) this.#findings.change(open, 'gap');
  }

  #note({ seal, place, before }: SignedSeal, kind: FindingKind): Finding {
    const open = this.#open;
    if (open?.kind === kind && open.detail === seal.key && open.seals?.last === seal.seq - 1) {
      open.seals.last = seal.seq;
      open.to = place;
      return open;
    }
    // A second open finding cannot be confirmed by a later signature any more.
    const facts = { from: before, to: place, chain: seal.chain, detail: seal.key };
    const finding = newFinding(kind, 'tampering', { ...facts, seals: { first: seal.seq, last: seal.seq } });
    this.#open = finding;
    this.#findings.add(finding);
    return finding;
  }

  #noteChange({ seal, place, before }: SignedSeal, formerKey: string | null): void {
    const detail = `${formerKey ?? 'no key'} → ${seal.key ?? 'no key'}`;
    const facts = { from: before, to: place, chain: seal.chain, detail };
    this.#findings.add(
      newFinding('key_changed', 'gap', { ...facts, seals: { first: seal.seq, last: seal.seq } }),
    );
  }
}
