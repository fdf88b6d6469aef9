/** Decides whether a certificate path is revoked; the only place that combines CRLs and OCSP results. */
import type { Certificate } from '../pki/certificate.ts';
import { CrlCheck } from './crl/check.ts';
import { describeCrlOf, describeCrlSources, describeResponders } from './source-details.ts';
import type { OcspResult, RevocationMaterial } from './state.ts';

/** From best to worst; `stale`: good by data that has expired and is within the grace period. */
const revocationStatuses = ['good', 'stale', 'not_checked', 'unknown', 'revoked'] as const;
export type RevocationStatus = (typeof revocationStatuses)[number];

export interface RevocationResult {
  readonly status: RevocationStatus;
  /** Until when the result may be reused, ms since the epoch. */
  readonly until: number;
  /** For people; empty where all is good. */
  readonly detail: string;
}

/** How long `unknown` is reused, ms: time alone can change it, as with a CRL whose thisUpdate is just ahead. */
const UNKNOWN_LASTS = 1000;

/** The leaf, the CAs between, the root. */
type Path = readonly [Certificate, ...Certificate[]];

/** For one trust anchor and one snapshot generation. Caches results, so that a known path costs one look-up. */
export class RevocationCheck {
  readonly #material: RevocationMaterial;
  readonly #crls: CrlCheck;
  readonly #ocsp: ReadonlyMap<string, OcspResult>;
  readonly #leaves: ReadonlySet<string>;
  readonly #results = new WeakMap<Path, { readonly result: RevocationResult; readonly since: number }>();

  /** `certificates`: the anchor's, the root first. */
  constructor(material: RevocationMaterial, certificates: readonly Certificate[]) {
    const { crls, revokeOnly, ocsp, leaves, policy } = material;
    this.#material = material;
    this.#crls = new CrlCheck({ certificates, crls, revokeOnly, grace: policy.grace });
    this.#ocsp = new Map(ocsp.map((result) => [result.certificate, result]));
    this.#leaves = new Set(leaves);
  }

  get policy(): RevocationMaterial['policy'] {
    return this.#material.policy;
  }

  /** Whether the leaf has revocation sources of its own and is not tracked yet, so that they must be fetched. */
  isFirstContact(leaf: Certificate): boolean {
    if (this.#leaves.has(leaf.tbsSha256)) return false;
    return (this.#material.policy.crl === 'auto' && namesCrl(leaf)) || this.#hasResponder(leaf);
  }

  /** The worst status on the path; `now`: milliseconds since the epoch. */
  resultOf(path: Path, now: number): RevocationResult {
    const known = this.#results.get(path);
    // `since`: a result of a clock that was ahead is not reused after the clock is put back.
    if (known !== undefined && now >= known.since && now < known.result.until) return known.result;
    // The root is trusted by configuration; its own revocation is not checked.
    const checked = this.#material.policy.scope === 'leaf' ? path.slice(0, 1) : path.slice(0, -1);
    const result = checked
      .map((certificate, index) => this.#check(certificate, path[index + 1] ?? certificate, now))
      .reduce(combine);
    this.#results.set(path, { result, since: now });
    return result;
  }

  /** `revoked` by any source decides; otherwise one good source is enough. */
  #check(certificate: Certificate, issuer: Certificate, now: number): RevocationResult {
    const results = [
      this.#byCrl(certificate, { issuer, now }),
      this.#byOcsp(certificate, { issuer, now }),
    ].filter((result) => result !== null);
    const revoked = results.find(({ status }) => status === 'revoked');
    if (revoked !== undefined) return revoked;
    const [best, other] = results.filter(isGood).sort((one, two) => two.until - one.until);
    if (best !== undefined) return other?.status === 'good' ? { ...best, status: 'good' } : best;
    if (results.length > 0) return unknown(results.map(({ detail }) => detail).join('; '), now);
    const detail = `${certificate.subject} names no CRL or OCSP responder that may be used, and none is configured`;
    return { status: 'not_checked', until: Number.POSITIVE_INFINITY, detail };
  }

  /** null: no CRL covers the certificate, and none is expected to. */
  #byCrl(
    certificate: Certificate,
    { issuer, now }: { readonly issuer: Certificate; readonly now: number },
  ): RevocationResult | null {
    const { crl, grace } = this.#material.policy;
    if (crl === 'off') return null;
    const { subject, crlDistributionPoints } = certificate;
    // Checked even if the certificate names no CRL: a CRL fetched for another certificate may list this one.
    const status = this.#crls.status(certificate, { issuer, now });
    switch (status.status) {
      case 'revoked': {
        const source = describeCrlOf(status.crl, this.#material);
        const detail = `${subject} was revoked ${dateOf(status.revokedAt)} (${status.reason}), according to ${source}`;
        return { status: 'revoked', until: Number.POSITIVE_INFINITY, detail };
      }
      case 'good':
        return { status: status.stale ? 'stale' : 'good', until: endOf(status, { grace, now }), detail: '' };
      case 'unknown':
        if (crl === 'auto' && crlDistributionPoints.length === 0) return null;
        return unknown(`${subject}: ${status.detail}${this.#sourcesOf(certificate)}`, now);
      default:
        return status satisfies never;
    }
  }

  #byOcsp(
    certificate: Certificate,
    { issuer, now }: { readonly issuer: Certificate; readonly now: number },
  ): RevocationResult | null {
    if (!this.#hasResponder(certificate)) return null;
    const { subject, tbsSha256 } = certificate;
    const result = this.#ocsp.get(tbsSha256);
    if (result === undefined)
      return unknown(
        `${subject}: no OCSP response yet from ${describeResponders(certificate, this.#material)}`,
        now,
      );
    const { address } = result;
    switch (result.status) {
      case 'revoked': {
        const detail = `${subject} was revoked, according to its OCSP responder ${address}: ${result.detail}`;
        return { status: 'revoked', until: Number.POSITIVE_INFINITY, detail };
      }
      case 'good':
        return this.#byGoodResponse(result, { subject, issuer, now });
      case 'unknown':
        return unknown(`${subject}: the OCSP responder ${address} does not know the certificate`, now);
      case 'failed':
        return unknown(`${subject}: no usable OCSP response: ${result.detail}`, now);
      default:
        return result.status satisfies never;
    }
  }

  #byGoodResponse(
    { freshUntil, address, problem, responder }: OcspResult,
    {
      subject,
      issuer,
      now,
    }: { readonly subject: string; readonly issuer: Certificate; readonly now: number },
  ): RevocationResult {
    const { grace } = this.#material.policy;
    // `good` only: a certificate that a revoked responder reports as revoked stays denied.
    if (responder !== null && this.#crls.status(responder, { issuer, now }).status === 'revoked')
      return unknown(
        `${subject}: the certificate of its OCSP responder, ${responder.subject}, is revoked`,
        now,
      );
    if (now > freshUntil + grace) {
      const expired = `the OCSP response of ${address} expired at ${new Date(freshUntil).toISOString()}`;
      const failure = problem === null ? '' : `, and fetching a newer one failed: ${problem}`;
      return unknown(`${subject}: ${expired}${failure}`, now);
    }
    const stale = now > freshUntil;
    const until = endOf({ stale, freshUntil }, { grace, now });
    return { status: stale ? 'stale' : 'good', until, detail: '' };
  }

  /** `: http://…` and the state of that source. */
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
  return Number.isNaN(at) ? 'at a date that the CRL does not state' : `at ${new Date(at).toISOString()}`;
}

function unknown(detail: string, now: number): RevocationResult {
  return { status: 'unknown', until: now + UNKNOWN_LASTS, detail };
}

function isGood({ status }: RevocationResult): boolean {
  return status === 'good' || status === 'stale';
}

/** `good` is checked again when it becomes stale, `stale` when the grace period is over. */
function endOf(
  { stale, freshUntil }: { readonly stale: boolean; readonly freshUntil: number },
  { grace, now }: { readonly grace: number; readonly now: number },
): number {
  return Math.max(now, stale ? freshUntil + grace : freshUntil);
}

/** The worse result of two certificates on a path, valid while both results are. */
function combine(one: RevocationResult, other: RevocationResult): RevocationResult {
  const [worse, better] = rank(one) >= rank(other) ? [one, other] : [other, one];
  return { ...worse, until: Math.min(worse.until, better.until) };
}

function rank({ status }: RevocationResult): number {
  return revocationStatuses.indexOf(status);
}

function namesCrl({ crlDistributionPoints, freshestCrl }: Certificate): boolean {
  return [...crlDistributionPoints, ...freshestCrl].some(({ urls }) => urls.length > 0);
}
