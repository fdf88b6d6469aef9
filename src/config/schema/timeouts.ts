/** `timeouts`: of each step of a connection or of a message. */
import { duration, mapping } from './field-types.ts';

/** Times of `timeouts`. rules/routes.ts compares them with those of the routes. */
export const connectTimes = {
  connectFirst: duration()
    .prefault('50ms')
    .describe(
      'Timeout for connecting to an upstream endpoint that is not the last of its route. After it the next endpoint is tried.',
    ),
  connect: duration()
    .prefault('1s')
    .describe(
      'Timeout for connecting to the last, or only, upstream endpoint of a route. After it the client gets 504.',
    ),
};

export const timeouts = mapping({
  handshake: duration().prefault('10s').describe('Timeout from accept to the end of the TLS handshake.'),
  head: duration().prefault('10s').describe('Timeout for a complete request head, from its first byte.'),
  bodyIdle: duration().prefault('10s').describe('Timeout between two reads of a request body.'),
  keepAlive: duration()
    .prefault('75s')
    .describe('How long a client connection may be idle between two requests.'),
  ...connectTimes,
  drainDelay: duration('0s')
    .prefault('0s')
    .describe(
      'How long connections are still accepted after SIGTERM. In this time load balancers see that `/readyz` answers 503.',
    ),
  drain: duration('0s')
    .prefault('30s')
    .describe(
      'How long open exchanges may take after `drainDelay`. The process ends when they are finished.',
    ),
})
  .prefault({})
  .describe('How long each step of a connection or of a message may take.');
