/** Names the sources behind a judgement, for the detail of a denial: which CRL or responder, where, and what is wrong with it. */
import { isAbsolute } from 'node:path';
import type { Certificate } from '../pki/certificate.ts';
import { follow } from './addresses.ts';
import type { CrlSnapshot } from './crl/crl.ts';
import { crlId, crlNumber } from './describe.ts';
import type { RevocationMaterial } from './state.ts';

type Known = Pick<RevocationMaterial, 'policy' | 'crls' | 'aside' | 'origins'>;
type Naming = Pick<Certificate, 'crlDistributionPoints' | 'ocspUrls'>;

/** A certificate may name many; the first ones are enough to look further, and a record's detail is short. */
const mostNamed = 3;

/** Every address where a CRL about the certificate is looked for, and how each stands; empty: there is none. */
export function describeCrlSources(certificate: Naming, known: Known): string {
  const { crl } = known.policy;
  const named = certificate.crlDistributionPoints.flatMap(({ urls }) => urls);
  const addresses = crl === 'auto' ? named : crl === 'off' ? [] : crl;
  return listed([...new Set(addresses)].map((address) => describeCrlSource(address, known)));
}

function describeCrlSource(written: string, { crls, origins }: Known): string {
  const { address, objection } = isAbsolute(written)
    ? { address: written, objection: null }
    : follow(written);
  if (objection !== null) return `${address} is not followed: ${objection}`;
  const origin = origins.find((each) => each.address === address);
  if (origin === undefined) return `${address} was not asked yet`;
  const inUse = crls.find(({ sha256 }) => sha256 === origin.crl);
  if (inUse === undefined) return `${address}: ${origin.problem ?? 'no answer yet'}`;
  const problem = origin.problem === null ? '' : `, and the last attempt failed: ${origin.problem}`;
  return `${address}: ${describeInUse(inUse)}${problem}`;
}

function describeInUse({ sha256, number, nextUpdate }: CrlSnapshot): string {
  const until = nextUpdate === null ? 'without nextUpdate' : `until ${new Date(nextUpdate).toISOString()}`;
  return `CRL ${crlId(sha256)}, ${crlNumber(number)}, ${until}`;
}

/** `CRL 0123456789ab (number 7) of http://…`. */
export function describeCrlOf(sha256: string, { crls, aside, origins }: Omit<Known, 'policy'>): string {
  const number = [...crls, ...aside].find((crl) => crl.sha256 === sha256)?.number;
  const addresses = origins.filter(({ crl }) => crl === sha256).map(({ address }) => address);
  const of = addresses.length === 0 ? '' : ` of ${listed(addresses)}`;
  return `CRL ${crlId(sha256)}${number === undefined ? '' : ` (${crlNumber(number)})`}${of}`;
}

/** The responders that are asked about the certificate, and those that are not. */
export function describeResponders(
  { ocspUrls }: Naming,
  { policy: { ocsp } }: Pick<Known, 'policy'>,
): string {
  const addresses = ocsp === 'auto' ? ocspUrls : ocsp === 'off' ? [] : [ocsp];
  return listed(
    addresses.map((written) => {
      const { address, objection } = follow(written);
      return objection === null ? address : `${address}, which is not followed: ${objection}`;
    }),
  );
}

function listed(words: readonly string[]): string {
  const rest = words.length - mostNamed;
  return [...words.slice(0, mostNamed), ...(rest > 0 ? [`and ${rest} more`] : [])].join('; ');
}
