/**
 * The table of the Elastic Common Schema (ECS) fields of each record. It makes the lines of `audit.format: ecs`, turns them
 * back, and generates the section "ECS" of docs/audit.md.
 */

/** `audit.format`. */
export type AuditFormat = 'json' | 'ecs';

export const ecsVersion = '8.17.0';
export const ecsModule = 'ehi_gateway';

/** The Elasticsearch type of a field, as in the ECS reference; `object` only below `ehi`. */
export type EcsType =
  | 'keyword'
  | 'match_only_text'
  | 'wildcard'
  | 'long'
  | 'double'
  | 'boolean'
  | 'ip'
  | 'date'
  | 'object';

/** How a value of the json format becomes a value of ECS. `same` but for these. */
export type EcsForm =
  | 'same'
  /** Milliseconds become whole nanoseconds. */
  | 'nanoseconds'
  /** `TLSv1.3` becomes `1.3`. */
  | 'version'
  /** The protocol of `TLSv1.3` in lower case: `tls`. */
  | 'protocol'
  /** Left out if it is an IPv6 address with a zone, which Elasticsearch refuses as an address. */
  | 'ip'
  /** The address of `address:port`, and the port. */
  | 'listener_ip'
  | 'listener_port'
  /** Base64url of SHA-256 becomes upper hex. */
  | 'hex';

export interface EcsField {
  /** Field of the json format; a dot leads into an object. */
  readonly from: string;
  readonly ecs: string;
  readonly type: EcsType;
  readonly form: EcsForm;
  /** A second form of a value that stands in another field too: not needed to turn a record back. */
  readonly isCopy: boolean;
  /** Absent from the json format, not null, where the record has no such part. */
  readonly isOptional?: true;
}

/** A fixed field, with its type and what it contains. */
export interface EcsConstant {
  readonly ecs: string;
  readonly type: EcsType;
  readonly says: string;
}

/** Fields that every record has, besides those of its own list. */
export const ecsConstants: readonly EcsConstant[] = [
  { ecs: 'ecs.version', type: 'keyword', says: `\`${ecsVersion}\`` },
  { ecs: 'event.kind', type: 'keyword', says: '`event`' },
  { ecs: 'event.module', type: 'keyword', says: `\`${ecsModule}\`` },
  { ecs: 'event.dataset', type: 'keyword', says: `\`${ecsModule}.\` and the \`type\` of the record` },
  { ecs: 'event.category', type: 'keyword', says: 'a list, see the table of each type' },
  { ecs: 'event.type', type: 'keyword', says: 'a list, see the table of each type' },
  { ecs: 'event.outcome', type: 'keyword', says: '`success`, `failure` or `unknown`' },
  { ecs: 'message', type: 'match_only_text', says: 'one sentence on what happened' },
];

export const recordTypes = [
  'handshake',
  'verdict',
  'message',
  'trust',
  'revocation',
  'keys',
  'thread',
  'config',
] as const;
export type RecordType = (typeof recordTypes)[number];

const field = (from: string, ecs: string, type: EcsType = 'keyword', form: EcsForm = 'same'): EcsField => {
  return { from, ecs, type, form, isCopy: false };
};
const copy = (from: string, ecs: string, type: EcsType, form: EcsForm): EcsField => {
  return { from, ecs, type, form, isCopy: true };
};

const time = field('time', '@timestamp', 'date');
const connection = field('conn_id', 'ehi.conn_id');
const source = [field('source_address', 'source.address'), copy('source_address', 'source.ip', 'ip', 'ip')];
const leaf = [
  field('leaf.subject', 'tls.client.x509.subject.distinguished_name'),
  field('leaf.issuer', 'tls.client.x509.issuer.distinguished_name'),
  field('leaf.serial', 'tls.client.x509.serial_number'),
  field('leaf.not_before', 'tls.client.x509.not_before', 'date'),
  field('leaf.not_after', 'tls.client.x509.not_after', 'date'),
  field('leaf.spki_pin', 'ehi.leaf.spki_pin'),
  field('leaf.pin', 'ehi.leaf.pin'),
  field('leaf.thumbprint', 'ehi.leaf.thumbprint'),
  copy('leaf.thumbprint', 'tls.client.hash.sha256', 'keyword', 'hex'),
];
const anchor = field('anchor', 'ehi.anchor');
const reason = field('reason', 'event.reason');
const detail = field('detail', 'ehi.detail', 'match_only_text');
const generation = field('generation', 'ehi.generation', 'long');
const event = field('event', 'event.action');

/** The fields of each record in the order of the json format. */
export const ecsFields: Readonly<Record<RecordType, readonly EcsField[]>> = {
  handshake: [
    time,
    connection,
    copy('conn_id', 'event.id', 'keyword', 'same'),
    ...source,
    field('source_port', 'source.port', 'long'),
    field('proxy_address', 'ehi.proxy_address'),
    field('listener', 'ehi.listener'),
    copy('listener', 'server.ip', 'ip', 'listener_ip'),
    copy('listener', 'server.port', 'long', 'listener_port'),
    field('tls_version', 'tls.version', 'keyword', 'version'),
    copy('tls_version', 'tls.version_protocol', 'keyword', 'protocol'),
    field('cipher', 'tls.cipher'),
    field('resumed', 'tls.resumed', 'boolean'),
    field('sni', 'tls.client.server_name'),
    field('alpn', 'tls.next_protocol'),
    field('duration_ms', 'event.duration', 'long', 'nanoseconds'),
    ...leaf,
    anchor,
    field('verdict', 'event.action'),
    reason,
    field('openssl_code', 'error.code'),
    detail,
    generation,
    field('revocation', 'ehi.revocation'),
    field('shadow', 'ehi.shadow', 'object'),
  ],
  verdict: [
    field('stage', 'ehi.stage'),
    time,
    connection,
    ...source,
    ...leaf,
    anchor,
    field('verdict', 'event.action'),
    reason,
    detail,
    generation,
  ],
  message: [
    time,
    connection,
    field('request_id', 'http.request.id'),
    copy('request_id', 'event.id', 'keyword', 'same'),
    field('trace_id', 'trace.id'),
    field('route', 'ehi.route'),
    field('method', 'http.request.method'),
    field('path', 'url.path', 'wildcard'),
    field('status', 'http.response.status_code', 'long'),
    field('endpoint', 'ehi.endpoint'),
    field('upstream_reused', 'ehi.upstream_reused', 'boolean'),
    field('request_bytes', 'http.request.body.bytes', 'long'),
    field('response_bytes', 'http.response.body.bytes', 'long'),
    field('upstream_ms', 'ehi.upstream_ms', 'double'),
    field('total_ms', 'event.duration', 'long', 'nanoseconds'),
    field('outcome', 'event.action'),
    reason,
    { ...field('policies', 'ehi.policies', 'object'), isOptional: true },
  ],
  trust: [
    time,
    event,
    anchor,
    field('root_sha256', 'ehi.root_sha256'),
    field('url', 'url.original', 'wildcard'),
    detail,
    field('added', 'ehi.added', 'object'),
    field('removed', 'ehi.removed', 'object'),
  ],
  revocation: [
    time,
    event,
    anchor,
    field('address', 'ehi.address'),
    field('certificate', 'ehi.certificate'),
    detail,
  ],
  keys: [
    time,
    event,
    field('source', 'ehi.key_set'),
    detail,
    field('added', 'ehi.added', 'object'),
    field('removed', 'ehi.removed', 'object'),
  ],
  thread: [time, event, field('thread', 'ehi.thread', 'long'), detail],
  config: [
    time,
    event,
    generation,
    field('changed', 'ehi.changed'),
    field('fixed', 'ehi.fixed'),
    field('problems', 'ehi.problems', 'long'),
  ],
};
