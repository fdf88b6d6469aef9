/** Starts the relay threads, replaces those that end unexpectedly, and drains them at the end. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import type { AuditFormat } from '../audit/ecs-table.ts';
import { GatewayError } from '../errors.ts';
import type { Answer } from '../policy/question.ts';
import type { PolicySnapshot } from '../policy/snapshot.ts';
import type { FromRelay, RelayData, ToRelay } from './messages.ts';
import { probePort } from './port-in-use.ts';

interface SupervisorOptions {
  /** Number of threads. Above 1, the platform must let them share a port. */
  readonly relays: number;
  readonly address: string;
  readonly port: number;
  readonly snapshot: PolicySnapshot;
  /** The initial value of `refuseMessages`. */
  readonly refuseMessages: boolean;
  readonly auditFormat: AuditFormat;
  /** Receives the reports of the threads. `thread`: the thread's number; numbers are never reused. */
  readonly onMessage: (thread: number, message: RelayReport) => void;
  /** A thread ended unexpectedly, possibly while starting; it is replaced. */
  readonly onUnexpectedExit: (thread: number, error: Error | null) => void;
}

/** The messages of a relay thread that the supervisor passes on. */
export type RelayReport = Extract<FromRelay, { type: 'report' | 'log' | 'unseen' | 'question' }>;

/** Delay before an ended thread is replaced, ms. It doubles after each failed start, up to the maximum. */
const RESTART_MS = 100;
const MAX_RESTART_MS = 10_000;

/**
 * A collection comes when a third of this is full, and moves what is still in use. Measured with 2,000 connections that open at
 * once: the longest pauses are 14 ms. With 6 MiB they are 7 to 12 ms, but four times as many, and a message with a resumed
 * handshake of its own costs 5 to 8 % more CPU time. With V8's default, 48 MiB, they are up to 20 ms.
 */
const resourceLimits = { maxYoungGenerationSizeMb: 24 };

const entry = new URL(import.meta.url.endsWith('.ts') ? './relay.ts' : './relay.js', import.meta.url);

export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #workers = new Map<number, Worker>();
  #snapshot: PolicySnapshot;
  #refuseMessages: boolean;
  #started = 0;
  #listening = 0;
  #draining = false;
  #reusePort = false;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#snapshot = options.snapshot;
    this.#refuseMessages = options.refuseMessages;
  }

  /** Returns the address and port of the listeners. Throws GatewayError ADDRESS_IN_USE, LISTEN or FAULT. */
  async start(): Promise<{ address: string; port: number }> {
    const { relays, address } = this.#options;
    this.#reusePort = relays > 1;
    // With reusePort another process could share the port unnoticed: check first that no other process listens on it.
    const port = this.#reusePort
      ? await probePort({ address, port: this.#options.port })
      : this.#options.port;
    const [first] = await Promise.all(Array.from({ length: relays }, () => this.#spawn(port)));
    return first as { address: string; port: number };
  }

  /** Number of threads that accept connections. */
  get listening(): number {
    return this.#listening;
  }

  /** The numbers of the threads that run. */
  get threads(): readonly number[] {
    return [...this.#workers.keys()];
  }

  publish(snapshot: PolicySnapshot): void {
    this.#snapshot = snapshot;
    this.#broadcast({ type: 'snapshot', snapshot });
  }

  /** Whether new messages are refused, because audit records cannot be written. */
  refuseMessages(refuse: boolean): void {
    if (refuse === this.#refuseMessages) return;
    this.#refuseMessages = refuse;
    this.#broadcast({ type: 'refuse_messages', refuse });
  }

  /** Sent to all threads, since several may have requested the same leaf. */
  firstContactDone(contact: { readonly anchor: string; readonly leaf: string }): void {
    this.#broadcast({ type: 'first_contact_done', ...contact });
  }

  /** Answers a question of a thread. */
  answer(thread: number, id: number, answer: Answer): void {
    const message: ToRelay = { type: 'answer', id, answer };
    this.#workers.get(thread)?.postMessage(message);
  }

  /** Returns the buffer of written audit lines to its thread. */
  auditWritten(thread: number, { buffer }: Uint8Array<ArrayBuffer>): void {
    const message: ToRelay = { type: 'audit_written', buffer };
    this.#workers.get(thread)?.postMessage(message, [buffer]);
  }

  /** Resolves when all threads have drained their connections and ended. */
  async drain(): Promise<void> {
    this.#draining = true;
    const exits = [...this.#workers.values()].map(
      (worker) => new Promise((done) => worker.once('exit', done)),
    );
    this.#broadcast({ type: 'drain' });
    await Promise.all(exits);
  }

  #broadcast(message: ToRelay): void {
    for (const worker of this.#workers.values()) worker.postMessage(message);
  }

  #spawn(port: number): Promise<{ address: string; port: number }> {
    const thread = this.#started++;
    const { address, auditFormat, onMessage } = this.#options;
    const listen = { address, port, reusePort: this.#reusePort };
    const workerData: RelayData = {
      snapshot: this.#snapshot,
      listen,
      refuseMessages: this.#refuseMessages,
      auditFormat,
    };
    const worker = new Worker(entry, { workerData, resourceLimits, name: `relay ${thread}` });
    this.#workers.set(thread, worker);

    return new Promise((resolve, reject) => {
      let fault: Error | null = null;
      let listening: { address: string; port: number } | null = null;
      worker.on('message', (message: FromRelay) => {
        switch (message.type) {
          case 'listening':
            listening = { address: message.address, port: message.port };
            this.#listening++;
            return resolve(listening);
          case 'failed':
            fault = new GatewayError({ code: message.code, message: message.message });
            return;
          case 'drained':
            return;
          default:
            return onMessage(thread, message);
        }
      });
      worker.on('error', (error: Error) => {
        fault = error;
      });
      worker.on('exit', () => {
        this.#workers.delete(thread);
        if (listening === null)
          return reject(fault ?? new Error(`relay thread ${thread} ended before it listened`));
        this.#listening--;
        if (!this.#draining) void this.#replace({ thread, error: fault, port: listening.port });
      });
    });
  }

  async #replace(ended: { thread: number; error: Error | null; port: number }): Promise<void> {
    let { thread, error } = ended;
    for (let pause = RESTART_MS; ; pause = Math.min(2 * pause, MAX_RESTART_MS)) {
      this.#options.onUnexpectedExit(thread, error);
      await sleep(pause);
      if (this.#draining) return;
      // The number that #spawn assigns next.
      thread = this.#started;
      error = await this.#spawn(ended.port).then(
        () => null,
        (again: Error) => again,
      );
      if (error === null) return;
    }
  }
}
