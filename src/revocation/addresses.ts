/** Where an anchor's revocations are looked up: which addresses are followed, and which are not. Pure. */
import { isAbsolute } from 'node:path';
import type { Certificate } from '../pki/certificate.ts';
import type { DistributionPoint } from '../pki/distribution-point.ts';
import type { CrlSnapshot } from './crl/crl.ts';
import type { RevocationPolicy } from './state.ts';

/** How many addresses an anchor has at most, CRLs and OCSP together. */
export const MAX_ADDRESSES = 16;
const MAX_URL = 2048;

export interface Wanted {
  readonly kind: 'crl' | 'ocsp';
  /** URL as `URL` spells it, or an absolute path. */
  readonly address: string;
  /** The certificate that OCSP is asked about, or that names the CRL, by its `tbsSha256`; null: no single one. */
  readonly certificate: string | null;
}

/** Told once each, however many certificates name it. */
export interface Skipped {
  readonly action: 'address_skipped' | 'too_many_addresses';
  readonly address: string;
  /** The subject of a certificate that names it. */
  readonly certificate?: string;
  readonly detail: string;
}

export interface AddressPlan {
  readonly wanted: readonly Wanted[];
  readonly skipped: readonly Skipped[];
  /** The addresses among `wanted`: they keep their places in the next plan. */
  readonly admitted: ReadonlySet<string>;
}

export interface AddressQuestion {
  readonly policy: RevocationPolicy;
  /** The CAs below the anchor's root whose own revocation counts. */
  readonly cas: readonly Certificate[];
  readonly leaves: readonly Certificate[];
  /** CRLs in use, which may name delta CRLs. */
  readonly crls: readonly Pick<CrlSnapshot, 'freshestCrl'>[];
  readonly admitted: ReadonlySet<string>;
}

/** Configured addresses and those of the CAs come before what leaves name; among these whoever came first stays. */
export function planAddresses({ policy, cas, leaves, crls, admitted }: AddressQuestion): AddressPlan {
  const all = [
    ...configuredCrls(policy),
    ...cas.flatMap((ca) => namedBy(ca, policy)),
    ...(policy.crl === 'auto' ? crls.flatMap(({ freshestCrl }) => deltas(freshestCrl)) : []),
  ];
  const standing = all.length;
  all.push(...leaves.flatMap((leaf) => namedBy(leaf, policy)));

  const skipped = new Map<string, Skipped>();
  const followed: Named[] = [];
  const [first, others] = [new Set<string>(), new Set<string>()];
  for (const [index, named] of all.entries()) {
    const { address, by, objection } = named;
    if (objection === null) {
      followed.push(named);
      (index < standing || named.isConfigured ? first : others).add(address);
    } else if (!skipped.has(address)) {
      const subject = by === null ? {} : { certificate: by.subject };
      skipped.set(address, { action: 'address_skipped', address, ...subject, detail: objection });
    }
  }
  const inOrder = new Set([...first, ...[...others].filter((each) => admitted.has(each)), ...others]);
  const places = new Set([...inOrder].slice(0, MAX_ADDRESSES));
  for (const { address, by } of followed) {
    if (places.has(address) || skipped.has(address)) continue;
    const detail = `not among the first ${MAX_ADDRESSES} addresses of the anchor`;
    const subject = by === null ? {} : { certificate: by.subject };
    skipped.set(address, { action: 'too_many_addresses', address, ...subject, detail });
  }
  return {
    wanted: followed
      .filter(({ address }) => places.has(address))
      .map(({ kind, address, certificate }) => ({ kind, address, certificate })),
    skipped: [...skipped.values()],
    admitted: places,
  };
}

/** Whether the certificate names a source of its revocation that the policy lets speak, or one is configured. */
export function isChecked(
  { crlDistributionPoints, ocspUrls }: Pick<Certificate, 'crlDistributionPoints' | 'ocspUrls'>,
  { crl, ocsp }: Pick<RevocationPolicy, 'crl' | 'ocsp'>,
): boolean {
  const byCrl = crl === 'auto' ? crlDistributionPoints.length > 0 : crl !== 'off' && crl.length > 0;
  const byOcsp = ocsp === 'auto' ? ocspUrls.length > 0 : ocsp !== 'off';
  return byCrl || byOcsp;
}

interface Named extends Wanted {
  readonly by: Certificate | null;
  readonly isConfigured: boolean;
  /** Why it is not followed; the address is one that may be told all the same. */
  readonly objection: string | null;
}

function configuredCrls({ crl }: RevocationPolicy): Named[] {
  if (crl === 'auto' || crl === 'off') return [];
  const source = { kind: 'crl', certificate: null, by: null, isConfigured: true } as const;
  // Only the operator may point at a file.
  return crl.map((address) => ({ ...source, ...(isAbsolute(address) ? file(address) : follow(address)) }));
}

function deltas(points: readonly DistributionPoint[]): Named[] {
  const source = { kind: 'crl', certificate: null, by: null, isConfigured: false } as const;
  return points.flatMap(({ urls }) => urls).map((address) => ({ ...source, ...follow(address) }));
}

/** There may be a thousand leaves, and one more or less makes a new plan of all. */
const remembered = new WeakMap<Certificate, { readonly policy: RevocationPolicy; readonly named: Named[] }>();

function namedBy(by: Certificate, policy: RevocationPolicy): Named[] {
  const known = remembered.get(by);
  if (known?.policy === policy) return known.named;
  const { crl, ocsp } = policy;
  const points = crl === 'auto' ? [...by.crlDistributionPoints, ...by.freshestCrl] : [];
  const isConfigured = ocsp !== 'auto' && ocsp !== 'off';
  const responders = isConfigured ? [ocsp] : ocsp === 'auto' ? by.ocspUrls : [];
  const source = { certificate: by.tbsSha256, by };
  const named: Named[] = [
    ...points
      .flatMap(({ urls }) => urls)
      .map((url) => ({ ...source, kind: 'crl' as const, isConfigured: false, ...follow(url) })),
    ...responders.map((url) => ({ ...source, kind: 'ocsp' as const, isConfigured, ...follow(url) })),
  ];
  remembered.set(by, { policy, named });
  return named;
}

type Followed = Pick<Named, 'address' | 'objection'>;

function file(address: string): Followed {
  return { address, objection: null };
}

/** The address as `URL` spells it, and why it is not followed; null: it is. */
export function follow(address: string): Followed {
  // A URL with a password is a secret, which must not be told.
  const plain = address.replace(/\/\/[^/?#]*@/, '//…@').slice(0, MAX_URL);
  const skip = (objection: string): Followed => ({ address: plain, objection });
  // URL would encode the one and drop the other: what a CA has not encoded may be meant in several ways.
  if (!/^[\x21-\x7e]*$/.test(address))
    return skip(
      'a space, a control character or a letter beyond ASCII, which a URL has percent-encoded only',
    );
  const url = URL.parse(address);
  if (url === null) return skip('not a URL');
  const { protocol, username, password, href } = url;
  if (protocol !== 'http:' && protocol !== 'https:')
    return skip(`only http and https are followed, not ${protocol.slice(0, -1)}`);
  if (username !== '' || password !== '')
    return { address: `${protocol}//${url.host}`, objection: 'credentials in a URL' };
  if (href.length > MAX_URL) return skip(`longer than ${MAX_URL} characters`);
  return { address: href, objection: null };
}
