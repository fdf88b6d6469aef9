/** Describes the revocation sources of a certificate, with address and failure, for the detail of a denial. */
import { isAbsolute } from 'node:path';
import type { Certificate } from '../pki/certificate.ts';
import { resolveAddress } from './addresses.ts';
import type { CrlSnapshot } from './crl/crl.ts';
import { crlId, crlNumber } from './crl/describe.ts';
import type { RevocationMaterial } from './state.ts';

type CrlMaterial = Pick<RevocationMaterial, 'policy' | 'crls' | 'revokeOnly' | 'crlSources'>;
type NamedSources = Pick<Certificate, 'crlDistributionPoints' | 'ocspUrls'>;

/** Maximum number of addresses in one detail, which is to stay short. */
const MAX_LISTED = 3;

/** Every address that is fetched for a CRL about the certificate, with its state; empty: there is none. */
export function describeCrlSources(certificate: NamedSources, material: CrlMaterial): string {
  const { crl } = material.policy;
  const named = certificate.crlDistributionPoints.flatMap(({ urls }) => urls);
  const addresses = crl === 'auto' ? named : crl === 'off' ? [] : crl;
  return listed([...new Set(addresses)].map((address) => describeCrlSource(address, material)));
}

function describeCrlSource(named: string, { crls, crlSources }: CrlMaterial): string {
  const { address, objection } = isAbsolute(named)
    ? { address: named, objection: null }
    : resolveAddress(named);
  if (objection !== null) return `${address} is not fetched: ${objection}`;
  const source = crlSources.find((each) => each.address === address);
  if (source === undefined) return `${address} was not fetched yet`;
  const inUse = crls.find(({ sha256 }) => sha256 === source.crl);
  if (inUse === undefined) return `${address}: ${source.problem ?? 'no response yet'}`;
  const failure = source.problem === null ? '' : `, and the last attempt failed: ${source.problem}`;
  return `${address}: ${describeInUse(inUse)}${failure}`;
}

function describeInUse({ sha256, number, nextUpdate }: CrlSnapshot): string {
  const until = nextUpdate === null ? 'without nextUpdate' : `until ${new Date(nextUpdate).toISOString()}`;
  return `CRL ${crlId(sha256)}, ${crlNumber(number)}, ${until}`;
}

/** `CRL 0123456789ab (number 7) of http://…`. */
export function describeCrlOf(
  sha256: string,
  { crls, revokeOnly, crlSources }: Omit<CrlMaterial, 'policy'>,
): string {
  const number = [...crls, ...revokeOnly].find((crl) => crl.sha256 === sha256)?.number;
  const addresses = crlSources.filter(({ crl }) => crl === sha256).map(({ address }) => address);
  const of = addresses.length === 0 ? '' : ` of ${listed(addresses)}`;
  return `CRL ${crlId(sha256)}${number === undefined ? '' : ` (${crlNumber(number)})`}${of}`;
}

/** The responders for the certificate, those that are not queried with the reason. */
export function describeResponders(
  { ocspUrls }: NamedSources,
  { policy: { ocsp } }: Pick<CrlMaterial, 'policy'>,
): string {
  const addresses = ocsp === 'auto' ? ocspUrls : ocsp === 'off' ? [] : [ocsp];
  return listed(
    addresses.map((named) => {
      const { address, objection } = resolveAddress(named);
      return objection === null ? address : `${address}, which is not queried: ${objection}`;
    }),
  );
}

function listed(texts: readonly string[]): string {
  const rest = texts.length - MAX_LISTED;
  return [...texts.slice(0, MAX_LISTED), ...(rest > 0 ? [`and ${rest} more`] : [])].join('; ');
}
