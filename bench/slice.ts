/** One slice: a gateway under load, its CPU time for each message, and the check that the load was the mode's. */
import type { ChildProcess } from 'node:child_process';
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { cpuSpent, readCpu } from './cpu.ts';
import type { LoadAnswer, LoadOrder, LoadResult, Mode } from './modes.ts';
import type { Peer, PeerLog } from './peers/peer.ts';

/** Milliseconds until a gateway has written its batches (log, metrics) and sleeps, so that its CPU time is exact. */
const settling = 200;

export interface Slice extends LoadResult {
  /** Nanoseconds of CPU in all threads of the gateway's processes. */
  readonly cpu: number;
  /** Lines that the slice added to the gateway's own log; null if it has no log. */
  readonly logged: LogCounts | null;
}

interface LogCounts {
  readonly messages: number;
  readonly full: number;
  readonly resumed: number;
}

/** Throws if a response was wrong, a handshake was of another kind, or the gateway's log disagrees with the client. */
export async function measureSlice(options: {
  load: ChildProcess;
  peer: Peer;
  mode: Mode;
  order: Extract<LoadOrder, { type: 'run' | 'pace' }>;
}): Promise<Slice> {
  const { load, peer, mode, order } = options;
  const { negotiated } = await command(load, { type: 'prepare', port: peer.port, mode, token: peer.token });
  await delay(settling);
  const { pid } = peer.process;
  if (pid === undefined) throw new Error(`${peer.name} is not running`);
  const logBegin = peer.log === null ? 0 : logLength(peer.log);
  const before = readCpu(pid);
  const result = await command(load, order);
  await delay(settling);
  const cpu = cpuSpent(before, readCpu(pid));
  const logged = peer.log === null ? null : countLog(peer.log, logBegin);
  await command(load, { type: 'rest' });
  const slice = { ...result, negotiated, cpu, logged };
  const faults = findFaults(slice, mode);
  if (faults.length > 0) throw new Error(`${peer.name}: ${faults.join('; ')}`);
  return slice;
}

/** Sends an order to the load generator and waits until it is done. */
export function command(load: ChildProcess, order: LoadOrder): Promise<LoadResult> {
  return new Promise((resolve, reject) => {
    const ended = () => reject(new Error(`${order.type}: the load generator ended`));
    load.once('exit', ended);
    load.once('message', (answer: LoadAnswer) => {
      load.off('exit', ended);
      if (answer.type === 'done') resolve(answer.result);
      else reject(new Error(`${order.type}: ${answer.reason}`));
    });
    load.send(order);
  });
}

/** What contradicts the mode: handshakes of another kind, or a gateway whose count differs from the client's. */
export function findFaults(slice: Slice, mode: Mode): string[] {
  const { messages, handshakes, negotiated, logged } = slice;
  const expected = {
    full: mode.handshake === 'full' ? messages : 0,
    resumed: mode.handshake === 'resumed' ? messages : 0,
  };
  const faults: string[] = [];
  const compare = (what: string, found: number, wanted: number) => {
    if (found !== wanted) faults.push(`${what}: ${found} instead of ${wanted}`);
  };
  if (messages === 0) faults.push('no message');
  if (!negotiated.startsWith(mode.version)) faults.push(`negotiated ${negotiated}`);
  compare('full handshakes', handshakes.full, expected.full);
  compare('resumed handshakes', handshakes.resumed, expected.resumed);
  if (logged === null) return faults;
  compare('messages in its log', logged.messages, messages);
  // On a kept connection some gateways log the handshake's kind with every message, others once.
  if (mode.handshake === 'none') return faults;
  compare('full handshakes in its log', logged.full, expected.full);
  compare('resumed handshakes in its log', logged.resumed, expected.resumed);
  return faults;
}

function logLength({ file }: PeerLog): number {
  const log = openSync(file, 'r');
  const { size } = fstatSync(log);
  closeSync(log);
  return size;
}

function countLog(peerLog: PeerLog, begin: number): LogCounts {
  const log = openSync(peerLog.file, 'r');
  const lines = Buffer.alloc(fstatSync(log).size - begin);
  readSync(log, lines, 0, lines.length, begin);
  closeSync(log);
  const count = (needle: string) => {
    let found = 0;
    for (let at = lines.indexOf(needle); at >= 0; at = lines.indexOf(needle, at + needle.length)) found += 1;
    return found;
  };
  return { messages: count(peerLog.message), full: count(peerLog.full), resumed: count(peerLog.resumed) };
}
