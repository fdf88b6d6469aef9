/** `routes`: which upstream host gets a message, and how it is connected to. */
import { z } from 'zod';
import { duplicates } from '../yaml-values.ts';
import { bearerSchema } from './bearer.ts';
import { choice, count, duration, file, formatted, listOf, mapping } from './field-types.ts';
import * as format from './formats.ts';
import { signatureSchema } from './signature.ts';
import { endpointUrl, endpointUrlAllowed, keyOf, serverName } from './upstream-url.ts';

/** The times of a route. rules/routes.ts compares them with each other. */
export const routeTimes = {
  deadline: duration()
    .prefault('2s')
    .describe(
      'Timeout from the complete request head to the last byte of the response. After it the client gets 504; a response that has begun is cut off.',
    ),
  firstByte: duration()
    .exactOptional()
    .describe(
      'Timeout for the first byte of the response, after the whole request was sent to the host. Absent: only `deadline` applies.',
    ),
  idle: duration()
    .exactOptional()
    .describe('Timeout between two reads of the response. Absent: only `deadline` applies.'),
  budget: duration()
    .prefault('200ms')
    .describe(
      'Responses later than this count as late in metrics. The budget does not change how a message is handled.',
    ),
};

export function routesSchema(folder: string) {
  return listOf(routeSchema(folder), 'routes').describe(
    'Which host gets a message. The route with the longest matching path is chosen.',
  );
}

function routeSchema(folder: string) {
  return mapping({
    path: format.routePath.describe(
      'A prefix of the request’s path, in whole segments: `/a` matches `/a` and `/a/b`, and not `/ab`.',
    ),
    upstream: upstreamSchema(folder),
    ...routeTimes,
    contentLength: choice('ensure', 'asis')
      .prefault('ensure')
      .describe(
        '`ensure`: a response without Content-Length is buffered up to 64 KiB and sent with Content-Length; a larger one is sent chunked. `asis`: each part is sent as it arrives.',
      ),
    inFlight: count(1, 1_000_000)
      .prefault(1024)
      .describe(
        'Maximum number of messages of the route in each relay thread, from the complete request head to the end of the response. Further messages get 503.',
      ),
    bearer: bearerSchema(folder)
      .exactOptional()
      .describe(
        'Demands an access token that is bound to the client’s certificate (RFC 8705 §3): docs/policies.md.',
      ),
    signature: signatureSchema(folder)
      .exactOptional()
      .describe(
        'Demands a signature of the body: docs/policies.md. The body is held until it is complete and verified, within `limits.body` and `limits.heldBodies`; nothing of the message goes to the host before that.',
      ),
  });
}

/** A list of at least one endpoint after parsing. */
function upstreamSchema(folder: string) {
  const allowed = `${endpointUrlAllowed}; a mapping with such a url, or a list of either`;
  const full = endpoint(folder);
  const short = endpointUrl.transform((url): EndpointConfig => ({ url, pool: pool.parse(undefined) }));
  const list = z
    .array(z.union([full, short], allowed), allowed)
    .min(1, 'at least one endpoint')
    .max(8, 'at most eight endpoints')
    .superRefine((endpoints, context) => {
      const message = 'a url that no other endpoint of the route has';
      for (const index of duplicates(endpoints, ({ url }) => keyOf(url))) {
        context.addIssue({ code: 'custom', path: [index], message });
      }
    });
  return z
    .union([full, list, short], allowed)
    .transform((one) => [one].flat())
    .meta({ allowed })
    .describe(
      'The host, or a list of its endpoints in order of preference. A message goes to the first endpoint that accepts a connection; once a byte of it was sent, it is not sent to another one. The request target is forwarded unchanged.',
    );
}

function endpoint(folder: string) {
  return mapping({
    url: endpointUrl.describe(
      'Address of the endpoint. While it is in use, a host name is resolved again every five seconds.',
    ),
    tls: tls(folder).exactOptional().describe('How the endpoint is verified. Only with an https url.'),
    proxyProtocol: z
      .literal('v2', 'v2')
      .meta({ allowed: 'v2' })
      .exactOptional()
      .describe(
        'Starts each connection with a PROXY protocol header that names the client. The connection is reused only for messages of that client. Absent: no header.',
      ),
    pool: pool.describe('Idle connections that are kept for later messages.'),
    health: health
      .exactOptional()
      .describe(
        'Checks the endpoint regularly, from each relay thread. After three failures in a row the other endpoints of the route are used, until a check succeeds.',
      ),
  }).superRefine(({ url, tls, health }, context) => {
    const refuse = (path: string[], message: string) => context.addIssue({ code: 'custom', path, message });
    if (tls !== undefined && !url.secure) refuse(['tls'], 'tls beside an https url');
    if (health?.kind === 'tls' && !url.secure) refuse(['health', 'kind'], 'tls only with an https url');
    if (health?.path !== undefined && health.kind !== 'http') {
      refuse(['health', 'path'], 'path only with kind: http');
    }
  });
}

function tls(folder: string) {
  return mapping({
    ca: file(folder)
      .exactOptional()
      .describe(
        'PEM file: the CAs that may have issued the endpoint’s certificate. Absent: the CAs of the operating system.',
      ),
    certificate: mapping({
      chain: file(folder).describe('PEM file: the gateway’s client certificate, then its intermediates.'),
      key: file(folder).describe('PEM file: its private key.'),
      passphraseFile: file(folder)
        .exactOptional()
        .describe('File with the passphrase of an encrypted key. One line break at its end is ignored.'),
    })
      .exactOptional()
      .describe('Client certificate of the gateway, sent if the endpoint requests one.'),
    serverName: serverName
      .exactOptional()
      .describe(
        'The host name that is sent (SNI), and that the endpoint’s certificate must have. Absent: the host of `url`.',
      ),
    pins: listOf(format.pin, 'pins')
      .exactOptional()
      .describe(
        'SHA-256 of public keys (SPKI). The endpoint’s certificate or a CA above it must have one of them.',
      ),
  });
}

const pool = mapping({
  idle: count(0, 10_000)
    .prefault(256)
    .describe('Maximum number of idle connections to the endpoint, for each relay thread.'),
  idleTimeout: duration()
    .prefault('4s')
    .describe(
      'How long an idle connection is kept. The gateway closes it earlier if the host announces a shorter time (Keep-Alive: timeout) or was seen to close idle connections earlier: docs/operations.md.',
    ),
  reuse: choice('on', 'off').prefault('on').describe('`off`: opens a new connection for each message.'),
}).prefault({});

const health = mapping({
  kind: choice('tcp', 'tls', 'http').describe(
    '`tcp`: a connection. `tls`: a TLS handshake. `http`: a GET request that must get a 2xx response.',
  ),
  path: formatted({
    allowed: 'a path such as /health, with an optional query',
    pattern: /^\/[\x21\x22\x24-\x7e]*$/,
  })
    .exactOptional()
    .describe('Path of the GET request, only with `http`. Absent: `/`.'),
  interval: duration('100ms').prefault('5s').describe('Time between two checks.'),
  timeout: duration().prefault('1s').describe('Timeout of one check.'),
});

/** One endpoint of the configuration, its paths absolute. */
export type EndpointConfig = z.output<ReturnType<typeof endpoint>>;
