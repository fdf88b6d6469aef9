/**
 * Names and types of the ECS fields that the gateway uses, for tests. Source: the reference of ECS 8.17.0
 * (https://github.com/elastic/ecs, tag v8.17.0: generated/csv/fields.csv, and the allowed values in schemas/event.yml).
 */

export const ecsReference: Readonly<Record<string, string>> = {
  '@timestamp': 'date',
  'ecs.version': 'keyword',
  'error.code': 'keyword',
  'event.action': 'keyword',
  'event.category': 'keyword',
  'event.dataset': 'keyword',
  'event.duration': 'long',
  'event.id': 'keyword',
  'event.kind': 'keyword',
  'event.module': 'keyword',
  'event.outcome': 'keyword',
  'event.reason': 'keyword',
  'event.type': 'keyword',
  'http.request.body.bytes': 'long',
  'http.request.id': 'keyword',
  'http.request.method': 'keyword',
  'http.response.body.bytes': 'long',
  'http.response.status_code': 'long',
  message: 'match_only_text',
  'server.ip': 'ip',
  'server.port': 'long',
  'source.address': 'keyword',
  'source.ip': 'ip',
  'source.port': 'long',
  'tls.cipher': 'keyword',
  'tls.client.hash.sha256': 'keyword',
  'tls.client.server_name': 'keyword',
  'tls.client.x509.issuer.distinguished_name': 'keyword',
  'tls.client.x509.not_after': 'date',
  'tls.client.x509.not_before': 'date',
  'tls.client.x509.serial_number': 'keyword',
  'tls.client.x509.subject.distinguished_name': 'keyword',
  'tls.next_protocol': 'keyword',
  'tls.resumed': 'boolean',
  'tls.version': 'keyword',
  'tls.version_protocol': 'keyword',
  'trace.id': 'keyword',
  'url.original': 'wildcard',
  'url.path': 'wildcard',
};

/** `event.category` → the values of `event.type` that ECS expects with it. */
export const expectedTypes: Readonly<Record<string, readonly string[]>> = {
  authentication: ['start', 'end', 'info'],
  configuration: ['access', 'change', 'creation', 'deletion', 'info'],
  network: ['access', 'allowed', 'connection', 'denied', 'end', 'info', 'protocol', 'start'],
  process: ['access', 'change', 'end', 'info', 'start'],
  web: ['access', 'error', 'info'],
};
