/** Works with the cache as far as there is one: what fails is told when it begins or changes, and never thrown. */

/** The result of the work, or `otherwise` where the disk does not play along. */
export type CacheAttempt = <T>(work: () => Promise<T>, otherwise: T) => Promise<T>;

export function cacheAttempt(tell: (detail: string) => void): CacheAttempt {
  let told: string | null = null;
  return async (work, otherwise) => {
    try {
      const result = await work();
      told = null;
      return result;
    } catch (cause) {
      // By its code: the names of drafts and of the many files would make every failure another one.
      const code = (cause as { code?: unknown } | null)?.code ?? 'unknown';
      const detail = cause instanceof Error ? cause.message : String(cause);
      if (told !== code) tell(detail);
      told = String(code);
      return otherwise;
    }
  };
}
