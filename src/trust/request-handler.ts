/** Does what commands have asked of the running gateway, one turn at a time, and tells what cannot be taken. */
import { type TrustRequest, takeRequests } from './request-files.ts';

export interface RequestDeskOptions {
  readonly cacheDir: () => string;
  /** Must not reject. */
  readonly onRequest: (request: TrustRequest) => Promise<void>;
  /** Called when something begins to be wrong, or is wrong in another way. */
  readonly onProblem: (detail: string) => void;
}

export class RequestDesk {
  readonly #options: RequestDeskOptions;
  #turn: Promise<void> | null = null;
  /** What was wrong the last time; null: nothing. */
  #problem: string | null = null;

  constructor(options: RequestDeskOptions) {
    this.#options = options;
  }

  /** Joins a turn that is being taken: two at a time would take away each other's files. Never rejects. */
  take(): Promise<void> {
    this.#turn ??= this.#take().finally(() => {
      this.#turn = null;
    });
    return this.#turn;
  }

  async #take(): Promise<void> {
    const { cacheDir, onRequest } = this.#options;
    try {
      const { requests, problems } = await takeRequests(cacheDir());
      this.#tell(problems);
      for (const request of requests) await onRequest(request);
    } catch (cause) {
      this.#tell([cause instanceof Error ? cause.message : String(cause)]);
    }
  }

  #tell([first, ...others]: readonly string[]): void {
    const more = others.length === 0 ? '' : `; and ${others.length} more`;
    const detail = first === undefined ? null : `${first}${more}`;
    if (detail !== null && detail !== this.#problem) this.#options.onProblem(detail);
    this.#problem = detail;
  }
}
