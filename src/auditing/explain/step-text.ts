/** The words of one step. */

export interface StepText {
  readonly title: string;
  /** Sentences. */
  readonly details: readonly string[];
}

/** With a full stop at its end. */
export function sentence(text: string): string {
  return text === '' || /[.!?]$/.test(text) ? text : `${text}.`;
}
