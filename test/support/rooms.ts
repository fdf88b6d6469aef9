/** Which room of `src/` may import which others: test/rooms.test.ts holds the code to it, docs/architecture.md shows it. */

/** What every room may import. */
export const ground = ['errors.ts', 'explanation.ts', 'linked-set.ts'];

/** A room (a folder of `src/`, or one file) → the rooms that it may import. Only from rooms above it. */
export const mayImport: Record<string, readonly string[]> = {
  'errors.ts': [],
  'explanation.ts': [],
  'linked-set.ts': [],
  'version.ts': [],
  'node-version.ts': [],
  'inspector-off.ts': [],
  fetch: [],
  pki: [],
  jose: ['pki'],
  revocation: ['fetch', 'pki'],
  policy: ['jose', 'revocation'],
  keys: ['fetch', 'jose'],
  telemetry: [],
  audit: ['telemetry', 'fetch'],
  admin: [],
  source: [],
  handshake: ['source', 'pki', 'policy', 'telemetry', 'audit'],
  identity: ['pki', 'jose', 'revocation', 'policy'],
  message: ['policy', 'telemetry', 'audit'],
  introspection: ['fetch', 'jose', 'policy'],
  bearer: ['jose', 'message', 'policy'],
  tracing: ['fetch', 'message', 'policy', 'telemetry'],
  upstream: ['source', 'message', 'policy', 'telemetry'],
  relay: ['source', 'identity', 'message', 'upstream', 'pki', 'policy', 'telemetry', 'tracing', 'audit'],
  gateway: [
    ...['source', 'handshake', 'identity', 'message', 'bearer', 'relay', 'upstream'],
    ...['jose', 'pki', 'revocation', 'policy', 'telemetry', 'tracing', 'audit'],
  ],
  thread: ['gateway', 'handshake', 'policy', 'telemetry', 'tracing', 'audit'],
  trust: ['fetch', 'pki', 'policy'],
  config: ['fetch', 'source', 'pki', 'jose', 'policy', 'keys', 'tracing'],
  control: [
    ...['config', 'trust', 'keys', 'revocation', 'policy', 'thread', 'fetch', 'handshake', 'identity'],
    ...['admin', 'telemetry', 'tracing', 'audit', 'version.ts'],
  ],
  terminal: [],
  evidence: [],
  probe: ['handshake'],
  simulation: ['message', 'evidence'],
  auditing: ['audit', 'terminal', 'evidence', 'identity', 'handshake', 'message'],
  issuing: ['pki', 'jose', 'revocation', 'terminal'],
  doctor: ['probe', 'issuing', 'evidence', 'terminal', 'pki'],
  demo: ['issuing', 'pki', 'terminal'],
  inspection: [
    ...['control', 'config', 'trust', 'keys', 'jose', 'identity', 'revocation', 'pki', 'policy', 'fetch', 'handshake'],
    ...['upstream', 'issuing', 'probe', 'terminal', 'evidence', 'audit'],
  ],
  cli: [
    ...['control', 'demo', 'inspection', 'config', 'trust', 'pki', 'telemetry', 'audit', 'version.ts'],
    ...['terminal', 'evidence', 'simulation', 'issuing', 'doctor', 'auditing'],
  ],
  'main.ts': ['node-version.ts', 'inspector-off.ts', 'cli'],
};
