/** Fixed revocation states, for tests of other behaviour or tests that set the state themselves. */
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

/** The certificates name no source, so none is queried. */
export const nothingToAsk: RevocationMaterial = {
  policy: revocationPolicy,
  crls: [],
  origins: [],
  aside: [],
  ocsp: [],
  leaves: [],
};
