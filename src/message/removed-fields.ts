/**
 * The request fields that hosts trust for the client's identity or address, the connection, or an override of the request.
 * Only a proxy may set them, so they are removed from the requests of clients. docs/removed-fields.md is generated from it.
 *
 * Names are spelled as in their source; a trailing `*` matches any rest of the name. Case is ignored, and `_`, `.` and
 * other separators count as `-`.
 */
interface RemovedFieldGroup {
  readonly group: string;
  readonly fields: readonly string[];
  /** Documents that define the names. */
  readonly source: string;
}

export const removedFields: readonly RemovedFieldGroup[] = [
  {
    group: 'Standards',
    fields: ['Forwarded', 'Client-Cert', 'Client-Cert-Chain'],
    source: 'RFC 7239; RFC 9440',
  },
  {
    group: 'Proxies in general',
    fields: ['X-Forwarded', 'X-Forwarded-*', 'Forwarded-For', 'X-Real-IP', 'X-Proxied-Https', 'X-Request-Id'],
    source: 'MDN, X-Forwarded-For; nginx, ngx_http_realip_module; Jetty, ForwardedRequestCustomizer',
  },
  {
    group: 'Client addresses set by CDNs and other proxies',
    fields: [
      ...['Client-IP', 'X-Client-IP', 'X-Cluster-Client-IP', 'X-ProxyUser-IP', 'X-Originating-IP'],
      ...['True-Client-IP', 'Fastly-*', 'Fly-*', 'Incap-Client-IP', 'X-Azure-*', 'X-Vercel-*', 'X-NF-*'],
    ],
    source:
      'Akamai, True-Client-IP; Fastly, Fly.io, Imperva, Azure Front Door, Vercel, Netlify: request headers',
  },
  {
    group: 'Client certificates, as named in configuration guides',
    fields: [
      ...['X-SSL-*', 'SSL-*', 'X-TLS-*', 'X-Client-Cert*', 'X-Client-Verify', 'X-Client-DN', 'X-Client-CN'],
      ...['X-Client-Subject*', 'X-Client-Issuer*', 'X-Client-Serial*', 'X-Client-Fingerprint*'],
      ...['X-Certificate*', 'X-Peer-Cert*', 'X-MTLS-*', 'SSLClient*'],
    ],
    source:
      'nginx, ngx_http_ssl_module; Apache, mod_ssl; HAProxy, ssl_c_*; Tomcat, SSLValve; F5, SSLClientCert*',
  },
  {
    group: 'WebSphere and Domino',
    fields: ['$WS*'],
    source: 'IBM, private headers of the web server plug-in (trustedSensitiveHeaderOrigin)',
  },
  {
    group: 'WebLogic, iPlanet, GlassFish, Jetty, and CGI’s HTTP_PROXY (httpoxy)',
    fields: ['WL-Proxy-*', 'Proxy', 'Proxy-*'],
    source: 'Oracle, WLProxySSL and clientCertProxy; GlassFish, auth-pass-through; CVE-2016-5385',
  },
  {
    group: 'SAP',
    fields: ['ClientProtocol', 'X-SAP-WebDisp-*'],
    source: 'SAP Web Dispatcher, SSL termination',
  },
  {
    group: 'Users, as named by proxies and single sign-on',
    fields: [
      ...['Remote-*', 'X-Remote-*', 'X-WebAuth-*', 'X-Auth-Request-*', 'X-Authenticated-*', 'X-Authentik-*'],
      ...[
        'X-Userinfo',
        'X-Proxy-User',
        'X-Pomerium-*',
        'Tailscale-User-*',
        'OIDC-*',
        'Shib-*',
        'OAM-*',
        'OSSO-*',
      ],
      ...['SM-*', 'SMUser', 'IV-*'],
    ],
    source:
      'Kubernetes, authenticating proxy; Authelia; Grafana, auth proxy; oauth2-proxy; authentik; mod_auth_openidc; Shibboleth; Oracle; SiteMinder; IBM WebSEAL',
  },
  {
    group: 'API gateways',
    fields: ['X-Consumer-*', 'X-Credential-*', 'X-Anonymous-Consumer', 'Dapr-Caller-*'],
    source: 'Kong and APISIX, consumer headers; Dapr, service invocation',
  },
  {
    group: 'Azure and ASP.NET Core',
    fields: [
      ...[
        'X-ARR-*',
        'X-MS-Client-Principal*',
        'X-MS-Token-*',
        'X-AppService-*',
        'X-WAWS-*',
        'Disguised-Host',
      ],
      ...['MS-ASPNETCORE-*', 'X-Original-For', 'Front-End-Https'],
    ],
    source: 'Azure App Service, authentication and TLS mutual authentication; ASP.NET Core Module; Exchange',
  },
  {
    group: 'AWS',
    fields: [
      'X-Amzn-Mtls-*',
      'X-Amzn-Tls-*',
      'X-Amzn-Oidc-*',
      'X-Amzn-Request-Context',
      'CloudFront-Viewer-*',
    ],
    source: 'AWS, Application Load Balancer and CloudFront: request headers',
  },
  {
    group: 'Google Cloud',
    fields: ['X-Goog-Authenticated-User-*', 'X-Goog-IAP-*', 'X-AppEngine-*'],
    source: 'Google, Identity-Aware Proxy; App Engine, request headers',
  },
  {
    group: 'Cloudflare',
    fields: ['CF-*'],
    source: 'Cloudflare, HTTP request headers; Access',
  },
  {
    group: 'Service meshes',
    fields: ['X-Envoy-*', 'L5d-*'],
    source: 'Envoy, HTTP header manipulation (x-envoy-max-retries would also send a message twice); Linkerd',
  },
  {
    group: 'Overrides of the method, path or host',
    fields: [
      ...['X-Original-*', 'X-Rewrite-URL', 'X-Host', 'X-HTTP-Host-Override', 'X-Scheme', 'X-URL-Scheme'],
      ...['X-HTTP-Method-Override', 'X-HTTP-Method', 'X-Method-Override', 'X-Script-Name', 'X-Middleware-*'],
      ...['X-Sendfile-Type', 'X-Accel-*'],
    ],
    source:
      'IIS, URL Rewrite; Symfony and Zend (CVE-2018-14773); ingress-nginx; Rails and Spring, method override; Next.js (CVE-2025-29927); Rack::Sendfile',
  },
];

/** Replaces every separator by a hyphen: names that CGI-like hosts do not distinguish become equal. */
export function plainName(lowerCaseName: string): string {
  return lowerCaseName.replace(/[^a-z0-9]/g, '-');
}

/** A set of names and name prefixes, matched in their plain form. */
export class NameSet {
  readonly #names = new Set<string>();
  readonly #prefixes: RegExp | null;

  /** A trailing `*` makes a name a prefix. */
  constructor(names: readonly string[]) {
    const prefixes = new Set<string>();
    for (const name of names) {
      const plain = plainName(name.toLowerCase());
      if (name.endsWith('*')) prefixes.add(plain.slice(0, -1));
      else this.#names.add(plain);
    }
    // Plain names have only letters, digits and hyphens: no character needs escaping in a pattern.
    this.#prefixes = prefixes.size === 0 ? null : new RegExp(`^(?:${[...prefixes].join('|')})`);
  }

  has(plain: string): boolean {
    return this.#names.has(plain) || (this.#prefixes?.test(plain) ?? false);
  }
}

export const removedNames: readonly string[] = removedFields.flatMap(({ fields }) => fields);
