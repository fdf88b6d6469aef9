/** Which room of `src/` may import which others: test/rooms.test.ts holds the code to it, docs/architecture.md shows it. */

/** What every room may import. */
export const ground = ['errors.ts', 'explanation.ts', 'foreign-text.ts', 'linked-set.ts'];

/** A room (a folder of `src/`, or one file) → the rooms that it may import. Only from rooms above it. */
export const mayImport: Record<string, readonly string[]> = {
  'errors.ts': [],
  'explanation.ts': [],
  'foreign-text.ts': [],
  'linked-set.ts': [],
  'version.ts': [],
  'node-version.ts': [],
  'inspector-off.ts': [],
  fetch: [],
  pki: [],
  revocation: ['fetch', 'pki'],
  policy: ['revocation'],
  telemetry: [],
  audit: ['telemetry'],
  admin: [],
  source: [],
  handshake: ['source', 'pki', 'policy', 'telemetry', 'audit'],
  identity: ['pki', 'revocation', 'policy'],
  message: ['policy', 'telemetry', 'audit'],
  tracing: ['fetch', 'message', 'policy', 'telemetry'],
  upstream: ['source', 'message', 'policy', 'telemetry'],
  relay: ['source', 'identity', 'message', 'upstream', 'pki', 'policy', 'telemetry', 'tracing', 'audit'],
  gateway: [
    ...['source', 'handshake', 'identity', 'message', 'relay', 'upstream'],
    ...['pki', 'revocation', 'policy', 'telemetry', 'tracing', 'audit'],
  ],
  thread: ['gateway', 'handshake', 'policy', 'telemetry', 'tracing', 'audit'],
  trust: ['fetch', 'pki', 'policy'],
  config: ['fetch', 'source', 'pki', 'policy', 'tracing'],
  control: [
    ...['config', 'trust', 'revocation', 'policy', 'thread', 'fetch', 'handshake', 'identity'],
    ...['admin', 'telemetry', 'tracing', 'audit', 'version.ts'],
  ],
  terminal: [],
  evidence: [],
  probe: ['handshake'],
  simulation: ['message', 'evidence'],
  auditing: ['audit', 'terminal', 'evidence', 'identity', 'handshake', 'message'],
  issuing: ['pki', 'revocation', 'terminal'],
  doctor: ['probe', 'issuing', 'evidence', 'terminal', 'pki'],
  demo: ['issuing', 'pki', 'terminal'],
  inspection: [
    ...['control', 'config', 'trust', 'identity', 'revocation', 'pki', 'policy', 'fetch', 'handshake'],
    ...['upstream', 'issuing', 'probe', 'terminal', 'evidence'],
  ],
  cli: [
    ...['control', 'demo', 'inspection', 'config', 'trust', 'pki', 'telemetry', 'audit', 'version.ts'],
    ...['terminal', 'evidence', 'simulation', 'issuing', 'doctor', 'auditing'],
  ],
  'main.ts': ['node-version.ts', 'inspector-off.ts', 'cli'],
};
