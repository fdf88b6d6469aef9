/** What an endpoint offers on TLS: versions, cipher suites, key exchange, renegotiation. Plain values, for checks and grade. */
import type { CipherSuite } from '../probe/cipher-suites.ts';
import type { GroupSupport } from '../probe/groups.ts';
import type { NamedGroup } from '../probe/named-groups.ts';
import { describeFailure } from '../probe/outcome.ts';
import type { SuiteSupport } from '../probe/suites.ts';
import { type VersionName, versionNames } from '../probe/versions.ts';
import type { TlsFacts } from './tls-facts.ts';

export interface OfferedSuite extends CipherSuite {
  readonly version: VersionName;
}

export interface ProtocolFacts {
  /** null: it could not be found out. */
  readonly offered: Readonly<Record<VersionName, boolean | null>>;
  readonly suites: readonly OfferedSuite[];
  /** Why lists of suites may be incomplete; empty: they are complete. */
  readonly incomplete: readonly string[];
  /** Of ephemeral key exchanges. */
  readonly groups: readonly NamedGroup[];
  /** Why lists of groups may be incomplete; empty: they are complete. */
  readonly groupsIncomplete: readonly string[];
  /** Of the leaf's key: bits of an RSA key of the same strength; null: the certificate cannot be read. */
  readonly keyStrength: number | null;
  /** Whether the server renegotiates when a client asks for it; null: it could not be found out, or TLS 1.3 only. */
  readonly renegotiates: boolean | null;
  /** Why that could not be found out. */
  readonly renegotiationUnknown: string | null;
  /** Whether it announces secure renegotiation (RFC 5746); null: TLS 1.3 only. */
  readonly secureRenegotiation: boolean | null;
}

export function protocolFactsOf(facts: TlsFacts, keyStrength: number | null): ProtocolFacts {
  const { protocols, suites, groups, renegotiation } = facts;
  const offered = Object.fromEntries(versionNames.map((name) => [name, protocols[name].offered]));
  const older = versionNames.filter((name) => name !== 'TLS 1.3').map((name) => protocols[name]);
  const announced = older.flatMap((support) => (support.offered ? [support.secureRenegotiation] : []));
  const named = groups.flatMap((support) => support.groups);
  return {
    offered: offered as ProtocolFacts['offered'],
    suites: suites.flatMap(({ version, suites: found }) => found.map((suite) => ({ ...suite, version }))),
    incomplete: suites.flatMap(describeIncomplete),
    groupsIncomplete: groups.flatMap(describeIncomplete),
    groups: [...new Map(named.map((group) => [group.name, group])).values()],
    keyStrength,
    renegotiates:
      renegotiation === null || renegotiation.kind === 'unknown' ? null : renegotiation.kind === 'accepted',
    renegotiationUnknown: renegotiation?.kind === 'unknown' ? renegotiation.reason : null,
    secureRenegotiation: announced.length === 0 ? null : !announced.includes(false),
  };
}

function describeIncomplete({ version, incomplete }: SuiteSupport | GroupSupport): string[] {
  return incomplete === null ? [] : [`${version}: the server ${describeFailure(incomplete)}`];
}
