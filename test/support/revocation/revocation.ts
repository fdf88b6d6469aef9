/** Revocation data for tests whose subject is something else. */
import type { RevocationMaterial, RevocationPolicy } from '../../../src/revocation/state.ts';

export const revocationPolicy: RevocationPolicy = {
  crl: 'auto',
  ocsp: 'auto',
  scope: 'chain',
  onUnknown: 'deny',
  grace: 24 * 3_600_000,
  firstContact: 100,
  refresh: 3_600_000,
};

/** No certificate names a source, so that nothing is checked. */
export const nothingToAsk: RevocationMaterial = {
  policy: revocationPolicy,
  crls: [],
  crlSources: [],
  revokeOnly: [],
  ocsp: [],
  leaves: [],
};
