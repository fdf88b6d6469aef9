/**
 * Reports the state of the service to systemd (sd_notify(3)), if it runs as `Type=notify`.
 *
 * Node has no Unix datagram sockets, so `systemd-notify` sends the state; the unit needs `NotifyAccess=all`. Without
 * systemd no program is started.
 */
import { execFile } from 'node:child_process';

/** systemd answers within milliseconds. A hanging systemd-notify must not delay the end of the process. */
const timeoutMs = 5_000;

export class ServiceManager {
  readonly #present = process.env.NOTIFY_SOCKET !== undefined;
  readonly #onError: (error: Error) => void;
  #state: 'starting' | 'ready' | 'stopping' = 'starting';
  /** Sent one after the other: `READY=1` before its `RELOADING=1` would leave the service in the reloading state. */
  #last: Promise<void> = Promise.resolve();

  constructor({ onError }: { readonly onError: (error: Error) => void }) {
    this.#onError = onError;
  }

  ready(): void {
    this.#state = 'ready';
    this.#notify('READY=1');
  }

  /** `reload` settles when the change was accepted or refused; the service is ready again in both cases. */
  async reloading(reload: Promise<void>): Promise<void> {
    // Before READY=1 and after STOPPING=1 no reload is reported.
    if (this.#state !== 'ready') return;
    // `Type=notify-reload` requires the time by CLOCK_MONOTONIC, which hrtime uses.
    this.#notify('RELOADING=1', `MONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`);
    await reload;
    if (this.#state === 'ready') this.#notify('READY=1');
  }

  stopping(): void {
    this.#state = 'stopping';
    this.#notify('STOPPING=1');
  }

  /** Resolves when every notification was sent. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.#last;
  }

  #notify(...assignments: string[]): void {
    if (this.#present) this.#last = this.#last.then(() => this.#send(assignments));
  }

  #send(assignments: string[]): Promise<void> {
    return new Promise((resolve) => {
      execFile('systemd-notify', assignments, { timeout: timeoutMs }, (error) => {
        if (error !== null) this.#onError(error);
        resolve();
      });
    });
  }
}
