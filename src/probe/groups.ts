/** Which groups a server accepts for ephemeral key exchanges: repeats the ClientHello without the group it chose last. */
import { X509Certificate } from 'node:crypto';
import { type CipherSuite, suitesOf } from './cipher-suites.ts';
import type { Endpoint } from './endpoint.ts';
import { exchangeHello } from './hello-exchange.ts';
import { groupsOf, type NamedGroup } from './named-groups.ts';
import { type FlightFailure, type FlightOutcome, failureIn } from './outcome.ts';
import { askServerHello, type ServerHelloOptions } from './protocols.ts';
import type { ServerFlight } from './server-flight.ts';
import { refusesRest } from './suites.ts';
import type { VersionName } from './versions.ts';

export interface GroupProbeOptions extends Endpoint {
  readonly version: 'TLS 1.0' | 'TLS 1.1' | 'TLS 1.2' | 'TLS 1.3';
}

export interface GroupSupport {
  readonly version: VersionName;
  /**
   * In the order in which the server chose them: with RSA, then with ECDSA certificates; last, a group with parameters of
   * the server for DHE suites.
   */
  readonly groups: readonly NamedGroup[];
  /** Why the list may be incomplete; null: it is complete. */
  readonly incomplete: FlightFailure | null;
}

type Ask = (options: {
  readonly suites: readonly CipherSuite[];
  readonly groups: readonly NamedGroup[];
}) => Promise<FlightOutcome>;

/** Never rejects for what the server does. */
export async function probeGroups(options: GroupProbeOptions): Promise<GroupSupport> {
  const { version } = options;
  // Up to TLS 1.2 the group is in ServerKeyExchange.
  const askFlight = (hello: ServerHelloOptions) =>
    version === 'TLS 1.3'
      ? askServerHello(hello)
      : exchangeHello({ ...hello, withShares: false, until: 'end' });
  const ask: Ask = ({ suites, groups }) => {
    const codes = {
      suites: suites.map(({ code }) => code),
      groups: groups.flatMap(({ code }) => code ?? []),
    };
    return askFlight({ ...options, ...codes });
  };
  const suites = suitesOf(version);
  if (version === 'TLS 1.3')
    return { version, ...(await collect(ask, { suites, groups: groupsOf(version) })) };
  const suitesWith = (keyExchange: string) => suites.filter((suite) => suite.keyExchange === keyExchange);
  const groups = groupsOf(version);
  const byRsa = await collect(ask, { suites: suitesWith('ECDHE_RSA'), groups });
  const byEcdsa = await collect(ask, { suites: suitesWith('ECDHE_ECDSA'), groups });
  const dhe = suites.filter(({ keyExchange }) => keyExchange.startsWith('DHE_'));
  const own = await ask({ suites: dhe, groups });
  const group = own.kind === 'flight' ? own.flight.keyExchange?.group : undefined;
  const found = [...byRsa.groups, ...byEcdsa.groups, ...(group === undefined ? [] : [group])];
  const unanswered = own.kind === 'flight' || refusesRest(own, [1]) ? null : failureIn(own);
  return {
    version,
    groups: [...new Map(found.map((each) => [each.name, each])).values()],
    incomplete: byRsa.incomplete ?? byEcdsa.incomplete ?? unanswered,
  };
}

async function collect(
  ask: Ask,
  offer: { readonly suites: readonly CipherSuite[]; readonly groups: readonly NamedGroup[] },
): Promise<{ groups: NamedGroup[]; incomplete: FlightFailure | null }> {
  const { suites } = offer;
  const chosen: NamedGroup[] = [];
  let rest = offer.groups;
  while (rest.length > 0) {
    const outcome = await ask({ suites, groups: rest });
    if (outcome.kind !== 'flight')
      return { groups: chosen, incomplete: refusesRest(outcome, [1]) ? null : failureIn(outcome) };
    const group = outcome.flight.keyExchange?.group;
    // HelloRetryRequest without a group, or a group that the server had been asked not to choose.
    if (group === undefined || chosen.some(({ code }) => code === group.code)) break;
    chosen.push(group);
    rest = withoutGroup(rest, { group, flight: outcome.flight });
  }
  return { groups: chosen, incomplete: null };
}

/**
 * Up to TLS 1.2 a server with an ECDSA certificate refuses a client that does not offer the certificate's curve (RFC 8422
 * §5.1): it moves to the end instead, and the search ends when the server chooses it for the second time.
 */
function withoutGroup(
  groups: readonly NamedGroup[],
  { group, flight }: { readonly group: NamedGroup; readonly flight: ServerFlight },
): readonly NamedGroup[] {
  const others = groups.filter(({ code }) => code !== group.code);
  const isNeeded = flight.version !== 'TLS 1.3' && group.name === curveOf(flight.certificates[0]);
  return isNeeded && others.length > 0 ? [...others, group] : others;
}

const curveNames: Readonly<Record<string, string>> = { prime256v1: 'secp256r1' };

/** null: the certificate has no EC key, or cannot be parsed. */
function curveOf(certificate: Buffer | undefined): string | null {
  if (certificate === undefined) return null;
  try {
    const { namedCurve } = new X509Certificate(certificate).publicKey.asymmetricKeyDetails ?? {};
    return namedCurve === undefined ? null : (curveNames[namedCurve] ?? namedCurve);
  } catch {
    return null;
  }
}
