/** Asks the control thread on behalf of messages that wait, each for a limited time. */
import type { Answer, Answers, Question } from '../policy/question.ts';

export class Questions {
  /** Sends the question to the control thread, which replies after it has published what the answer depends on. */
  readonly #send: (id: number, question: Question) => void;
  readonly #pending = new Map<number, (answer: Answer | null) => void>();
  #last = 0;

  constructor(send: (id: number, question: Question) => void) {
    this.#send = send;
  }

  /** As `Ask`; bound, so that it can be passed on. */
  readonly ask = <Q extends Question>(question: Q, limit: number): Promise<Answers[Q['kind']] | null> => {
    const id = ++this.#last;
    return new Promise((resolve) => {
      const settle = (answer: Answer | null): void => {
        clearTimeout(timer);
        this.#pending.delete(id);
        resolve(answer as Answers[Q['kind']] | null);
      };
      // The waiting connection keeps the thread alive; this timer must not do so once the connection has closed.
      const timer = setTimeout(() => settle(null), limit).unref();
      this.#pending.set(id, settle);
      this.#send(id, question);
    });
  };

  /** To be called with the reply of the control thread; ignored if it comes too late. */
  answered(id: number, answer: Answer): void {
    this.#pending.get(id)?.(answer);
  }
}
