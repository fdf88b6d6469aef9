/** What is known of revocations, for tests that are about something else, or that say it themselves. */
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

/** The certificates name no source, so none is asked. */
export const nothingToAsk: RevocationMaterial = {
  policy: revocationPolicy,
  crls: [],
  crlSources: [],
  revokeOnly: [],
  ocsp: [],
  leaves: [],
};
