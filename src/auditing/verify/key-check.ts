/** Follows with which keys the seals of a chain are signed. */

import type { ReadSeal, SignatureState } from '../../audit/seals/seal-reader.ts';
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

export interface KeyCheckOptions {
  readonly findings: Findings;
  /** Seals that only a later signature confirms are a gap and no tampering. */
  readonly acceptsConfirmed: boolean;
}

/** Further ones stay tampering, whatever follows. */
const maxOpen = 1000;

export class KeyCheck {
  readonly #findings: Findings;
  readonly #acceptsConfirmed: boolean;
  /** Findings about the seals just before, one after another, such as of several keys that were replaced. */
  #open: Finding[] = [];
  /** The last of them, which the next seal may continue. */
  #run: Finding | null = null;
  /** A seal of the chain has a right signature. */
  hasValid = false;
  #key: string | null | undefined;

  constructor({ findings, acceptsConfirmed }: KeyCheckOptions) {
    this.#findings = findings;
    this.#acceptsConfirmed = acceptsConfirmed;
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
    const isFirst = !this.hasValid;
    this.hasValid = true;
    const open = this.#open;
    this.#open = [];
    this.#run = null;
    if (!this.#acceptsConfirmed || !isFirst || !isLinked) return;
    for (const finding of open)
      if (!finding.isConfirmed && finding.kind !== 'signature_invalid') this.#findings.change(finding, 'gap');
  }

  #note({ seal, place, before }: SignedSeal, kind: FindingKind): Finding {
    const run = this.#run;
    if (run?.kind === kind && run.detail === seal.key && run.seals?.last === seal.seq - 1) {
      run.seals.last = seal.seq;
      run.to = place;
      return run;
    }
    const facts = { from: before, to: place, chain: seal.chain, detail: seal.key };
    const finding = newFinding(kind, 'tampering', { ...facts, seals: { first: seal.seq, last: seal.seq } });
    this.#run = finding;
    if (this.#open.length < maxOpen) this.#open.push(finding);
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
