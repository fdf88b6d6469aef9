/** Entry point of a relay thread, which handles connections and nothing else. */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { AuditBatch } from '../audit/batch.ts';
import { toEcsLines } from '../audit/ecs-line.ts';
import { GatewayError } from '../errors.ts';
import { Gateway } from '../gateway/gateway.ts';
import { Meter } from '../telemetry/meter.ts';
import type { Recorder } from '../telemetry/recorder.ts';
import { RepeatedLines } from '../telemetry/repeated-lines.ts';
import { SpanBatch } from '../tracing/span-batch.ts';
import type { FromRelay, RelayData, ToRelay } from './messages.ts';

/** Interval of reports, ms. An audit record must be written within 100 ms: half of that is left for the control thread. */
const REPORT_MS = 50;
/** Metrics are sent with every fifth report only, since they make up most of a report's cost in both threads. */
const REPORTS_PER_COUNTS = 5;

/** Repeated failures are sent once in this time, ms; the control thread collapses those of all threads (logger.ts). */
const FAILURES_MS = 1000;

const port = parentPort as MessagePort;
const send = (message: FromRelay): void => port.postMessage(message);

const { snapshot, listen, refuseMessages, auditFormat } = workerData as RelayData;
const failures = new RepeatedLines({
  windowMs: FAILURES_MS,
  write: (line) => send({ type: 'log', ...line, isFailure: true }),
});
const audit = new AuditBatch();
const meter = new Meter();
const spans = new SpanBatch();
const recorder: Recorder = {
  meter,
  audit: auditFormat === 'ecs' ? (lines) => audit.add(toEcsLines(lines)) : (lines) => audit.add(lines),
  span: (span) => spans.add(span),
  log: (level, message, fields = {}) => send({ type: 'log', level, message, fields, isFailure: false }),
  logFailure: (level, message, fields) => failures.log({ level, message, fields }),
};

let reports = 0;

function report({ last = false } = {}): void {
  const lines = audit.take();
  const delta = last || ++reports % REPORTS_PER_COUNTS === 0 ? meter.take() : null;
  const finished = spans.take();
  if (lines === null && delta === null && finished === null) return;
  const message: FromRelay = { type: 'report', audit: lines, meter: delta, spans: finished };
  port.postMessage(message, lines === null ? [] : [lines.buffer]);
}

// Heads with a small body are written as one buffer: a larger pool allocates less often on the hot path. It stays below
// 64 KiB, from which on malloc, as set in the image and the systemd unit, maps and unmaps memory for each allocation.
Buffer.poolSize = 60 * 1024;
const gateway = new Gateway({
  snapshot,
  listen,
  recorder,
  onUnseen: ({ anchor, leaf }) => send({ type: 'unseen', anchor, leaf: leaf.der }),
  onQuestion: (id, question) => send({ type: 'question', id, question }),
});
gateway.refuseMessages(refuseMessages);
const timer = setInterval(report, REPORT_MS);

port.on('message', (message: ToRelay) => {
  switch (message.type) {
    case 'snapshot':
      return gateway.update(message.snapshot);
    case 'first_contact_done':
      return gateway.firstContactDone(message);
    case 'answer':
      return gateway.answered(message.id, message.answer);
    case 'audit_written':
      return audit.giveBack(message.buffer);
    case 'refuse_messages':
      return gateway.refuseMessages(message.refuse);
    case 'drain':
      return void drain();
    default:
      return message satisfies never;
  }
});

async function drain(): Promise<void> {
  await gateway.drain();
  clearInterval(timer);
  failures.flush();
  report({ last: true });
  send({ type: 'drained' });
  port.close();
}

try {
  send({ type: 'listening', ...(await gateway.listen()) });
} catch (error) {
  clearInterval(timer);
  const code = error instanceof GatewayError ? error.code : 'FAULT';
  send({ type: 'failed', code, message: error instanceof Error ? error.message : String(error) });
  port.close();
}
