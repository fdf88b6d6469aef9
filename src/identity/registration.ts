/**
 * Whether a client's certificate or key is registered (`clients.registered`; RFC 8705 §2.2). Under `trust.mode: registered`
 * that takes the place of the path to an anchor, else it is a further condition.
 */
import { publicMembersOf, thumbprintOf } from '../jose/thumbprint.ts';
import type { Certificate } from '../pki/certificate.ts';
import type { PolicySnapshot, PublicJwk, RegisteredPolicy } from '../policy/snapshot.ts';
import type { RevocationMaterial } from '../revocation/state.ts';
import { type Denial, deny } from './verdict.ts';

/** The name of the anchor in permits, records and metrics under `trust.mode: registered`, where there is none. */
export const registeredAnchor = 'registered';

/** Of a client that no CA vouches for: there is nothing to check, and the status is `not_checked`. */
export const noRevocation: RevocationMaterial = {
  policy: {
    ...{ crl: 'off', ocsp: 'off', scope: 'leaf', onUnknown: 'deny' },
    ...{ grace: 0, firstContact: 0, refresh: 0 },
  },
  ...{ crls: [], revokeOnly: [], crlSources: [], ocsp: [], leaves: [] },
};

/** What the set has: thumbprints of certificates (`x5t#S256`) and of keys (RFC 7638). */
interface Registered {
  readonly certificates: ReadonlySet<string>;
  readonly keys: ReadonlySet<string>;
  /** Those that are registered without a certificate. */
  readonly bare: ReadonlySet<string>;
}

/** For one snapshot. */
export class Registrations {
  readonly #policy: RegisteredPolicy;
  /** null: never read. */
  readonly #active: Registered | null;
  /** undefined: not configured. */
  readonly #inactive: Registered | null | undefined;

  constructor(policy: RegisteredPolicy, keySets: PolicySnapshot['keySets']) {
    this.#policy = policy;
    const read = (source: string) => registeredIn(source, keySets);
    this.#active = read(policy.keys);
    this.#inactive = policy.inactive === null ? undefined : read(policy.inactive);
  }

  /** Whether the registration takes the place of the path to an anchor. */
  get isAlone(): boolean {
    return this.#policy.alone;
  }

  /** null: the leaf is registered and not inactive. Throws `CERTIFICATE_UNREADABLE` for a leaf whose key cannot be read. */
  check(leaf: Certificate): Denial | null {
    const { keys, inactive, compare } = this.#policy;
    // Without the set of inactive keys nothing shows that a key is not one of them.
    if (this.#active === null) return unknown(keys);
    if (this.#inactive === null) return unknown(inactive ?? '');
    if (this.#inactive !== undefined && this.#isInactive(this.#inactive, leaf))
      return deny(
        'registration_inactive',
        `the ${compare} is in the set of inactive registrations (clients.registered.inactive): ${named(leaf)}`,
      );
    if (this.#has(this.#active, leaf)) return null;
    const renewed =
      compare === 'certificate' && this.#active.keys.has(keyThumbprintOf(leaf) ?? '')
        ? '. Its key is registered with another certificate: probably the certificate was renewed and not registered yet'
        : '';
    return deny('not_registered', `the ${compare} is not in clients.registered: ${named(leaf)}${renewed}`);
  }

  /** A key without a certificate is inactive with all its certificates. */
  #isInactive(inactive: Registered, leaf: Certificate): boolean {
    if (this.#has(inactive, leaf)) return true;
    return inactive.bare.size > 0 && inactive.bare.has(keyThumbprintOf(leaf) ?? '');
  }

  #has({ certificates, keys }: Registered, leaf: Certificate): boolean {
    return this.#policy.compare === 'certificate'
      ? certificates.has(leaf.thumbprint)
      : keys.has(keyThumbprintOf(leaf) ?? '');
  }
}

function unknown(source: string): Denial {
  return deny('registration_unknown', `the set of clients.registered was never read from ${source}`);
}

function named(leaf: Certificate): string {
  return `x5t#S256 ${leaf.thumbprint}, thumbprint of its key ${keyThumbprintOf(leaf) ?? 'none'}`;
}

function registeredIn(source: string, keySets: PolicySnapshot['keySets']): Registered | null {
  const keys = keySets.find((set) => set.source === source)?.keys ?? null;
  if (keys === null) return null;
  const bare = keys.filter(({ certificate }) => certificate === null);
  return { certificates: certificatesOf(keys), keys: thumbprintsOf(keys), bare: thumbprintsOf(bare) };
}

function thumbprintsOf(keys: readonly PublicJwk[]): ReadonlySet<string> {
  return new Set(keys.map(({ thumbprint }) => thumbprint));
}

function certificatesOf(keys: readonly PublicJwk[]): ReadonlySet<string> {
  return new Set(keys.flatMap(({ certificate }) => certificate ?? []));
}

const thumbprints = new WeakMap<Certificate, string | null>();

/** RFC 7638, base64url; null: a key that JSON Web Keys do not have. Computed once for each parsed certificate. */
function keyThumbprintOf(leaf: Certificate): string | null {
  let thumbprint = thumbprints.get(leaf);
  if (thumbprint === undefined) {
    const members = keyMembersOf(leaf);
    thumbprint = members && thumbprintOf(members);
    thumbprints.set(leaf, thumbprint);
  }
  return thumbprint;
}

function keyMembersOf({ x509 }: Certificate): Readonly<Record<string, string>> | null {
  try {
    return publicMembersOf(x509.publicKey);
  } catch {
    // A key of a type that OpenSSL does not know.
    return null;
  }
}
