/** Handles the requests of `ehi-gateway trust` commands in the running gateway, one pass over the folder at a time. */
import { type TrustRequest, takeRequests } from './request-files.ts';

export interface RequestHandlerOptions {
  readonly cacheDir: () => string;
  /** Must not reject. */
  readonly onRequest: (request: TrustRequest) => Promise<void>;
  /** Called when a problem begins, and when it changes. */
  readonly onProblem: (detail: string) => void;
}

export class RequestHandler {
  readonly #options: RequestHandlerOptions;
  #running: Promise<void> | null = null;
  /** The problem of the last pass; null: none. */
  #problem: string | null = null;

  constructor(options: RequestHandlerOptions) {
    this.#options = options;
  }

  /** Handles the waiting requests, or joins the pass in progress: two would remove each other's files. Never rejects. */
  run(): Promise<void> {
    this.#running ??= this.#run().finally(() => {
      this.#running = null;
    });
    return this.#running;
  }

  async #run(): Promise<void> {
    const { cacheDir, onRequest } = this.#options;
    try {
      const { requests, problems } = await takeRequests(cacheDir());
      this.#report(problems);
      for (const request of requests) await onRequest(request);
    } catch (cause) {
      this.#report([cause instanceof Error ? cause.message : String(cause)]);
    }
  }

  #report([first, ...others]: readonly string[]): void {
    const more = others.length === 0 ? '' : `; and ${others.length} more`;
    const detail = first === undefined ? null : `${first}${more}`;
    if (detail !== null && detail !== this.#problem) this.#options.onProblem(detail);
    this.#problem = detail;
  }
}
