/** Reads a server's flight; the handshake is not finished. */
import type { Endpoint } from './endpoint.ts';
import { exchangeHello } from './hello-exchange.ts';
import type { FlightOutcome } from './outcome.ts';
import type { VersionName } from './versions.ts';

export interface FlightOptions extends Endpoint {
  /** The only version that is offered. The flight of TLS 1.3 is read, too. */
  readonly version: VersionName;
  /** Codes of cipher suites; default: all of the table that this version has and that can be read. */
  readonly suites?: readonly number[];
  /** Codes of groups; default: all of the table, in TLS 1.3 those that can be read. */
  readonly groups?: readonly number[];
  /** Codes of signature schemes for the handshake; default: all of the table. */
  readonly signatureSchemes?: readonly number[];
  /** Protocols to offer by ALPN, such as `http/1.1`; default: none. */
  readonly alpn?: readonly string[];
}

export function readServerFlight(options: FlightOptions): Promise<FlightOutcome> {
  return exchangeHello({ ...options, withShares: true, until: 'end' });
}
