/** Which cipher suites a server accepts: repeats the ClientHello without the suite that the server chose last. */
import type { CipherSuite } from './cipher-suites.ts';
import type { Endpoint } from './endpoint.ts';
import type { FlightFailure } from './outcome.ts';
import type { VersionName } from './versions.ts';

export interface SuiteProbeOptions extends Endpoint {
  readonly version: VersionName;
  /** Limit of all connections together in milliseconds; default 60,000. */
  readonly totalMs?: number;
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

export function probeSuites(options: SuiteProbeOptions): Promise<SuiteSupport> {
  throw new Error(`not built: ${options.version}`);
}
