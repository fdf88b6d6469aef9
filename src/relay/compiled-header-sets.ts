/** The configured header sets. The fields of a leaf are made once, and reused. */
import { isDeepStrictEqual } from 'node:util';
import type { CertifiedClient, UncertifiedClient } from '../identity/authorize.ts';
import { RequestFields } from '../message/field-forwarding.ts';
import type { Certificate } from '../pki/certificate.ts';
import { readCertificates } from '../pki/pem.ts';
import type { IdentityHeaders, PolicySnapshot } from '../policy/snapshot.ts';
import {
  type CertificateSet,
  certificateFields,
  fieldsWithoutCertificate,
  namesOf,
} from './identity-header-sets.ts';

interface Choice extends Pick<IdentityHeaders, 'sets' | 'chain'> {
  /** URIs in the gateway's own certificates; empty if no configured set contains them. */
  readonly by: readonly string[];
}

type CertificateOf<Client extends CertifiedClient | UncertifiedClient> = Pick<Client, 'leaf' | 'path'>;

export class IdentityFields {
  readonly choice: Choice;
  readonly #cache = new WeakMap<Certificate, string>();

  constructor(choice: Choice) {
    this.choice = choice;
  }

  /** Includes `Forwarded` (RFC 7239), whose value depends on the connection and the request, not on the leaf. */
  get forwarded(): boolean {
    return this.choice.sets.includes('forwarded');
  }

  /** The fields of the client's certificate, each with its CRLF; without one what the configured sets have for that case. */
  ofCertificate(client: CertificateOf<CertifiedClient> | CertificateOf<UncertifiedClient>): string {
    const { leaf, path } = client;
    if (leaf === null) return this.#linesOf((set) => fieldsWithoutCertificate[set] ?? {});
    let text = this.#cache.get(leaf);
    if (text === undefined) {
      const { chain, by } = this.choice;
      const facts = { leaf, between: chain ? path.slice(1, -1) : [], by };
      text = this.#linesOf((set) => certificateFields[set](facts));
      this.#cache.set(leaf, text);
    }
    return text;
  }

  #linesOf(fieldsOf: (set: CertificateSet) => Readonly<Record<string, string>>): string {
    return this.choice.sets
      .filter((set): set is CertificateSet => set !== 'forwarded')
      .flatMap((set) => Object.entries(fieldsOf(set)))
      .map(([name, value]) => `${name}: ${value}\r\n`)
      .join('');
  }
}

/** Returns `last`, the one in use, with its cache, if the choice is the same. */
export function compileIdentityFields(
  { identityHeaders, certificates }: Pick<PolicySnapshot, 'identityHeaders' | 'certificates'>,
  last: IdentityFields | null,
): IdentityFields {
  const { sets, chain } = identityHeaders;
  const by = sets.includes('envoy') ? certificates.flatMap(({ chain: pem }) => urisOf(pem)) : [];
  const choice = { sets, chain, by: [...new Set(by)] };
  return last !== null && JSON.stringify(last.choice) === JSON.stringify(choice)
    ? last
    : new IdentityFields(choice);
}

/** The fields of clients that are removed; `last` as for `compileIdentityFields`. */
export function compileRequestFields(
  { identityHeaders: { remove } }: Pick<PolicySnapshot, 'identityHeaders'>,
  last: RequestFields | null,
): RequestFields {
  return last !== null && isDeepStrictEqual(last.added, remove) ? last : new RequestFields(remove);
}

function urisOf(pem: string): string[] {
  const [leaf] = readCertificates(Buffer.from(pem, 'latin1'));
  return leaf === undefined ? [] : namesOf(leaf, 'URI:');
}
