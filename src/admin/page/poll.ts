/** Asks the gateway for its status, again and again while the page is visible; one request at a time. */
import { source } from './state.ts';

export interface PollOptions {
  /** `at`: when the answer had arrived, ms. */
  readonly received: (answer: { readonly body: string; readonly at: number }) => void;
  /** One sentence. */
  readonly failed: (failure: string) => void;
}

/** Milliseconds from the end of one request to the next. */
const every = 2_000;
const timeLimit = 5_000;

export function poll(options: PollOptions): void {
  let timer: number | undefined;
  let isAsking = false;
  const ask = async () => {
    if (isAsking || document.hidden) return;
    isAsking = true;
    clearTimeout(timer);
    const answer = await request();
    isAsking = false;
    timer = setTimeout(ask, every);
    if (typeof answer === 'string') options.failed(answer);
    else options.received(answer);
  };
  document.addEventListener('visibilitychange', ask);
  void ask();
}

/** A failure is a sentence. */
async function request(): Promise<{ body: string; at: number } | string> {
  try {
    const response = await fetch(source, { cache: 'no-store', signal: AbortSignal.timeout(timeLimit) });
    if (!response.ok) return `The gateway answered ${response.status} to ${source}.`;
    return { body: await response.text(), at: Date.now() };
  } catch (error) {
    const isTimeout = error instanceof DOMException && error.name === 'TimeoutError';
    if (isTimeout) return `The gateway gave no answer to ${source} within ${timeLimit / 1000} s.`;
    return `The gateway cannot be reached, or its answer to ${source} was cut.`;
  }
}
