/** A connection whose caller may not come in: its first request is answered with a page, and nothing is forwarded. */
import type { TLSSocket } from 'node:tls';
import { messageLine } from '../audit/record.ts';
import type { Limits } from '../policy/snapshot.ts';
import type { Recorder } from '../telemetry/recorder.ts';
import { refusalPage } from './answer.ts';
import { HeadIntake } from './intake.ts';
import { lingeringClose } from './linger.ts';
import { parseRequestHead } from './request.ts';
import { INCOMPLETE } from './section.ts';

interface RefusedOptions {
  readonly connId: string;
  readonly status: 400 | 403;
  /** The deny reason, for the record only. */
  readonly reason: string;
  readonly limits: Limits;
  /** Milliseconds to wait for the head. */
  readonly headTimeout: number;
  readonly recorder: Recorder;
}

/**
 * Waits for the head of a request and answers it with the page; a client that sends none, or ends first, gets no
 * answer. A head that cannot be read gets the page too: it says nothing but the status.
 */
export function refuseConnection(socket: TLSSocket, options: RefusedOptions): void {
  const intake = new HeadIntake();
  const timer = setTimeout(() => socket.destroy(), options.headTimeout);
  socket.once('close', () => clearTimeout(timer));
  socket.on('data', onData);
  socket.on('end', onEnd);

  function onData(bytes: Buffer): void {
    const found = intake.offer(bytes, 0, bytes.length);
    if (found === INCOMPLETE && intake.end - intake.start <= options.limits.head) return;
    const head = found > 0 ? parseRequestHead(intake.text(found), options.limits) : null;
    const requestId = `${options.connId}.1`;
    record(requestId, head);
    clearTimeout(timer);
    socket.off('data', onData);
    socket.off('end', onEnd);
    const bodyless = head?.method === 'HEAD';
    lingeringClose(socket, refusalPage({ status: options.status, requestId, close: true, bodyless }));
  }

  function onEnd(): void {
    socket.end();
  }

  function record(requestId: string, head: ReturnType<typeof parseRequestHead> | null): void {
    options.recorder.meter.message('none', options.status, Number.NaN, Number.NaN);
    options.recorder.audit(
      messageLine({
        time: Date.now(),
        connId: options.connId,
        requestId,
        route: null,
        method: head?.method ?? null,
        path: head?.path ?? null,
        status: options.status,
        requestBytes: 0,
        responseBytes: 0,
        upstreamMs: Number.NaN,
        totalMs: Number.NaN,
        outcome: 'denied',
        reason: options.reason,
      }),
    );
  }
}
