/** An introspection endpoint (RFC 7662) over HTTPS that records requests and can be set to misbehave. */
import type { IncomingMessage, RequestListener } from 'node:http';
import { createServer } from 'node:https';
import type { TLSSocket } from 'node:tls';
import { type Authority, authority } from '../pki/authority.ts';
import { type Listening, listenOnLoopback } from '../process/listening.ts';

export interface IntrospectionRequest {
  readonly headers: IncomingMessage['headers'];
  readonly form: URLSearchParams;
  /** Subject of the client certificate; null: none was sent. */
  readonly client: string | null;
}

export interface IntrospectionServer extends Listening {
  /** `https://localhost:<port>/introspect`, its certificate from `pki`. */
  readonly endpoint: string;
  readonly pki: Authority;
  /** Token → response; another token is not active. Change it at any time. */
  readonly answers: Map<string, object>;
  /** All requests, in order. */
  readonly requests: IntrospectionRequest[];
  /** If set, answers instead. It is called when the request was read. */
  misbehaviour: RequestListener | null;
}

export async function openIntrospectionServer(): Promise<IntrospectionServer> {
  const pki = authority({ name: 'Authorization' });
  const server = pki.issueServer();
  const state: Pick<IntrospectionServer, 'answers' | 'requests' | 'misbehaviour'> = {
    answers: new Map(),
    requests: [],
    misbehaviour: null,
  };
  const options = {
    ...{ cert: server.chainPem, key: server.keyPem, ca: pki.root.pem },
    ...{ requestCert: true, rejectUnauthorized: false },
  };
  const listening = await listenOnLoopback(
    createServer(options, (request, response) => {
      let body = '';
      request.setEncoding('utf8').on('data', (text: string) => {
        body += text;
      });
      request.on('end', () => {
        const form = new URLSearchParams(body);
        const { subject } = (request.socket as TLSSocket).getPeerCertificate();
        state.requests.push({ headers: request.headers, form, client: subject?.CN?.toString() ?? null });
        if (state.misbehaviour !== null) return state.misbehaviour(request, response);
        const answer = state.answers.get(form.get('token') ?? '') ?? { active: false };
        response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
      });
    }),
  );
  const endpoint = `https://localhost:${listening.port}/introspect`;
  return Object.assign(state, listening, { endpoint, pki });
}
