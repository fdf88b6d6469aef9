/** Which groups a server accepts for ephemeral key exchanges: repeats the ClientHello without the group it chose last. */
import type { Endpoint } from './endpoint.ts';
import type { NamedGroup } from './named-groups.ts';
import type { FlightFailure } from './outcome.ts';
import type { VersionName } from './versions.ts';

export interface GroupProbeOptions extends Endpoint {
  readonly version: 'TLS 1.0' | 'TLS 1.1' | 'TLS 1.2' | 'TLS 1.3';
  /** Limit of all connections together in milliseconds; default 60,000. */
  readonly totalMs?: number;
}

export interface GroupSupport {
  readonly version: VersionName;
  /** In the order in which the server chose them; last, a group of its own for DHE suites. */
  readonly groups: readonly NamedGroup[];
  /** Why the list may be incomplete; null: it is complete. */
  readonly incomplete: FlightFailure | null;
}

export function probeGroups(options: GroupProbeOptions): Promise<GroupSupport> {
  throw new Error(`not built: ${options.version}`);
}
