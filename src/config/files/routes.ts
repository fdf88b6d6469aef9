/** The routes with the content of the files that their upstreams name: CAs and client certificates. */
import { isIP } from 'node:net';
import type { EndpointPolicy, RoutePolicy, UpstreamTls } from '../../policy/snapshot.ts';
import type { Finding } from '../document.ts';
import { type EndpointConfig, routeSchema, upstreamSchema } from '../schema/routes.ts';
import { fieldsOf, itemsOf } from '../yaml-values.ts';
import { type Notes, type Place, readAuthorities } from './authorities.ts';
import { readServerCertificate } from './server-certificate.ts';

export interface RoutesReading {
  /** Whole only where there is no problem. */
  readonly routes: readonly RoutePolicy[];
  readonly problems: readonly Finding[];
  readonly warnings: readonly Finding[];
}

type TlsConfig = NonNullable<EndpointConfig['tls']>;

/** `raw`: the routes as the YAML says them. What is wrong in a file is told, not thrown. */
export async function readRoutes(
  raw: unknown,
  { folder, now }: { readonly folder: string; readonly now: number },
): Promise<RoutesReading> {
  const notes: Notes = { problems: [], warnings: [] };
  const routes: RoutePolicy[] = [];
  const schema = routeSchema(folder);
  const upstreams = readUpstreams(raw, folder);
  for (const [index, item] of itemsOf(raw).entries()) {
    const { data: route } = schema.safeParse(item);
    const listed = Array.isArray(fieldsOf(item).upstream);
    const endpoints: EndpointPolicy[] = [];
    for (const [position, endpoint] of (upstreams[index] ?? []).entries()) {
      const at = ['routes', index, 'upstream', ...(listed ? [position] : []), 'tls'];
      const tls = endpoint.url.secure ? await readTls(endpoint, { at, now, notes }) : null;
      endpoints.push(policyOf(endpoint, tls));
    }
    if (route === undefined) continue;
    const { upstream: _, ...policy } = route;
    routes.push({ firstByte: null, idle: null, ...policy, endpoints });
  }
  return { routes, ...notes };
}

/** The endpoints of each route, whatever else is wrong with it; none where its upstream is not well-formed. */
export function readUpstreams(raw: unknown, folder: string): (readonly EndpointConfig[])[] {
  const schema = upstreamSchema(folder);
  return itemsOf(raw).map((route) => schema.safeParse(fieldsOf(route).upstream).data ?? []);
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
