/** `routes`: which internal host gets a message, and how it is reached. */
import { z } from 'zod';
import { duplicates } from '../yaml-values.ts';
import { choice, count, duration, file, listOf, notation, section } from './field-types.ts';
import * as value from './formats.ts';
import { endpointUrl, endpointUrlAllowed, keyOf, serverName } from './upstream-url.ts';

/** Times of a route, held against each other in route-rules.ts. */
export const routeTimes = {
  deadline: duration()
    .prefault('2s')
    .describe('From the complete request head to the last byte of the answer.'),
  firstByte: duration()
    .exactOptional()
    .describe(
      'How long the host may say nothing once it has a connection and the whole request. Absent: only the deadline counts.',
    ),
  idle: duration()
    .exactOptional()
    .describe('Between two pieces of its answer. Absent: only the deadline counts.'),
  budget: duration()
    .prefault('200ms')
    .describe('An answer later than this is counted as late; nothing else comes of it.'),
};

/** Of `timeouts`, and held against the routes' there too. */
export const connectTimes = {
  connectFirst: duration()
    .prefault('50ms')
    .describe('For a connection to an upstream endpoint that has another behind it.'),
  connect: duration().prefault('1s').describe('For a connection to the last, or only, upstream endpoint.'),
};

export function routesSchema(folder: string) {
  return listOf(routeSchema(folder), 'routes').describe(
    'Which internal host gets a message; the longest path wins.',
  );
}

export function routeSchema(folder: string) {
  return section({
    path: value.routePath.describe('Whole segments of the request’s path.'),
    upstream: upstreamSchema(folder),
    ...routeTimes,
    contentLength: choice('ensure', 'asis')
      .prefault('ensure')
      .describe(
        '`ensure`: an answer in chunks or until close is collected up to 64 KiB and sent with Content-Length; beyond that it goes on in chunks. `asis`: every piece goes on as it comes.',
      ),
    inFlight: count(1, 1_000_000)
      .prefault(1024)
      .describe(
        'Messages that may be under way in each relay thread, from the complete request head to the end of the answer; beyond that they are refused with 503.',
      ),
  });
}

/** `upstream` of a route, alone: its files are read even while something else is wrong. A list after parsing, never empty. */
export function upstreamSchema(folder: string) {
  const allowed = `${endpointUrlAllowed}; a mapping with such a url, or a list of either`;
  const mapping = endpoint(folder);
  const plain = endpointUrl.transform((url): EndpointConfig => ({ url, pool: pool.parse(undefined) }));
  const list = z
    .array(z.union([mapping, plain], allowed), allowed)
    .min(1, 'at least one endpoint')
    .max(8, 'at most eight endpoints')
    .superRefine((endpoints, context) => {
      const message = 'a url that leads where none of the route’s other endpoints is';
      for (const index of duplicates(endpoints, ({ url }) => keyOf(url))) {
        context.addIssue({ code: 'custom', path: [index], message });
      }
    });
  return z
    .union([mapping, list, plain], allowed)
    .transform((one) => [one].flat())
    .meta({ allowed })
    .describe(
      'The internal host, or several endpoints of it in their order: a message goes to the first that can be connected to, and once a byte of it was written, to no other. The target is forwarded unchanged.',
    );
}

function endpoint(folder: string) {
  return section({
    url: endpointUrl.describe('Where the endpoint is. A name is resolved again every five seconds of use.'),
    tls: tls(folder).exactOptional().describe('Only with https: how the endpoint is verified.'),
    proxyProtocol: z
      .literal('v2', 'v2')
      .meta({ allowed: 'v2' })
      .exactOptional()
      .describe(
        'Begins each connection with a PROXY header that names the caller; its messages, and no others, go over it. Absent: none.',
      ),
    pool: pool.describe('Connections that wait for the next message.'),
    health: health
      .exactOptional()
      .describe(
        'Asks each endpoint by itself, from every relay thread. After three failures in a row an endpoint that has others beside it is passed over, until a check passes.',
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
  return section({
    ca: file(folder)
      .exactOptional()
      .describe(
        'PEM: the CAs that the endpoint’s certificate may come from. Absent: the operating system’s.',
      ),
    certificate: section({
      chain: file(folder).describe('PEM: the gateway’s client certificate, then its intermediates.'),
      key: file(folder).describe('PEM: its private key.'),
      passphraseFile: file(folder)
        .exactOptional()
        .describe('Holds the passphrase of an encrypted key; a line break at its end is left out.'),
    })
      .exactOptional()
      .describe('Shown to the endpoint where it asks for one.'),
    serverName: serverName
      .exactOptional()
      .describe('Sent, and looked for in the endpoint’s certificate. Absent: the url’s host.'),
    pins: listOf(value.pin, 'pins')
      .exactOptional()
      .describe('Public keys, of the endpoint’s certificate or of a CA above it; one must be there.'),
  });
}

const pool = section({
  idle: count(0, 10_000).prefault(256).describe('At most, for each relay thread.'),
  idleTimeout: duration()
    .prefault('4s')
    .describe(
      'How long one waits for its next message; less where the host announces (Keep-Alive: timeout) or shows that it closes waiting connections sooner: docs/operations.md.',
    ),
  reuse: choice('on', 'off').prefault('on').describe('`off`: a connection for each message.'),
}).prefault({});

const health = section({
  kind: choice('tcp', 'tls', 'http').describe(
    'A connection, a TLS handshake, or a GET that must be answered with 2xx.',
  ),
  path: notation({
    allowed: 'a path such as /health, a query if need be',
    pattern: /^\/[\x21\x22\x24-\x7e]*$/,
  })
    .exactOptional()
    .describe('For `http`; default `/`.'),
  interval: duration('100ms').prefault('5s').describe('Between two checks.'),
  timeout: duration().prefault('1s').describe('For one check.'),
});

/** One endpoint of the configuration, its paths absolute. */
export type EndpointConfig = z.output<ReturnType<typeof endpoint>>;
