/** Reads the files of the routes' upstreams: CAs and client certificates. */
import { isIP } from 'node:net';
import type { BearerPolicy, EndpointPolicy, RoutePolicy, UpstreamTls } from '../../policy/snapshot.ts';
import { type Diagnostic, noDiagnostics } from '../diagnostic.ts';
import type { RouteParts } from '../parse.ts';
import type { BearerConfig } from '../schema/bearer.ts';
import type { EndpointConfig } from '../schema/routes.ts';
import { type ReadContext, readAuthorities } from './ca-file.ts';
import { sourceOf } from './key-sources.ts';
import { readServerCertificate } from './server-certificate.ts';
import { readSignaturePolicy } from './signature-policy.ts';

interface RoutesReading {
  /** Incomplete if there are problems. */
  readonly routes: readonly RoutePolicy[];
  readonly problems: readonly Diagnostic[];
  readonly warnings: readonly Diagnostic[];
}

type TlsConfig = NonNullable<EndpointConfig['tls']>;

/** Reports what is wrong in a file, without throwing. `now`: milliseconds since the epoch. */
export async function readRoutes(parts: readonly RouteParts[], now: number): Promise<RoutesReading> {
  const diagnostics = noDiagnostics();
  const routes: RoutePolicy[] = [];
  for (const [index, { route, signature, endpoints: entries }] of parts.entries()) {
    const endpoints: EndpointPolicy[] = [];
    for (const { path, entry } of entries) {
      const tls = entry.url.secure ? await readTls(entry, { at: [...path, 'tls'], now, diagnostics }) : null;
      endpoints.push(policyOf(entry, tls));
    }
    const at = ['routes', index, 'signature'];
    const signed = signature === undefined ? null : await readSignaturePolicy(signature, { at, diagnostics });
    if (route === undefined) continue;
    const { upstream: _, bearer, signature: __, ...policy } = route;
    const message = {
      bearer: bearer === undefined ? null : bearerPolicyOf(bearer, route.path),
      signature: signed,
    };
    routes.push({ firstByte: null, idle: null, ...message, ...policy, endpoints });
  }
  return { routes, ...diagnostics };
}

/** `id`: of the introspection endpoint (introspection.ts). */
function bearerPolicyOf(config: BearerConfig, id: string): BearerPolicy {
  const { audience, scopes = [], jwks, introspection: asked, ...policy } = config;
  return {
    ...policy,
    audience: audience.includes('any') ? [] : audience,
    scopes,
    keys: jwks === undefined ? null : sourceOf(jwks),
    introspection:
      asked === undefined
        ? null
        : { id, endpoint: asked.endpoint, cache: asked.cache, timeout: asked.timeout },
  };
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

async function readTls(
  { url, tls = {} }: EndpointConfig,
  { at, now, diagnostics }: ReadContext,
): Promise<UpstreamTls> {
  const host = 'host' in url.target ? url.target.host : '';
  return {
    ca: tls.ca === undefined ? null : await readAuthorities(tls.ca, { at, now, diagnostics }),
    certificate:
      tls.certificate === undefined ? null : await readCertificate(tls.certificate, { at, now, diagnostics }),
    // null for an IP address: it must not be sent as server name (RFC 6066 §3), and is compared with the certificate's
    // addresses.
    serverName: tls.serverName ?? (isIP(host) === 0 ? host.replace(/\.$/, '') : null),
    pins: tls.pins ?? null,
  };
}

async function readCertificate(
  files: NonNullable<TlsConfig['certificate']>,
  { at, now, diagnostics }: ReadContext,
) {
  const reading = await readServerCertificate(files, { now, purpose: 'client' });
  const locate = ({ field, ...fault }: (typeof reading.problems)[number]) => {
    return { path: [...at, 'certificate', field], ...fault };
  };
  diagnostics.problems.push(...reading.problems.map(locate));
  // An expired certificate for one endpoint does not affect the others.
  diagnostics.warnings.push(...reading.warnings.map(locate), ...reading.dateProblems.map(locate));
  return reading.loaded?.certificate ?? null;
}
