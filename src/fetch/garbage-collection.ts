/** Has garbage collected where V8 sees no reason to: the buffers that sockets read into hardly weigh in its books. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

let collect: ((options: { readonly type: 'minor' }) => void) | null = null;

/** Frees what has died young: about a millisecond. Does nothing where V8 does not lend its collector. */
export function collectYoungGarbage(): void {
  collect ??= borrowCollector();
  collect({ type: 'minor' });
}

/** A context that is made while the flag is set has a `gc`, and only this module holds it. */
function borrowCollector(): NonNullable<typeof collect> {
  setFlagsFromString('--expose-gc');
  try {
    return runInNewContext('gc');
  } catch {
    return () => {};
  } finally {
    setFlagsFromString('--no-expose-gc');
  }
}
