/**
 * The demo's authorization server: `POST /token` issues access tokens that are bound to the client's certificate
 * (RFC 8705 §3) as JWTs (RFC 9068); `GET /jwks.json` publishes the key that signs them.
 */
import { createHash, createPublicKey, randomUUID, type X509Certificate } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { TLSSocket } from 'node:tls';
import { exportJWK, SignJWT } from 'jose';
import { makeKey } from '../pki/key.ts';

export const authorizationPaths = { token: '/token', keys: '/jwks.json' } as const;

/** The scope of every token. */
export const tokenScope = 'ehi';

export const tokenAlgorithm = 'ES256';

/** Seconds: longer than a newcomer tries the commands. */
const lifetime = 3600;

/** A token request is a short form. */
const maxForm = 4096;

export interface AuthorizationServerOptions {
  readonly cert: string;
  readonly key: string;
  /** PEM of the root whose clients get tokens. */
  readonly ca: string;
  /** The `aud` of every token. */
  readonly audience: string;
}

/** The tokens' `iss` is `https://127.0.0.1:<port>`, of the port that it listens on. */
export async function createAuthorizationServer(options: AuthorizationServerOptions): Promise<Server> {
  const { cert, key, ca, audience } = options;
  const signer = makeKey('P-256');
  const kid = randomUUID();
  const jwk = { ...(await exportJWK(createPublicKey(signer))), kid, use: 'sig', alg: tokenAlgorithm };
  // The gateway fetches the keys without a certificate, so only a token request demands one.
  const server = createServer({ cert, key, ca, requestCert: true, rejectUnauthorized: false });
  const issue = (client: X509Certificate): Promise<string> =>
    new SignJWT({
      ...{ client_id: nameOf(client), scope: tokenScope },
      cnf: { 'x5t#S256': createHash('sha256').update(client.raw).digest('base64url') },
    })
      .setProtectedHeader({ alg: tokenAlgorithm, kid, typ: 'at+jwt' })
      .setIssuer(issuerAt((server.address() as AddressInfo).port))
      .setSubject(nameOf(client))
      .setAudience(audience)
      .setJti(randomUUID())
      .setIssuedAt()
      .setExpirationTime(`${lifetime}s`)
      .sign(signer);
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    answer(request, response, { keys: { keys: [jwk] }, issue }).catch(() => response.destroy());
  });
  return server;
}

/** The `iss` of the tokens of the authorization server that listens on this port. */
export function issuerAt(port: number): string {
  return `https://127.0.0.1:${port}`;
}

interface Answers {
  readonly keys: object;
  readonly issue: (client: X509Certificate) => Promise<string>;
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  { keys, issue }: Answers,
): Promise<void> {
  const { method, url } = request;
  if (method === 'GET' && url === authorizationPaths.keys) {
    send(response, 200, keys);
    return;
  }
  if (method !== 'POST' || url !== authorizationPaths.token) {
    send(response, 404, { error: 'not_found' });
    return;
  }
  // Errors as in RFC 6749 §5.2.
  if (Number(request.headers['content-length'] ?? maxForm + 1) > maxForm) {
    send(response, 413, { error: 'invalid_request' });
    return;
  }
  const form = new URLSearchParams(await text(request));
  const socket = request.socket as TLSSocket;
  const client = socket.getPeerX509Certificate();
  if (client === undefined || !socket.authorized) {
    send(response, 401, { error: 'invalid_client' });
    return;
  }
  if (form.get('grant_type') !== 'client_credentials') {
    send(response, 400, { error: 'unsupported_grant_type' });
    return;
  }
  const token = await issue(client);
  send(response, 200, {
    access_token: token,
    token_type: 'Bearer',
    expires_in: lifetime,
    scope: tokenScope,
  });
}

function send(response: ServerResponse, status: number, body: object): void {
  const json = `${JSON.stringify(body)}\n`;
  response.writeHead(status, {
    'content-type': 'application/json',
    // RFC 6749 §5.1.
    'cache-control': 'no-store',
    'content-length': Buffer.byteLength(json),
  });
  response.end(json);
}

/** The common name, as this authorization server's client id. */
function nameOf({ subject }: X509Certificate): string {
  return /^CN=(.+)$/m.exec(subject)?.[1] ?? subject;
}
