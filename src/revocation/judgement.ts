/** Judges a path's revocation from what is known now: the one place that weighs CRLs against OCSP answers. */
import type { Certificate } from '../pki/certificate.ts';
import { CrlCheck } from './crl/check.ts';
import { describeCrlOf, describeCrlSources, describeResponders } from './source-details.ts';
import type { OcspFact, RevocationMaterial } from './state.ts';

/** In ascending order of doubt; `stale`: good, by evidence that has ended and serves on in its grace. */
export const revocationStatuses = ['good', 'stale', 'not_checked', 'unknown', 'revoked'] as const;
export type RevocationStatus = (typeof revocationStatuses)[number];

export interface RevocationResult {
  readonly status: RevocationStatus;
  /** Until when it may be relied on without asking again, ms since the epoch. */
  readonly until: number;
  /** For people; empty where all is good. */
  readonly detail: string;
}

/** An unknown is looked at again this soon: time alone can make it good, as with a CRL that begins in a moment, ms. */
const DOUBT_LASTS = 1000;

/** The leaf, the CAs between, the root. */
type Path = readonly [Certificate, ...Certificate[]];

/** Of one anchor and one generation. Words on a path are kept as long as they hold, so that a known leaf is a look-up. */
export class RevocationCheck {
  readonly #material: RevocationMaterial;
  readonly #crls: CrlCheck;
  readonly #ocsp: ReadonlyMap<string, OcspFact>;
  readonly #leaves: ReadonlySet<string>;
  readonly #words = new WeakMap<Path, { readonly word: RevocationResult; readonly since: number }>();

  /** `certificates`: the anchor's, the root first. */
  constructor(material: RevocationMaterial, certificates: readonly Certificate[]) {
    const { crls, aside, ocsp, leaves, policy } = material;
    this.#material = material;
    this.#crls = new CrlCheck({ certificates, crls, aside, grace: policy.grace });
    this.#ocsp = new Map(ocsp.map((fact) => [fact.certificate, fact]));
    this.#leaves = new Set(leaves);
  }

  get policy(): RevocationMaterial['policy'] {
    return this.#material.policy;
  }

  /** Whether the leaf names something to ask that nobody has been told of yet. */
  isUnseen(leaf: Certificate): boolean {
    const { policy } = this.#material;
    const named = [leaf.crlDistributionPoints, leaf.freshestCrl].flat().some(({ urls }) => urls.length > 0);
    return (
      ((policy.crl === 'auto' && named) || this.#hasResponder(leaf)) && !this.#leaves.has(leaf.tbsSha256)
    );
  }

  /** The path's most doubtful word; `now`: milliseconds since the epoch. */
  word(path: Path, now: number): RevocationResult {
    const known = this.#words.get(path);
    // A word of a clock that lay ahead holds no longer when the clock is put back.
    if (known !== undefined && now >= known.since && now < known.word.until) return known.word;
    // The root is trusted because it is configured, not because nobody has revoked it.
    const below = this.#material.policy.scope === 'leaf' ? path.slice(0, 1) : path.slice(0, -1);
    const word = below
      .map((certificate, index) => this.#about(certificate, path[index + 1] ?? certificate, now))
      .reduce(combine);
    this.#words.set(path, { word, since: now });
    return word;
  }

  /** Any source that says revoked is believed; otherwise one good answer is enough. */
  #about(certificate: Certificate, issuer: Certificate, now: number): RevocationResult {
    const words = [
      this.#byCrl(certificate, { issuer, now }),
      this.#byOcsp(certificate, { issuer, now }),
    ].filter((word) => word !== null);
    const revoked = words.find(({ status }) => status === 'revoked');
    if (revoked !== undefined) return revoked;
    const [best, other] = words.filter(isGood).sort((one, two) => two.until - one.until);
    if (best !== undefined) return other?.status === 'good' ? { ...best, status: 'good' } : best;
    if (words.length > 0) return unknown(words.map(({ detail }) => detail).join('; '), now);
    const detail = `${certificate.subject} names no source of revocations, and none is configured`;
    return { status: 'not_checked', until: Number.POSITIVE_INFINITY, detail };
  }

  /** null: nothing to go by, and nothing that should have been there. */
  #byCrl(
    certificate: Certificate,
    { issuer, now }: { readonly issuer: Certificate; readonly now: number },
  ): RevocationResult | null {
    const { crl, grace } = this.#material.policy;
    if (crl === 'off') return null;
    const { subject, crlDistributionPoints } = certificate;
    // Asked even where none is named: a CRL that is here for another certificate may speak of this one too.
    const word = this.#crls.status(certificate, { issuer, now });
    switch (word.status) {
      case 'revoked': {
        const source = describeCrlOf(word.crl, this.#material);
        const detail = `${subject} was revoked ${dateOf(word.revokedAt)} (${word.reason}), says ${source}`;
        return { status: 'revoked', until: Number.POSITIVE_INFINITY, detail };
      }
      case 'good':
        return { status: word.stale ? 'stale' : 'good', until: endOf(word, { grace, now }), detail: '' };
      case 'unknown':
        if (crl === 'auto' && crlDistributionPoints.length === 0) return null;
        return unknown(`${subject}: ${word.detail}${this.#sourcesOf(certificate)}`, now);
      default:
        return word satisfies never;
    }
  }

  #byOcsp(
    certificate: Certificate,
    { issuer, now }: { readonly issuer: Certificate; readonly now: number },
  ): RevocationResult | null {
    if (!this.#hasResponder(certificate)) return null;
    const { grace } = this.#material.policy;
    const { subject, tbsSha256 } = certificate;
    const fact = this.#ocsp.get(tbsSha256);
    if (fact === undefined)
      return unknown(
        `${subject}: no OCSP answer yet from ${describeResponders(certificate, this.#material)}`,
        now,
      );
    const { freshUntil, address, problem } = fact;
    switch (fact.status) {
      case 'revoked': {
        const detail = `${subject} was revoked, says its OCSP responder ${address}: ${fact.detail}`;
        return { status: 'revoked', until: Number.POSITIVE_INFINITY, detail };
      }
      case 'good': {
        const { responder } = fact;
        // Its good word, that is: what a revoked responder calls revoked stays out.
        if (responder !== null && this.#crls.status(responder, { issuer, now }).status === 'revoked')
          return unknown(
            `${subject}: the certificate of its OCSP responder, ${responder.subject}, is revoked`,
            now,
          );
        if (now > freshUntil + grace) {
          const ended = `the OCSP answer of ${address} ended at ${new Date(freshUntil).toISOString()}`;
          const since = problem === null ? '' : `, and no newer one came: ${problem}`;
          return unknown(`${subject}: ${ended}${since}`, now);
        }
        const stale = now > freshUntil;
        const until = endOf({ stale, freshUntil }, { grace, now });
        return { status: stale ? 'stale' : 'good', until, detail: '' };
      }
      case 'unknown':
        return unknown(`${subject}: its OCSP responder ${address} does not know it`, now);
      case 'failed':
        return unknown(`${subject}: no OCSP answer: ${fact.detail}`, now);
      default:
        return fact.status satisfies never;
    }
  }

  /** `: http://…` and what is wrong with it. */
  #sourcesOf(certificate: Certificate): string {
    const sources = describeCrlSources(certificate, this.#material);
    return sources === '' ? '' : `: ${sources}`;
  }

  #hasResponder({ ocspUrls }: Certificate): boolean {
    const { ocsp } = this.#material.policy;
    return ocsp === 'auto' ? ocspUrls.length > 0 : ocsp !== 'off';
  }
}

function dateOf(at: number): string {
  return Number.isNaN(at) ? 'at a date that the CRL does not tell' : `at ${new Date(at).toISOString()}`;
}

function unknown(detail: string, now: number): RevocationResult {
  return { status: 'unknown', until: now + DOUBT_LASTS, detail };
}

function isGood({ status }: RevocationResult): boolean {
  return status === 'good' || status === 'stale';
}

/** A good word is looked at again when it becomes stale, and a stale one when its grace is over. */
function endOf(
  { stale, freshUntil }: { readonly stale: boolean; readonly freshUntil: number },
  { grace, now }: { readonly grace: number; readonly now: number },
): number {
  return Math.max(now, stale ? freshUntil + grace : freshUntil);
}

/** Of two certificates on one path the more doubtful counts, and only as long as both words hold. */
function combine(one: RevocationResult, other: RevocationResult): RevocationResult {
  const [worse, better] = doubt(one) >= doubt(other) ? [one, other] : [other, one];
  return { ...worse, until: Math.min(worse.until, better.until) };
}

function doubt({ status }: RevocationResult): number {
  return revocationStatuses.indexOf(status);
}
