/**
 * Tells systemd how the service stands (sd_notify(3)), where it is run as `Type=notify`.
 *
 * Node has no datagram sockets of the Unix kind, so systemd's own `systemd-notify` sends: the unit says
 * `NotifyAccess=all`. Elsewhere nothing is started.
 */
import { execFile } from 'node:child_process';

/** systemd answers within milliseconds; whoever does not must not hold the end up. */
const patienceMs = 5_000;

export class ServiceManager {
  readonly #present = process.env.NOTIFY_SOCKET !== undefined;
  readonly #onError: (error: Error) => void;
  #state: 'starting' | 'ready' | 'stopping' = 'starting';
  /** One after the other: `READY=1` before its `RELOADING=1` would leave the service reloading for ever. */
  #last: Promise<void> = Promise.resolve();

  constructor({ onError }: { readonly onError: (error: Error) => void }) {
    this.#onError = onError;
  }

  ready(): void {
    this.#state = 'ready';
    this.#tell('READY=1');
  }

  /** `reload` settles when the change was taken or refused: either way the service goes on. */
  async reloading(reload: Promise<void>): Promise<void> {
    // Readiness is still to come then, or gone.
    if (this.#state !== 'ready') return;
    // The same clock as CLOCK_MONOTONIC; `Type=notify-reload` asks for it.
    this.#tell('RELOADING=1', `MONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`);
    await reload;
    if (this.#state === 'ready') this.#tell('READY=1');
  }

  stopping(): void {
    this.#state = 'stopping';
    this.#tell('STOPPING=1');
  }

  /** Everything was told: whoever told it is gone. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.#last;
  }

  #tell(...assignments: string[]): void {
    if (this.#present) this.#last = this.#last.then(() => this.#send(assignments));
  }

  #send(assignments: string[]): Promise<void> {
    return new Promise((resolve) => {
      execFile('systemd-notify', assignments, { timeout: patienceMs }, (error) => {
        if (error !== null) this.#onError(error);
        resolve();
      });
    });
  }
}
