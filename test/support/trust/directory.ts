/** A file server over HTTPS or HTTP that records requests and can be set to misbehave. */
import { createServer as createPlainServer, type IncomingMessage, type RequestListener } from 'node:http';
import { createServer } from 'node:https';
import { serveFile } from '../../../src/demo/directory.ts';
import { type Authority, authority } from '../pki/authority.ts';
import { type Listening, listenOnLoopback } from '../process/listening.ts';

export interface Directory extends Listening {
  /** `https://localhost:<port>`, its certificate from `pki`; or with `http`. */
  readonly origin: string;
  readonly pki: Authority;
  /** Path → content; change it at any time. */
  readonly files: Map<string, string | Uint8Array>;
  /** All requests, in order. */
  readonly requests: {
    readonly path: string;
    readonly headers: IncomingMessage['headers'];
    readonly status: number;
  }[];
  /** If set, handles requests instead of the files. */
  misbehaviour: RequestListener | null;
}

export const misbehaviours = {
  fail: (_request, response) => response.writeHead(503).end(),
  /** Accepts the request and never responds. */
  hang: () => {},
  redirect: (request, response) => response.writeHead(302, { location: `${request.url}-moved` }).end(),
  cut: (_request, response) => {
    response.writeHead(200, { 'content-length': 1000 });
    response.write('-----BEGIN', () => response.destroy());
  },
} satisfies Record<string, RequestListener>;

export async function openDirectory(
  files: Record<string, string | Uint8Array> = {},
  { secure = true, names }: { readonly secure?: boolean; readonly names?: readonly string[] } = {},
): Promise<Directory> {
  const pki = authority({ name: 'Directory' });
  const server = pki.issueServer(names === undefined ? {} : { sans: names.map((name) => `DNS:${name}`) });
  const state: Pick<Directory, 'files' | 'requests' | 'misbehaviour'> = {
    files: new Map(Object.entries(files)),
    requests: [],
    misbehaviour: null,
  };
  const serve: RequestListener = (request, response) => {
    (state.misbehaviour ?? serveFile.bind(null, state.files))(request, response);
    const { url: path = '', headers } = request;
    state.requests.push({ path, headers, status: response.statusCode });
  };
  const listening = await listenOnLoopback(
    secure ? createServer({ cert: server.chainPem, key: server.keyPem }, serve) : createPlainServer(serve),
  );
  const origin = `${secure ? 'https' : 'http'}://localhost:${listening.port}`;
  return Object.assign(state, listening, { origin, pki });
}
