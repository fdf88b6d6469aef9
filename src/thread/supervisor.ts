/** Starts the relay threads, keeps as many running as were asked for, and ends them in order. */
import { availableParallelism } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { GatewayError } from '../errors.ts';
import type { PolicySnapshot } from '../policy/snapshot.ts';
import { claimPort } from './claim.ts';
import type { FromRelay, RelayData, ToRelay } from './messages.ts';

interface SupervisorOptions {
  readonly relays: number | 'auto';
  readonly address: string;
  readonly port: number;
  readonly snapshot: PolicySnapshot;
  /** As by `refuseMessages`. */
  readonly refuseMessages: boolean;
  /** What the thread with this number tells; numbers are never used twice. */
  readonly onMessage: (thread: number, message: Told) => void;
  /** A thread died that nobody asked to end, perhaps at its start; it is replaced. */
  readonly onDeath: (thread: number, error: Error | null) => void;
}

/** What is not about the thread itself. */
export type Told = Extract<FromRelay, { type: 'report' | 'log' | 'unseen' }>;

/** Before a dead thread is replaced, ms; twice as long after each one that dies at its start, up to the longest. */
const RESTART_MS = 100;
const LONGEST_RESTART_MS = 10_000;

/**
 * A young generation of V8's default size fills up with connections when many come at once, and to move them all takes
 * tens of milliseconds, in which no message goes on. A third of this is what one collection moves at most.
 */
const resourceLimits = { maxYoungGenerationSizeMb: 6 };

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

  /** Where the threads listen. Throws GatewayError ADDRESS_IN_USE, LISTEN or FAULT. */
  async start(): Promise<{ address: string; port: number }> {
    const { relays, address } = this.#options;
    const count = relays === 'auto' ? availableParallelism() : relays;
    this.#reusePort = count > 1;
    // With reusePort a second process would share the port in silence: have it alone once, to know that nobody does.
    const port = this.#reusePort
      ? await claimPort({ address, port: this.#options.port })
      : this.#options.port;
    const [first] = await Promise.all(Array.from({ length: count }, () => this.#spawn(port)));
    return first as { address: string; port: number };
  }

  /** Threads that accept connections. */
  get listening(): number {
    return this.#listening;
  }

  publish(snapshot: PolicySnapshot): void {
    this.#snapshot = snapshot;
    this.#tellAll({ type: 'snapshot', snapshot });
  }

  /** Whether new messages are refused, since their audit records cannot be written. */
  refuseMessages(refuse: boolean): void {
    if (refuse === this.#refuseMessages) return;
    this.#refuseMessages = refuse;
    this.#tellAll({ type: 'refuse_messages', refuse });
  }

  /** Every thread is told, for each may have asked. */
  contacted(contact: { readonly anchor: string; readonly leaf: string }): void {
    this.#tellAll({ type: 'contacted', ...contact });
  }

  /** The thread's audit lines are written. */
  written(thread: number, { buffer }: Uint8Array<ArrayBuffer>): void {
    const message: ToRelay = { type: 'written', buffer };
    this.#workers.get(thread)?.postMessage(message, [buffer]);
  }

  /** Resolves when every thread has finished its work and ended. */
  async drain(): Promise<void> {
    this.#draining = true;
    const exits = [...this.#workers.values()].map(
      (worker) => new Promise((done) => worker.once('exit', done)),
    );
    this.#tellAll({ type: 'drain' });
    await Promise.all(exits);
  }

  #tellAll(message: ToRelay): void {
    for (const worker of this.#workers.values()) worker.postMessage(message);
  }

  #spawn(port: number): Promise<{ address: string; port: number }> {
    const thread = this.#started++;
    const { address, onMessage } = this.#options;
    const listen = { address, port, reusePort: this.#reusePort };
    const workerData: RelayData = {
      snapshot: this.#snapshot,
      listen,
      refuseMessages: this.#refuseMessages,
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
          return reject(fault ?? new Error(`relay thread ${thread} ended at its start`));
        this.#listening--;
        if (!this.#draining) void this.#replace({ thread, error: fault, port: listening.port });
      });
    });
  }

  async #replace(dead: { thread: number; error: Error | null; port: number }): Promise<void> {
    let { thread, error } = dead;
    for (let pause = RESTART_MS; ; pause = Math.min(2 * pause, LONGEST_RESTART_MS)) {
      this.#options.onDeath(thread, error);
      await sleep(pause);
      if (this.#draining) return;
      // The number that the next one gets.
      thread = this.#started;
      error = await this.#spawn(dead.port).then(
        () => null,
        (again: Error) => again,
      );
      if (error === null) return;
    }
  }
}
