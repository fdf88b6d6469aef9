/** The document of `GET /api/status`, version 1: its schema and its types. Times are ISO 8601 in UTC; a value that is not known is null. */
import { z } from 'zod';
import { count, list, maybe, number, record, text, time } from './described-values.ts';

const gatewayStatus = record(
  {
    version: text('The version of the gateway.'),
    node: text('The version of Node.'),
    startedAt: time('When the process started.'),
    state: z.enum(['starting', 'serving', 'draining']).describe('What the gateway is doing.'),
    ready: z.boolean().describe('As /readyz.'),
    reasons: list(z.string(), 'Why it is not ready; empty if it is.'),
    listen: maybe(
      record(
        { address: text('The address.'), port: count('The port.') },
        'Where clients connect; null: the port is not open yet.',
      ),
    ),
    generation: maybe(count('Of the policy in use; null: there is none yet.')),
  },
  'The process and its readiness.',
);

const trafficStatus = record(
  {
    seconds: number('The length of the period: about 60, less after a start.'),
    messagesPerSecond: number('Messages, refused ones included, divided by the seconds of the period.'),
    late: count('Messages of the period without a complete response within the budget of their route.'),
    shed: count('Messages of the period that were refused to shed load.'),
    p50Ms: maybe(
      number('Median of the total time of a message, milliseconds; null: no message had a route.'),
    ),
    p99Ms: maybe(number('99th percentile of it; null likewise.')),
    budgetMs: number('The smallest budget of a route, milliseconds.'),
    maxBudgetMs: number('The largest budget of a route, milliseconds.'),
    overBudget: list(
      record(
        {
          route: text('The path of the route.'),
          budgetMs: number('Its budget, milliseconds.'),
          messages: count('Messages of the period that were compared with it.'),
          over: count('Those that took longer.'),
        },
        'A route.',
      ),
      'The routes of which more than 1 % of the messages of the period took longer than their budget, those with the largest share first, at most 20.',
    ),
    inFlight: count('Messages in flight now.'),
    connections: count('Open client connections now.'),
    unfinishedHandshakes: count('Client connections whose TLS handshake is not finished now.'),
  },
  'Traffic of the last minute, and the present load.',
);

const history = record(
  {
    stepSeconds: count('Seconds of one step.'),
    ends: list(z.int(), 'The end of each step, seconds since the epoch, ascending.'),
    allowed: list(z.int(), 'Handshakes in the step with the verdict allow.'),
    denied: list(z.int(), 'Handshakes in the step with the verdict deny.'),
    failed: list(z.int(), 'Handshakes in the step with the verdict failed.'),
    messages: list(z.int(), 'Messages in the step, refused ones included.'),
    late: list(z.int(), 'Messages in the step without a complete response within the budget of their route.'),
    p50Ms: list(z.number().nullable(), 'Median of the total time of the messages in the step, milliseconds.'),
    p99Ms: list(z.number().nullable(), '99th percentile of it.'),
  },
  'The complete steps since the start, at most one hour, the oldest first. All lists have the same length; a step without messages has null percentiles.',
);

const reasonCount = record(
  {
    verdict: z.enum(['allow', 'deny', 'failed']).describe('The verdict.'),
    reason: maybe(text('As in docs/deny-reasons.md; null: allow.')),
    count: count('Handshakes of the last hour.'),
    says: maybe(text('What happened, as in docs/deny-reasons.md; null: allow.')),
    advice: maybe(text('What to do, as in docs/deny-reasons.md; null: allow.')),
  },
  'Handshakes with one verdict and reason.',
);

const refusedHandshake = record(
  {
    time: time('When it was refused or failed.'),
    connId: text('The conn_id of its audit record.'),
    count: count(
      'Handshakes with the same source address, reason, detail and certificate since the first that is known; time and connId are those of the last.',
    ),
    sourceAddress: maybe(text('The source address; null: the connection was reset before it was accepted.')),
    verdict: z.enum(['deny', 'failed']).describe('The verdict.'),
    reason: text('As in docs/deny-reasons.md.'),
    detail: maybe(text('As in the audit record, masked.')),
    says: text('What happened, as in docs/deny-reasons.md; the detail is more precise.'),
    advice: text('What to do, as in docs/deny-reasons.md.'),
    subject: maybe(text('Of the client’s certificate, as in the audit record; null: none was read.')),
    issuer: maybe(text('Of the client’s certificate, as in the audit record; null: none was read.')),
  },
  'A refused or failed handshake.',
);

const clientStatus = record(
  {
    subject: text('The subject of the certificate.'),
    issuer: maybe(text('The issuer of the certificate.')),
    serial: text('The serial number of the certificate.'),
    lastSeen: time('When it was last authorized, at a handshake or after a reload.'),
    notAfter: time('When the certificate expires.'),
  },
  'A client certificate that was authorized.',
);

const certificateStatus = record(
  {
    role: z
      .enum(['server', 'anchor'])
      .describe('server: of a chain of listen.certificate; anchor: of a trust anchor.'),
    anchor: maybe(text('The name of the trust anchor; null: another role.')),
    name: text('The subject.'),
    serial: text('The serial number.'),
    notAfter: time('When it expires.'),
  },
  'A certificate of the gateway or of a trust anchor.',
);

const anchorStatus = record(
  {
    name: text('The name in trust.anchors.'),
    source: maybe(
      z
        .enum(['url', 'cache', 'files'])
        .describe('Where the certificates in use come from; null: none are in use yet.'),
    ),
    refreshedAt: maybe(time('When they were last fetched, confirmed or read; null: never.')),
    certificates: count('Certificates in use.'),
    passedOver: count('Certificates that are not used while others are.'),
    rootPinned: z.boolean().describe('Whether the configuration pins the root.'),
    pendingRoot: z.boolean().describe('Whether a new root waits for approval.'),
    lastError: maybe(text('Why the last attempt to fetch it failed or was refused; null: it succeeded.')),
  },
  'A trust anchor of the configuration.',
);

const keySetStatus = record(
  {
    source: text('The URL or the path of the set.'),
    refreshedAt: maybe(time('When it was last fetched, confirmed or read; null: never.')),
    keys: count('Keys in use.'),
    passedOver: count('Keys that are not used while others are.'),
    usable: maybe(
      count(
        'Keys in use that serve what the set is configured for; of several uses the fewest. null: it was never read, or it is a set of inactive registrations.',
      ),
    ),
    lack: maybe(text('What the set lacks, so that everything that needs it is refused; null: nothing.')),
    lastError: maybe(text('Why the last attempt to fetch it failed or was refused; null: it succeeded.')),
  },
  'A JSON Web Key Set of the configuration.',
);

const revocationStatus = record(
  {
    anchor: text('The name of the trust anchor.'),
    kind: z.enum(['crl', 'ocsp']).describe('What the source provides.'),
    address: text('URL or path.'),
    subject: maybe(text('Of a CRL its issuer, of OCSP the checked certificate.')),
    serial: maybe(text('Of OCSP the serial number of the checked certificate; null: a CRL.')),
    refreshedAt: maybe(
      time('When the source last returned or confirmed the data in use; null: none is in use.'),
    ),
    nextUpdate: maybe(time('When the CRL or answer in use ends.')),
    failures: count('Consecutive attempts without a usable answer.'),
    lastError: maybe(text('Why the last attempt failed; null: it succeeded.')),
    entries: maybe(count('Revoked certificates in the CRL; null: OCSP, or no CRL yet.')),
  },
  'A source of CRLs or OCSP answers.',
);

const upstreamStatus = record(
  {
    url: text('As in the configuration.'),
    state: z
      .enum(['up', 'partly', 'down'])
      .describe(
        'up: used by all relay threads; partly: passed over by some; down: passed over by all, or the last connection attempt failed and no connection is open.',
      ),
    idleConnections: count('Idle connections.'),
    busyConnections: count('Connections that carry a message or a health check.'),
    failures: count('Failed connection attempts and failed messages of the last hour.'),
    lastFailure: maybe(
      record(
        {
          time: time('When.'),
          reason: text('As in docs/message-reasons.md.'),
          cause: text('A code of the system, of OpenSSL or of the gateway.'),
        },
        'The last failed connection attempt or message since the start; a later success does not clear it.',
      ),
    ),
  },
  'An upstream endpoint.',
);

const change = record(
  {
    time: time('When; of repeated ones the last.'),
    kind: z.enum(['config', 'trust', 'revocation', 'keys', 'thread', 'audit']).describe('What changed.'),
    event: text('As in the audit record, such as reloaded.'),
    subject: maybe(
      text('The anchor, the key set, or another name of what changed; null: the event concerns none.'),
    ),
    detail: maybe(text('More about it, masked.')),
    count: count('How often the same event was repeated.'),
  },
  'A change of the configuration, of trust, of revocation data, of a key set, of a relay thread or of the audit destination.',
);

const threadStatus = record(
  {
    thread: count('The number of the thread; it is never used twice.'),
    connections: count('Open client connections.'),
    inFlight: count('Messages in flight.'),
    loopDelayMs: number(
      'Minimum time that every message waited for the event loop during the last half second, milliseconds.',
    ),
  },
  'A relay thread.',
);

const auditStatus = record(
  {
    destination: text('stdout, stderr or a path.'),
    failingSince: maybe(time('null: records are written.')),
    lost: count('Records lost since the start.'),
    queuedBytes: count('Bytes that wait to be written.'),
    seal: maybe(
      record(
        { seq: count('Its number in the chain.'), time: time('When it was written.') },
        'The last seal; null: seals are not configured, or none was written yet.',
      ),
    ),
  },
  'The audit destination.',
);

export const statusSchema = record(
  {
    version: z
      .literal(1)
      .describe('Of this document. It changes when a field is removed or changes its meaning.'),
    time: time('When the document was made.'),
    gateway: gatewayStatus,
    now: trafficStatus,
    history,
    reasons: list(reasonCount, 'Handshakes of the last hour by verdict and reason, the most frequent first.'),
    refused: list(refusedHandshake, 'The last refused and failed handshakes, the newest first, at most 50.'),
    clients: list(clientStatus, 'Authorized client certificates, those that expire first, at most 100.'),
    certificates: list(
      certificateStatus,
      'The server’s chains and the trust anchors, those that expire first, at most 200.',
    ),
    anchors: list(anchorStatus, 'The trust anchors, in the order of the configuration.'),
    keySets: list(keySetStatus, 'The key sets, in the order of the configuration.'),
    revocation: list(
      revocationStatus,
      'The revocation sources, those that fail first, then those whose data ends first, at most 200.',
    ),
    upstreams: list(upstreamStatus, 'The upstream endpoints.'),
    changes: list(change, 'Recent changes, the newest first, at most 20 of each kind.'),
    threads: list(threadStatus, 'The relay threads that run.'),
    audit: auditStatus,
  },
  'The state of the gateway.',
);

/** JSON Schema of the document. */
export function statusJsonSchema(): object {
  return z.toJSONSchema(statusSchema, {
    io: 'input',
    override: ({ jsonSchema }) => delete jsonSchema.readOnly,
  });
}

export type Status = z.output<typeof statusSchema>;
export type GatewayStatus = z.output<typeof gatewayStatus>;
export type TrafficStatus = z.output<typeof trafficStatus>;
export type History = z.output<typeof history>;
export type ReasonCount = z.output<typeof reasonCount>;
export type RefusedHandshake = z.output<typeof refusedHandshake>;
export type ClientStatus = z.output<typeof clientStatus>;
export type CertificateStatus = z.output<typeof certificateStatus>;
export type AnchorStatus = z.output<typeof anchorStatus>;
export type KeySetStatus = z.output<typeof keySetStatus>;
export type RevocationStatus = z.output<typeof revocationStatus>;
export type UpstreamStatus = z.output<typeof upstreamStatus>;
export type Change = z.output<typeof change>;
export type ThreadStatus = z.output<typeof threadStatus>;
export type AuditStatus = z.output<typeof auditStatus>;
