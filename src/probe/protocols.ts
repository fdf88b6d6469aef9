/** Which protocol versions a server accepts: one connection for each. */
import type { CipherSuite } from './cipher-suites.ts';
import type { Endpoint } from './endpoint.ts';
import type { FlightFailure, Timing } from './outcome.ts';
import type { VersionName } from './versions.ts';

export type VersionSupport = Timing &
  (
    | { readonly offered: true; readonly suite: CipherSuite; readonly secureRenegotiation: boolean | null }
    /** `offered: null`: the answer does not show it (a time-out, an answer that is not TLS, no connection). */
    | { readonly offered: false | null; readonly failure: FlightFailure }
  );

export type ProtocolSupport = Readonly<Record<VersionName, VersionSupport>>;

export function probeProtocols(endpoint: Endpoint): Promise<ProtocolSupport> {
  throw new Error(`not built: ${endpoint.host}`);
}
