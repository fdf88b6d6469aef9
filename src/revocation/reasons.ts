/** Why a certificate was revoked: CRLReason (RFC 5280 §5.3.1), in the entries of a CRL and in OCSP responses. */

/** By code; code 7 is not assigned. */
export const revocationReasons = [
  'unspecified',
  'keyCompromise',
  'cACompromise',
  'affiliationChanged',
  'superseded',
  'cessationOfOperation',
  'certificateHold',
  null,
  'removeFromCRL',
  'privilegeWithdrawn',
  'aACompromise',
] as const;
export type RevocationReason = Exclude<(typeof revocationReasons)[number], null>;

/** The code of removeFromCRL: an entry of a delta CRL that cancels a revocation. */
export const removeFromCrl = 8;
