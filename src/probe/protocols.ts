/** Which protocol versions a server accepts: one connection for each. */
import type { CipherSuite } from './cipher-suites.ts';
import type { Endpoint } from './endpoint.ts';
import { exchangeHello, type HelloOptions } from './hello-exchange.ts';
import { type FlightFailure, type FlightOutcome, failureIn, type Timing } from './outcome.ts';
import { type VersionName, versionNames } from './versions.ts';

export type VersionSupport = Timing &
  (
    | { readonly offered: true; readonly suite: CipherSuite; readonly secureRenegotiation: boolean | null }
    /** `offered: null`: the answer does not show it (a time-out, an answer that is not TLS, no connection). */
    | { readonly offered: false | null; readonly failure: FlightFailure }
  );

export type ProtocolSupport = Readonly<Record<VersionName, VersionSupport>>;

/** One after the other, so that each time is that of one connection. Never rejects for what the server does. */
export async function probeProtocols(endpoint: Endpoint): Promise<ProtocolSupport> {
  const found: [VersionName, VersionSupport][] = [];
  for (const version of versionNames) {
    const outcome = await askServerHello({ ...endpoint, version });
    found.push([version, supportOf(outcome)]);
  }
  const speaksTls = found.some(([, { offered }]) => offered === true);
  const settled = found.map(([version, support]) => [version, speaksTls ? settle(support) : support]);
  return Object.fromEntries(settled) as ProtocolSupport;
}

export type ServerHelloOptions = Omit<HelloOptions, 'withShares' | 'until'>;

/**
 * The answer up to ServerHello. A ClientHello of TLS 1.3 has no key, so that the server need not sign; a server that does
 * not know this (RFC 8446 §4.2.8) is asked again with keys.
 */
export async function askServerHello(options: ServerHelloOptions): Promise<FlightOutcome> {
  const first = await exchangeHello({ ...options, withShares: false, until: 'hello' });
  const isRefused = first.kind === 'alert' || first.kind === 'closed' || first.kind === 'reset';
  if (options.version !== 'TLS 1.3' || !isRefused) return first;
  return exchangeHello({ ...options, withShares: true, until: 'hello' });
}

function supportOf(outcome: FlightOutcome): VersionSupport {
  const { connectMs, ms } = outcome;
  if (outcome.kind === 'flight') {
    const { suite, secureRenegotiation } = outcome.flight;
    return { offered: true, suite, secureRenegotiation, connectMs, ms };
  }
  const failure = failureIn(outcome);
  return { offered: isRefusal(failure) ? false : null, failure, connectMs, ms };
}

/** Whether this answer to a ClientHello says that nothing in it is accepted. */
export function isRefusal(failure: FlightFailure): boolean {
  return failure.kind === 'alert' || failure.kind === 'other-version';
}

/** A server that speaks another version, and ends the connection at this one, refuses it. */
function settle(support: VersionSupport): VersionSupport {
  if (support.offered !== null) return support;
  const { kind } = support.failure;
  return kind === 'closed' || kind === 'reset' ? { ...support, offered: false } : support;
}
