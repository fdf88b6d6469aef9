/** Everything one end-to-end test needs: an authority, a host, and the real gateway between client and host. */
import { parseCertificate } from '../../../src/pki/certificate.ts';
import type { Message } from '../http/http.ts';
import { type Authority, authority, type Leaf } from '../pki/authority.ts';
import { type Client, type ClientOptions, connect, send } from './client.ts';
import { type AuditRecord, type Gateway, startGateway } from './gateway.ts';
import { type Host, type HostOptions, openHost } from './host.ts';

export interface StageOptions {
  /** Replaces the default sections of the same name. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Default: only `/`. A route without an upstream leads to the host. */
  readonly routes?: readonly {
    readonly path: string;
    readonly upstream?: unknown;
    readonly deadline?: string;
    readonly firstByte?: string;
    readonly idle?: string;
    readonly budget?: string;
    readonly contentLength?: 'ensure' | 'asis';
    readonly inFlight?: number;
    readonly bearer?: unknown;
    readonly signature?: unknown;
  }[];
  readonly host?: HostOptions;
  readonly authority?: Authority;
  /** Further files beside the configuration. */
  readonly files?: Readonly<Record<string, string | Uint8Array>>;
  readonly env?: Readonly<Record<string, string>>;
  /** Descriptor limit of the gateway. */
  readonly descriptors?: number;
  /** Largest file that the gateway may write, in blocks of 512 bytes. */
  readonly fileBlocks?: number;
  /** Destination of the gateway's standard error. */
  readonly stderr?: string;
  /** Path of the program; default: the one that tests start. */
  readonly program?: string;
  /** Puts the clients on the allowlist, so that TLS reads from their TCP sockets; otherwise it reads through a gate. */
  readonly named?: boolean;
}

export interface Stage extends AsyncDisposable {
  /** Issues the certificates of the gateway and its clients. */
  readonly authority: Authority;
  /** A client's leaf that the default configuration allows. */
  readonly leaf: Leaf;
  readonly host: Host;
  readonly gateway: Gateway;
  /** Connects with the good leaf by default; `leaf: undefined` sends none. */
  connect(options?: Partial<ClientOptions>): Promise<Client>;
  /** Replaces these sections in the configuration file, without a signal. */
  configure(config: Readonly<Record<string, unknown>>): Promise<void>;
  /** Reloads the gateway with these sections of the first configuration replaced; resolves with the record of the reload. */
  reload(config?: Readonly<Record<string, unknown>>): Promise<AuditRecord>;
  /** Reloads the gateway so that its only route leads there; `config`: further sections to replace. */
  leadTo(
    upstream: unknown,
    options?: { readonly deadline?: string; readonly config?: Readonly<Record<string, unknown>> },
  ): Promise<void>;
  /** One connection, one request, one response. */
  send(bytes: string | Uint8Array, options?: Partial<ClientOptions>): Promise<Message>;
}

/** An idle connection to the host stays open however long a busy machine takes for the next message. */
const pool = { idleTimeout: '10m' };

function withPool(upstream: unknown): unknown {
  if (Array.isArray(upstream)) return upstream.map(withPool);
  return typeof upstream === 'string' ? { url: upstream, pool } : { pool, ...(upstream as object) };
}

/**
 * The default configuration: the authority's root and issuing CA as the anchor `example`, `match` on the good
 * leaf's organizational unit, one route to the host.
 */
export async function openStage(options: StageOptions = {}): Promise<Stage> {
  await using opened = new AsyncDisposableStack();
  const { authority: pki = authority(), files = {}, config = {}, routes = [{ path: '/' }] } = options;
  const server = pki.issueServer();
  const leaf = pki.issueClient();
  const host = opened.use(await openHost(options.host));
  /** A route without an upstream leads to the host, and has a deadline that a busy test machine keeps. */
  const complete = ({ upstream = host.url, ...route }: Readonly<Record<string, unknown>>) => ({
    ...{ upstream: withPool(upstream), deadline: '5m' },
    ...route,
  });
  const withRoutes = (sections: Readonly<Record<string, unknown>>) => ({
    ...sections,
    routes: (sections.routes as Readonly<Record<string, unknown>>[]).map(complete),
  });
  const configuration = {
    trust: { anchors: [{ name: 'example', files: ['anchor.pem'] }], cacheDir: 'trust' },
    clients: {
      match: { organizationalUnit: parseCertificate(leaf.der).organizationalUnits[0] },
      ...(options.named ? { allowlist: ['127.0.0.0/8', '::1'] } : {}),
    },
    routes,
    ...config,
    listen: { certificate: { chain: 'server.pem', key: 'server.key' }, ...(config.listen as object) },
  };
  const gateway = opened.use(
    await startGateway({
      files: {
        'server.pem': server.chainPem,
        'server.key': server.keyPem,
        'anchor.pem': pki.anchorPem,
        ...files,
      },
      env: options.env ?? {},
      ...(options.descriptors === undefined ? {} : { descriptors: options.descriptors }),
      ...(options.fileBlocks === undefined ? {} : { fileBlocks: options.fileBlocks }),
      ...(options.stderr === undefined ? {} : { stderr: options.stderr }),
      ...(options.program === undefined ? {} : { program: options.program }),
      config: withRoutes(configuration),
    }),
  );
  const clientOptions = { port: gateway.port, ca: pki.root.pem, leaf };
  const stack = opened.move();
  return {
    authority: pki,
    leaf,
    host,
    gateway,
    configure: (changes) => gateway.configure(withRoutes({ ...configuration, ...changes })),
    reload: (changes) => gateway.reload(withRoutes({ ...configuration, ...changes })),
    leadTo: async (upstream, { config: changes = {}, ...route } = {}) => {
      const routes = [{ path: '/', upstream, ...route }];
      const { event } = await gateway.reload(withRoutes({ ...configuration, ...changes, routes }));
      if (event !== 'reloaded') throw new Error(gateway.stderr);
    },
    connect: (client) => connect({ ...clientOptions, ...client }),
    send: (bytes, client) => send({ ...clientOptions, ...client }, bytes),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}
