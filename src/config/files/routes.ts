/** The routes with the content of the files that their upstreams name: CAs and client certificates. */
import { isIP } from 'node:net';
import type { EndpointPolicy, RoutePolicy, UpstreamTls } from '../../policy/snapshot.ts';
import type { Finding } from '../document.ts';
import type { RouteParts } from '../parse.ts';
import type { EndpointConfig } from '../schema/routes.ts';
import { type Notes, type Place, readAuthorities } from './authorities.ts';
import { readServerCertificate } from './server-certificate.ts';

export interface RoutesReading {
  /** Whole only where there is no problem. */
  readonly routes: readonly RoutePolicy[];
  readonly problems: readonly Finding[];
  readonly warnings: readonly Finding[];
}

type TlsConfig = NonNullable<EndpointConfig['tls']>;

/** Reports what is wrong in a file, without throwing. `now`: milliseconds since the epoch. */
export async function readRoutes(parts: readonly RouteParts[], now: number): Promise<RoutesReading> {
  const notes: Notes = { problems: [], warnings: [] };
  const routes: RoutePolicy[] = [];
  for (const { route, endpoints: entries } of parts) {
    const endpoints: EndpointPolicy[] = [];
    for (const { path, entry } of entries) {
      const tls = entry.url.secure ? await readTls(entry, { at: [...path, 'tls'], now, notes }) : null;
      endpoints.push(policyOf(entry, tls));
    }
    if (route === undefined) continue;
    const { upstream: _, ...policy } = route;
    routes.push({ firstByte: null, idle: null, ...policy, endpoints });
  }
  return { routes, ...notes };
}

function policyOf(
  { url, proxyProtocol, pool, health }: EndpointConfig,
  tls: UpstreamTls | null,
): EndpointPolicy {
  return {
    url: url.url,
    target: url.target,
    authority: url.authority,
    tls,
    proxyProtocol: proxyProtocol ?? null,
    pool: { idle: pool.reuse === 'off' ? 0 : pool.idle, idleTimeout: pool.idleTimeout },
    health: health === undefined ? null : { path: '/', ...health },
  };
}

async function readTls({ url, tls = {} }: EndpointConfig, { at, now, notes }: Place): Promise<UpstreamTls> {
  const host = 'host' in url.target ? url.target.host : '';
  // An address is no server name (RFC 6066 §3): it is looked for among the certificate's addresses.
  return {
    ca: tls.ca === undefined ? null : await readAuthorities(tls.ca, { at, now, notes }),
    certificate:
      tls.certificate === undefined ? null : await readCertificate(tls.certificate, { at, now, notes }),
    serverName: tls.serverName ?? (isIP(host) === 0 ? host.replace(/\.$/, '') : null),
    pins: tls.pins ?? null,
  };
}

async function readCertificate(files: NonNullable<TlsConfig['certificate']>, { at, now, notes }: Place) {
  const reading = await readServerCertificate(files, { now, purpose: 'client' });
  const place = ({ field, ...note }: (typeof reading.problems)[number]) => {
    return { path: [...at, 'certificate', field], ...note };
  };
  notes.problems.push(...reading.problems.map(place));
  // A certificate for one endpoint that has expired takes nothing from the others.
  notes.warnings.push(...reading.warnings.map(place), ...reading.dated.map(place));
  return reading.loaded?.certificate ?? null;
}
