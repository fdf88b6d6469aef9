/** What each event of the trust anchors, of the revocation sources and of the key sets means, for the log and for the `message` of ECS. */

export interface EventSentence {
  readonly level: 'info' | 'warn' | 'error';
  readonly says: string;
  /** What to do; absent: nothing. */
  readonly advice?: string;
}

/** By `event` of `type: trust`. */
export const trustSentences = {
  trust_on_first_use: {
    level: 'info',
    says: 'the first root certificate that the sources serve is now the root of the trust anchor',
    advice: 'compare root with the fingerprint that the CA publishes, and pin it with rootSha256',
  },
  fetched: { level: 'info', says: 'certificates of the trust anchor were fetched and are in use' },
  from_cache: {
    level: 'info',
    says: 'certificates of the trust anchor were read from the cache and are in use until the sources confirm or replace them',
  },
  changed: { level: 'info', says: 'the certificates of the trust anchor that are in use have changed' },
  passed_over: {
    level: 'warn',
    says: 'a certificate of the trust anchor is not used; the others stay in use',
    advice: 'detail names the certificate and what to do',
  },
  root_changed_refused: {
    level: 'warn',
    says: 'the sources serve another root certificate for the trust anchor; it is not used, and the previous certificates stay in use',
    advice: 'ask the CA whether it changed its root; if so, run ehi-gateway trust approve',
  },
  approved: {
    level: 'info',
    says: 'the new root certificate of the trust anchor was approved and is in use',
  },
  approval_refused: {
    level: 'warn',
    says: 'the approval of a new root certificate was refused, because it names another root than the one that waits, or because that one can no longer be used',
    advice: 'run ehi-gateway trust show and approve the root that waits',
  },
  pending_dropped: {
    level: 'info',
    says: 'the sources serve the known root certificate again; the root that waited for approval was dropped',
  },
  refused: {
    level: 'warn',
    says: 'the certificates from the sources or the cache cannot be used; those in use stay in use',
    advice: 'detail names the problem; report it to the operator of the source',
  },
  fetch_failed: {
    level: 'warn',
    says: 'the certificates of the trust anchor could not be fetched; those in use stay in use and the fetch is repeated',
    advice: 'check that the gateway reaches the URL (ehi-gateway check --online)',
  },
  cache_failed: {
    level: 'warn',
    says: 'the cache of the trust anchor cannot be read or written; its certificates do not survive a restart without their source',
    advice: 'check the permissions and the free space of trust.cacheDir',
  },
} as const satisfies Readonly<Record<string, EventSentence>>;

/** By `event` of `type: revocation`. */
export const revocationSentences = {
  crl_fetched: { level: 'info', says: 'a new CRL was fetched and is in use' },
  crl_from_cache: {
    level: 'info',
    says: 'the last good CRL was read from the cache and is in use until its source confirms or replaces it',
  },
  crl_confirmed: {
    level: 'info',
    says: 'after a failure the source of the CRL works again; it confirmed the CRL in use',
  },
  crl_refused: {
    level: 'warn',
    says: 'a CRL was fetched that cannot be used; the last good one stays in use',
    advice: 'detail names the problem; ask the CA to publish a valid CRL before the one in use expires',
  },
  crl_fetch_failed: {
    level: 'warn',
    says: 'a CRL could not be fetched; the last good one stays in use and the fetch is repeated',
    advice:
      'check that the gateway reaches the address; under hard-fail clients are denied once the CRL has expired',
  },
  crl_restarted: {
    level: 'error',
    says: 'a CRL that does not follow the expired one was accepted; certificates that the previous one lists stay revoked',
    advice: 'ask the CA whether it was restored or rebuilt',
  },
  crl_stale: {
    level: 'warn',
    says: 'the CRL in use has expired (nextUpdate) and is used for the grace only',
    advice: 'ask the CA to publish a new CRL, and check that the gateway can fetch it',
  },
  crl_expired: {
    level: 'warn',
    says: 'the CRL in use and its grace have expired; it no longer shows that a certificate is good, and under hard-fail clients are denied',
    advice: 'ask the CA to publish a new CRL, and check that the gateway can fetch it',
  },
  ocsp_fetched: {
    level: 'info',
    says: 'an OCSP response was fetched that is the first about a certificate, or changes its status',
  },
  ocsp_confirmed: {
    level: 'info',
    says: 'after a failure an OCSP responder works again; it repeated the known status',
  },
  ocsp_refused: {
    level: 'warn',
    says: 'an OCSP response cannot be used; the last good one stays in use until it expires',
    advice: 'detail names the problem; report it to the operator of the responder',
  },
  ocsp_fetch_failed: {
    level: 'warn',
    says: 'an OCSP response could not be fetched; the last good one stays in use until it expires and the fetch is repeated',
    advice:
      'check that the gateway reaches the responder; under hard-fail clients are denied once the response has expired',
  },
  forgotten: {
    level: 'info',
    says: 'stored revocation data was dropped by ehi-gateway trust forget, and is fetched again',
  },
  address_skipped: {
    level: 'warn',
    says: 'a certificate names a revocation address that the gateway does not use',
    advice: 'detail names the reason; configure the address of a CRL or responder for this anchor instead',
  },
  too_many_addresses: {
    level: 'warn',
    says: 'certificates of the anchor name more than 16 revocation addresses; this one is not used',
    advice: 'configure the addresses of the CRLs or responders for this anchor instead',
  },
  cache_failed: {
    level: 'warn',
    says: 'the cache of revocation data cannot be read or written; the data is in memory only and does not survive a restart',
    advice: 'check the permissions and the free space of trust.cacheDir',
  },
  not_checked: {
    level: 'warn',
    says: 'a certificate names no revocation source and none is configured; its revocation is not checked',
    advice: 'configure a CRL or an OCSP responder for this anchor, if its CA has one',
  },
} as const satisfies Readonly<Record<string, EventSentence>>;

/** By `event` of `type: keys`. */
export const keysSentences = {
  fetched: { level: 'info', says: 'the key set was fetched and is in use' },
  from_cache: {
    level: 'info',
    says: 'the last good key set was read from the cache and is in use until its source confirms or replaces it',
  },
  changed: { level: 'info', says: 'the keys of the set that are in use have changed' },
  passed_over: {
    level: 'warn',
    says: 'a key of the set is not used; the others are',
    advice: 'detail names the key and the reason; have it replaced or removed',
  },
  no_usable_key: {
    level: 'error',
    says: 'the key set in use has no key for what it is configured for; what it verifies is refused, except by policies in mode shadow',
    advice: 'detail says what is missing; have a key that fits published, or correct the configuration',
  },
  refused: {
    level: 'warn',
    says: 'the key set from the source or the cache cannot be used; the one in use stays in use',
    advice: 'detail names the problem; report it to the operator of the source',
  },
  fetch_failed: {
    level: 'warn',
    says: 'the key set could not be fetched; the one in use stays in use and the fetch is repeated',
    advice: 'check that the gateway reaches the URL',
  },
  cache_failed: {
    level: 'warn',
    says: 'the cache of the key set cannot be read or written; its keys do not survive a restart without their source',
    advice: 'check the permissions and the free space of trust.cacheDir',
  },
} as const satisfies Readonly<Record<string, EventSentence>>;

/** `says; advice`. */
export function sentenceOf({ says, advice }: EventSentence): string {
  return advice === undefined ? says : `${says}; ${advice}`;
}
