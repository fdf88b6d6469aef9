/** `--budget` of the audit commands: the time after which a message is late. */
import { UsageError } from '../errors.ts';
import { printable } from '../terminal/printable.ts';

/** As `routes[].budget` in the configuration. The records do not have it. */
export const defaultBudget = '200ms';

/** Milliseconds. Throws UsageError. */
export function parseBudget(text: string): number {
  const [, value] = /^(\d{1,6})(?:ms)?$/.exec(text) ?? [];
  if (value === undefined || Number(value) === 0)
    throw new UsageError(
      `--budget: found ${printable(text)}; allowed milliseconds, such as ${defaultBudget}`,
    );
  return Number(value);
}
