/** Decides from which CRL and OCSP addresses a trust anchor's revocations are fetched, and which are skipped. Pure. */
import { isAbsolute } from 'node:path';
import type { Certificate } from '../pki/certificate.ts';
import type { DistributionPoint } from '../pki/distribution-point.ts';
import type { CrlSnapshot } from './crl/crl.ts';
import type { RevocationPolicy } from './state.ts';

/** Maximum number of addresses of one trust anchor, CRL and OCSP together. */
const MAX_ADDRESSES = 16;
const MAX_URL = 2048;

export interface PlannedAddress {
  readonly kind: 'crl' | 'ocsp';
  /** URL as `URL` serializes it, or an absolute path. */
  readonly address: string;
  /** `tbsSha256` of the certificate that OCSP is queried about, or that names the CRL; null: not of one certificate. */
  readonly certificate: string | null;
}

/** One per address, however many certificates name it. */
export interface SkippedAddress {
  readonly action: 'address_skipped' | 'too_many_addresses';
  readonly address: string;
  /** Subject of a certificate that names it. */
  readonly certificate?: string;
  readonly detail: string;
}

export interface AddressPlan {
  readonly wanted: readonly PlannedAddress[];
  readonly skipped: readonly SkippedAddress[];
  /**
   * The addresses in `wanted`, for `AddressPlanInput.selected` of the next plan. There, of the addresses that only leaves name,
   * these take precedence over new ones.
   */
  readonly selected: ReadonlySet<string>;
}

export interface AddressPlanInput {
  readonly policy: RevocationPolicy;
  /** The CAs below the root whose own revocation is checked. */
  readonly cas: readonly Certificate[];
  readonly leaves: readonly Certificate[];
  /** CRLs in use: they may name delta CRLs. */
  readonly crls: readonly Pick<CrlSnapshot, 'freshestCrl'>[];
  readonly selected: ReadonlySet<string>;
}

/** Configured addresses and those of the CAs come first, then the leaves' addresses of the last plan, then new ones. */
export function planAddresses({ policy, cas, leaves, crls, selected }: AddressPlanInput): AddressPlan {
  const all = [
    ...configuredCrls(policy),
    ...cas.flatMap((ca) => namedBy(ca, policy)),
    ...(policy.crl === 'auto' ? crls.flatMap(({ freshestCrl }) => deltas(freshestCrl)) : []),
  ];
  const priority = all.length;
  all.push(...leaves.flatMap((leaf) => namedBy(leaf, policy)));

  const skipped = new Map<string, SkippedAddress>();
  const usable: NamedAddress[] = [];
  const [first, others] = [new Set<string>(), new Set<string>()];
  for (const [index, named] of all.entries()) {
    const { address, by, objection } = named;
    if (objection === null) {
      usable.push(named);
      (index < priority || named.isConfigured ? first : others).add(address);
    } else if (!skipped.has(address)) {
      const subject = by === null ? {} : { certificate: by.subject };
      skipped.set(address, { action: 'address_skipped', address, ...subject, detail: objection });
    }
  }
  const inOrder = new Set([...first, ...[...others].filter((each) => selected.has(each)), ...others]);
  const within = new Set([...inOrder].slice(0, MAX_ADDRESSES));
  for (const { address, by } of usable) {
    if (within.has(address) || skipped.has(address)) continue;
    const detail = `the trust anchor has ${MAX_ADDRESSES} revocation addresses already, which is the limit: list those to use in revocation.crl, or set revocation.ocsp`;
    const subject = by === null ? {} : { certificate: by.subject };
    skipped.set(address, { action: 'too_many_addresses', address, ...subject, detail });
  }
  return {
    wanted: usable
      .filter(({ address }) => within.has(address))
      .map(({ kind, address, certificate }) => ({ kind, address, certificate })),
    skipped: [...skipped.values()],
    selected: within,
  };
}

/** Whether the certificate names a revocation source that the policy uses, or one is configured. */
export function isChecked(
  { crlDistributionPoints, ocspUrls }: Pick<Certificate, 'crlDistributionPoints' | 'ocspUrls'>,
  { crl, ocsp }: Pick<RevocationPolicy, 'crl' | 'ocsp'>,
): boolean {
  const byCrl = crl === 'auto' ? crlDistributionPoints.length > 0 : crl !== 'off' && crl.length > 0;
  const byOcsp = ocsp === 'auto' ? ocspUrls.length > 0 : ocsp !== 'off';
  return byCrl || byOcsp;
}

interface NamedAddress extends PlannedAddress {
  readonly by: Certificate | null;
  readonly isConfigured: boolean;
  /** Why the address is not fetched; null: it is. */
  readonly objection: string | null;
}

function configuredCrls({ crl }: RevocationPolicy): NamedAddress[] {
  if (crl === 'auto' || crl === 'off') return [];
  const source = { kind: 'crl', certificate: null, by: null, isConfigured: true } as const;
  // Only the configuration may name a file, never a certificate.
  return crl.map((address) => ({
    ...source,
    ...(isAbsolute(address) ? file(address) : resolveAddress(address)),
  }));
}

function deltas(points: readonly DistributionPoint[]): NamedAddress[] {
  const source = { kind: 'crl', certificate: null, by: null, isConfigured: false } as const;
  return points.flatMap(({ urls }) => urls).map((address) => ({ ...source, ...resolveAddress(address) }));
}

/** Cached: every change of the set of leaves, up to a thousand, makes a new plan of all. */
const namedAddresses = new WeakMap<
  Certificate,
  { readonly policy: RevocationPolicy; readonly named: NamedAddress[] }
>();

function namedBy(by: Certificate, policy: RevocationPolicy): NamedAddress[] {
  const known = namedAddresses.get(by);
  if (known?.policy === policy) return known.named;
  const { crl, ocsp } = policy;
  const points = crl === 'auto' ? [...by.crlDistributionPoints, ...by.freshestCrl] : [];
  const isConfigured = ocsp !== 'auto' && ocsp !== 'off';
  const responders = isConfigured ? [ocsp] : ocsp === 'auto' ? by.ocspUrls : [];
  const source = { certificate: by.tbsSha256, by };
  const named: NamedAddress[] = [
    ...points
      .flatMap(({ urls }) => urls)
      .map((url) => ({ ...source, kind: 'crl' as const, isConfigured: false, ...resolveAddress(url) })),
    ...responders.map((url) => ({ ...source, kind: 'ocsp' as const, isConfigured, ...resolveAddress(url) })),
  ];
  namedAddresses.set(by, { policy, named });
  return named;
}

type ResolvedAddress = Pick<NamedAddress, 'address' | 'objection'>;

function file(address: string): ResolvedAddress {
  return { address, objection: null };
}

/**
 * `address`: as `URL` serializes it. If it is not fetched, without credentials, and otherwise as given or only its scheme and
 * host, at most MAX_URL characters. `objection`: why it is not fetched; null: it is fetched.
 */
export function resolveAddress(address: string): ResolvedAddress {
  // A URL with a password is a secret and must not appear in the log.
  const plain = address.replace(/\/\/[^/?#]*@/, '//…@').slice(0, MAX_URL);
  const skip = (objection: string): ResolvedAddress => ({ address: plain, objection });
  // URL would encode some of these and drop others, so the address that the CA means is not certain.
  if (!/^[\x21-\x7e]*$/.test(address))
    return skip(
      'the URL contains a space, a control character or a non-ASCII character that is not percent-encoded',
    );
  const url = URL.parse(address);
  if (url === null) return skip('not a valid URL');
  const { protocol, username, password, href } = url;
  if (protocol !== 'http:' && protocol !== 'https:')
    return skip(`only http and https URLs are supported, not ${protocol.slice(0, -1)}`);
  if (username !== '' || password !== '')
    return { address: `${protocol}//${url.host}`, objection: 'the URL contains credentials' };
  if (href.length > MAX_URL) return skip(`the URL is longer than ${MAX_URL} characters`);
  return { address: href, objection: null };
}
