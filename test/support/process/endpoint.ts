/** Upstream endpoints as a snapshot names them, and a recorder that keeps their messages. */
import type { EndpointPolicy } from '../../../src/policy/snapshot.ts';
import { Meter } from '../../../src/telemetry/meter.ts';
import type { Recorder } from '../../../src/telemetry/recorder.ts';

/** An endpoint on 127.0.0.1, without TLS and checks, that keeps connections warm for four seconds. */
export function endpointAt(port: number, options: Partial<EndpointPolicy> = {}): EndpointPolicy {
  return {
    url: `http://127.0.0.1:${port}`,
    target: { host: '127.0.0.1', port },
    authority: `127.0.0.1:${port}`,
    tls: null,
    proxyProtocol: null,
    pool: { idle: 256, idleTimeout: 4000 },
    health: null,
    ...options,
  };
}

export interface TestRecorder extends Recorder {
  /** Messages with their fields, in their order. */
  readonly logged: Record<string, unknown>[];
}

export function recorder(): TestRecorder {
  const logged: Record<string, unknown>[] = [];
  return {
    meter: new Meter(),
    logged,
    audit: () => {},
    span: () => {},
    log: (level, message, fields) => logged.push({ level, message, ...fields }),
    logFailure: (level, message, fields) => logged.push({ level, message, ...fields }),
  };
}
