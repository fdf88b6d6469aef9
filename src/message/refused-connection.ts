/** Answers the first request on a refused client's connection with an error page, and closes. Nothing is forwarded. */

import type { TLSSocket } from 'node:tls';
import type { Limits } from '../policy/snapshot.ts';
import type { Recorder } from '../telemetry/recorder.ts';
import { refusalPage } from './error-response.ts';
import { RequestReader } from './head-reader.ts';
import { lingeringClose } from './lingering-close.ts';
import { recordRefusal } from './refusal-record.ts';
import { requestIdOf } from './request-id.ts';

interface RefusedOptions {
  readonly connId: string;
  readonly status: 400 | 403;
  /** The deny reason, for the audit record only. */
  readonly reason: string;
  readonly limits: Limits;
  /** Timeout for the complete head, ms. */
  readonly headTimeout: number;
  readonly recorder: Recorder;
}

/**
 * Waits for the head of a request and responds with the page, also to a malformed head. A client that sends no head in
 * time, or disconnects first, gets no response.
 */
export function refuseConnection(socket: TLSSocket, options: RefusedOptions): void {
  const { connId, status, reason, limits, recorder } = options;
  const reader = new RequestReader();
  const timer = setTimeout(() => socket.destroy(), options.headTimeout);
  const onEnd = () => socket.end();
  const onData = (bytes: Buffer) => {
    const head = reader.read({ bytes, at: 0, end: bytes.length }, limits);
    if (head === null) return;
    clearTimeout(timer);
    socket.off('data', onData).off('end', onEnd);
    const requestId = requestIdOf(connId, 1);
    recordRefusal(recorder, { connId, requestId, status, reason, head });
    lingeringClose(socket, refusalPage({ status, requestId, close: true, bodyless: head.method === 'HEAD' }));
  };
  socket.once('close', () => clearTimeout(timer));
  socket.on('data', onData).on('end', onEnd);
}
