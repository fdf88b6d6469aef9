/** Which cipher suites a server accepts: repeats the ClientHello without the suite that the server chose last. */
import { type CipherSuite, suitesOf } from './cipher-suites.ts';
import type { Endpoint } from './endpoint.ts';
import { type FlightFailure, type FlightOutcome, failureIn } from './outcome.ts';
import { askServerHello, isRefusal } from './protocols.ts';
import type { VersionName } from './versions.ts';

export interface SuiteProbeOptions extends Endpoint {
  readonly version: VersionName;
  /** Called after each suite that was found. */
  readonly onSuite?: (suite: CipherSuite) => void;
}

export interface SuiteSupport {
  readonly version: VersionName;
  /** In the order in which the server chose them. */
  readonly suites: readonly CipherSuite[];
  /** Whose order counts; null: fewer than two suites, or it could not be found out. */
  readonly preference: 'server' | 'client' | null;
  /** Why the list may be incomplete; null: the server refused all other suites, so that it is complete. */
  readonly incomplete: FlightFailure | null;
}

type Ask = (suites: readonly CipherSuite[]) => Promise<FlightOutcome>;

/** Never rejects for what the server does. */
export async function probeSuites(options: SuiteProbeOptions): Promise<SuiteSupport> {
  const { version, onSuite = () => {} } = options;
  const ask: Ask = (suites) => askServerHello({ ...options, suites: suites.map(({ code }) => code) });
  const chosen: CipherSuite[] = [];
  let rest = suitesOf(version);
  while (rest.length > 0) {
    const outcome = await ask(rest);
    if (outcome.kind !== 'flight') return summarize(options, { chosen, last: outcome, ask });
    const { suite } = outcome.flight;
    chosen.push(suite);
    onSuite(suite);
    rest = rest.filter(({ code }) => code !== suite.code);
  }
  return summarize(options, { chosen, last: null, ask });
}

async function summarize(
  { version }: SuiteProbeOptions,
  {
    chosen,
    last,
    ask,
  }: { readonly chosen: readonly CipherSuite[]; readonly last: FlightOutcome | null; readonly ask: Ask },
): Promise<SuiteSupport> {
  const incomplete =
    last === null || last.kind === 'flight' || refusesRest(last, chosen) ? null : failureIn(last);
  return { version, suites: chosen, preference: await preferenceOf(chosen, ask), incomplete };
}

/** Some servers end the connection instead of an alert where no suite is common. */
export function refusesRest(failure: FlightFailure, chosen: readonly unknown[]): boolean {
  return isRefusal(failure) || (chosen.length > 0 && (failure.kind === 'closed' || failure.kind === 'reset'));
}

/**
 * Offers the suite that the server chose first behind one that it chose later. Not behind ChaCha20: some servers follow the
 * client only where it prefers that (OpenSSL's SSL_OP_PRIORITIZE_CHACHA).
 */
async function preferenceOf(chosen: readonly CipherSuite[], ask: Ask): Promise<SuiteSupport['preference']> {
  const [first, ...others] = chosen;
  const later = others.findLast(({ name }) => !name.includes('CHACHA20'));
  if (first === undefined || later === undefined) return null;
  const outcome = await ask([later, first]);
  if (outcome.kind !== 'flight') return null;
  return outcome.flight.suite.code === first.code ? 'server' : 'client';
}
