/** Why a CRL cannot be used: thrown while it is parsed, returned as a value by `readCrl`. */

export type CrlRefusalReason =
  /** Neither a CRL as RFC 5280 §5.1 defines it nor one CRL in PEM. */
  | 'unreadable'
  /** No certificate of the trust anchor has the issuer's name and may sign CRLs. */
  | 'wrong_issuer'
  | 'weak_signature'
  | 'bad_signature'
  /** It has a critical extension that is not supported. */
  | 'critical_extension';

export class CrlRefusal extends Error {
  readonly problem: CrlRefusalReason;

  constructor(problem: CrlRefusalReason, detail: string) {
    super(detail);
    this.problem = problem;
  }
}
