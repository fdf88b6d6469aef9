/** A simulation: connections, sender and counts put together; the result is a plain value. */
import type { AttemptOptions } from './attempt.ts';
import type { Request } from './connection.ts';
import { makeMessage, typeOf } from './messages.ts';
import type { SimulationOptions } from './options.ts';
import { Pool } from './pool.ts';
import { type Result, resultOf } from './result.ts';
import { Sender } from './sender.ts';
import { Tally } from './tally.ts';

/** What can be seen while it runs. */
export interface Simulation {
  readonly tally: Tally;
  readonly connections: number;
  /** Attempts that have not ended. */
  readonly active: number;
  /** Messages that wait for a re-send. */
  readonly waiting: number;
  /** Milliseconds since the first message was due. */
  readonly elapsed: number;
  /** Resolves when every message is acknowledged or lost. */
  run(): Promise<Result>;
  /** Ends early: `run` resolves when the attempts under way have ended. */
  stop(): void;
}

/** Kept connections that are open before the first message: for answers, or a pause, of up to this time, ms. */
const preparedFor = 50;
const maxPrepared = 100;
/** Milliseconds: with a short timeout a handshake still gets this time. */
const minOpenTimeout = 1_000;
/** Node's timers have 32 bits: one with a longer time fires at once. */
const maxTimer = 2 ** 31 - 1;

export function createSimulation(options: SimulationOptions): Simulation {
  const { target, source, keepAlive, timeout, lateWait, maxConnections } = options;
  const tally = new Tally({ span: spanOf(options), typeOf: (index) => typeOf(source.seed, index) });
  const pool = new Pool({
    target,
    keepAlive,
    maxConnections,
    rate: options.rate,
    openTimeout: Math.min(Math.max(minOpenTimeout, timeout + lateWait), maxTimer),
    events: {
      onOpened: (milliseconds) => tally.opening.record(milliseconds),
      onOpenFailed: (detail) => tally.openFailed(detail),
      onUnasked: () => {
        tally.unasked += 1;
      },
    },
  });
  const sender = new Sender(options, { timeout, lateWait, pool, makeRequest: requestsOf(options) }, tally);
  let began = performance.now();
  let stopped = false;
  return {
    tally,
    get connections() {
      return pool.size;
    },
    get active() {
      return sender.active;
    },
    get waiting() {
      return sender.waiting;
    },
    get elapsed() {
      return performance.now() - began;
    },
    run: async () => {
      const prepared = Math.ceil((options.rate * preparedFor) / 1000);
      if (keepAlive) await pool.prepare(Math.min(maxPrepared, maxConnections, prepared));
      began = performance.now();
      if (!stopped) await sender.run();
      const elapsed = performance.now() - began;
      // Before the result, because a second answer may still arrive.
      await pool.close();
      return resultOf({ options, tally, pool, elapsed, interrupted: stopped });
    },
    stop: () => {
      stopped = true;
      sender.stop();
    },
  };
}

/** How long it may take, ms: the messages, and every re-send of the last one. */
function spanOf({ duration, timeout, lateWait, resends, resendInterval }: SimulationOptions): number {
  return duration + timeout + lateWait + resends * (timeout + resendInterval);
}

function requestsOf({ target, source, keepAlive, expectContinue }: SimulationOptions) {
  const start = `POST ${target.path} HTTP/1.1\r\nHost: ${target.authority}\r\n`;
  const type = source.format === 'json' ? 'application/json' : 'application/xml';
  const end = `${keepAlive ? '' : 'Connection: close\r\n'}${expectContinue ? 'Expect: 100-continue\r\n' : ''}\r\n`;
  return ({ index, number, offset }: AttemptOptions): Request => {
    const { body, soapAction } = makeMessage(source, { index, attempt: number, offset });
    const action = soapAction === null ? '' : `SOAPAction: ${soapAction}\r\n`;
    const head = `${start}Content-Type: ${type}\r\n${action}Content-Length: ${body.length}\r\n${end}`;
    return { head, body, expect: expectContinue };
  };
}
